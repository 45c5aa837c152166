//! Who may import whom: down the rings, never up and never sideways.
//!
//! A new crate gets its ring here, in the same pull request; a new arrow that breaks the rule needs a decision record.

use std::collections::{BTreeMap, BTreeSet};

use super::Package;

/// How far a crate is from the words of the domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ring {
    /// Words and wire shapes: imports nothing of ours.
    Words,
    /// Rules over plain values.
    Rules,
    /// Adapters to the outside.
    Adapters,
    /// Programs, and what tests them.
    Programs,
}

/// Every crate and its ring.
const RINGS: [(&str, Ring); 18] = [
    ("joinery-proto", Ring::Words),
    ("joinery-model", Ring::Words),
    ("joinery-joinlink", Ring::Rules),
    ("joinery-calendar-sync", Ring::Rules),
    ("joinery-agenda", Ring::Rules),
    ("joinery-seal", Ring::Rules),
    ("joinery-pki", Ring::Rules),
    ("joinery-store", Ring::Rules),
    ("joinery-msgraph", Ring::Adapters),
    ("joinery-kms", Ring::Adapters),
    ("joinery-store-sqlite", Ring::Adapters),
    ("joinery-transport", Ring::Adapters),
    ("joinery-daemon", Ring::Adapters),
    ("joinery-connector", Ring::Programs),
    ("joinery-agent", Ring::Programs),
    ("joinery-tenant", Ring::Programs),
    ("joinery-tests", Ring::Programs),
    ("joinery-demo", Ring::Programs),
];

/// Belongs to no ring: it builds the workspace and imports none of it.
const OUTSIDE: &str = "xtask";

/// The one arrow inside a ring: the port of the store speaks of sealed rows only.
const SIDEWAYS: [(&str, &str); 1] = [("joinery-store", "joinery-seal")];

/// May import the programs, to run them.
const RUNS_PROGRAMS: [&str; 2] = ["joinery-tests", "joinery-demo"];

/// Test doubles that any crate's own tests may use: a whole simulated tenant is better than a mock.
const TEST_DOUBLES: [&str; 1] = ["joinery-tenant"];

/// What the agent never links, not even through another crate: it is small, and holds no calendar access, no rows of
/// others and no keys of the operator.
const NOT_IN_THE_AGENT: [&str; 4] =
    ["joinery-msgraph", "joinery-store", "joinery-store-sqlite", "joinery-kms"];

/// Runtimes, networks, files and random sources: not in the two inner rings, where all of it comes in as arguments.
const NOT_INSIDE: [&str; 17] = [
    "axum",
    "getrandom",
    "hyper",
    "hyper-util",
    "rand",
    "reqwest",
    "rusqlite",
    "sd-notify",
    "tempfile",
    "tokio",
    "tokio-rustls",
    "tokio-stream",
    "tokio-util",
    "tonic",
    "tower",
    "uuid",
    "zbus",
];

/// A foreign shape stays in its adapter: the library, and who may use it besides tests.
const ADAPTED_BY: [(&str, &[&str]); 6] = [
    // The agent's cache file is a message of its own; it shares no shape with the wire.
    ("prost", &["joinery-proto", "joinery-transport", "joinery-agent"]),
    ("prost-types", &["joinery-proto", "joinery-transport"]),
    ("tonic", &["joinery-proto", "joinery-transport"]),
    ("tonic-prost", &["joinery-proto", "joinery-transport"]),
    ("rusqlite", &["joinery-store-sqlite"]),
    ("anyhow", &["joinery-connector", "joinery-agent", "joinery-tenant", "joinery-demo", "xtask"]),
];

/// Every way in which `packages` breaks the rule, a sentence each.
pub(super) fn check(packages: &[Package]) -> Vec<String> {
    let rings = BTreeMap::from(RINGS);
    let mut findings = Vec::new();
    for package in packages {
        let name = package.name.as_str();
        let ring = rings.get(name).copied();
        if ring.is_none() && name != OUTSIDE {
            findings.push(format!("{name} has no ring; name it in xtask/src/tidy/rings.rs"));
            continue;
        }
        for dependency in &package.dependencies {
            let imported = dependency.name.as_str();
            let for_tests = dependency.is_for_tests();
            let finding = match rings.get(imported) {
                Some(below) => arrow(name, ring, imported, *below, for_tests),
                None => library(name, ring, imported, for_tests),
            };
            findings.extend(finding);
        }
    }
    let reached = reachable(packages, "joinery-agent");
    for banned in NOT_IN_THE_AGENT {
        if reached.contains(banned) {
            findings.push(format!("joinery-agent reaches {banned}; the agent never links it"));
        }
    }
    findings
}

/// One arrow between two of our crates.
fn arrow(name: &str, ring: Option<Ring>, imported: &str, below: Ring, for_tests: bool) -> Option<String> {
    let Some(ring) = ring else {
        return Some(format!("{name} imports {imported}; it builds the workspace and imports none of it"));
    };
    let allowed = below < ring
        || SIDEWAYS.contains(&(name, imported))
        || (ring == Ring::Programs && RUNS_PROGRAMS.contains(&name))
        || (for_tests && TEST_DOUBLES.contains(&imported));
    let direction = if below == ring { "sideways" } else { "upwards" };
    (!allowed)
        .then(|| format!("{name} imports {imported}, which is {direction}; imports go down the rings only"))
}

/// One arrow to a library of others.
fn library(name: &str, ring: Option<Ring>, imported: &str, for_tests: bool) -> Option<String> {
    if for_tests || RUNS_PROGRAMS.contains(&name) {
        return None;
    }
    // The generated code of the wire is inert without a runtime, and cannot do without its library.
    let inner = matches!(ring, Some(Ring::Words | Ring::Rules)) && name != "joinery-proto";
    if inner && NOT_INSIDE.contains(&imported) {
        return Some(format!(
            "{name} depends on {imported}; the inner rings know no runtime, network, file or random source"
        ));
    }
    let (_, adapters) = ADAPTED_BY.iter().find(|(library, _)| *library == imported)?;
    (!adapters.contains(&name))
        .then(|| format!("{name} depends on {imported}, which stays in {}", adapters.join(", ")))
}

/// Every crate of ours that `from` links, directly or through others; what serves only tests is not linked.
fn reachable<'a>(packages: &'a [Package], from: &'a str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(name) = waiting.pop() {
        let linked = packages
            .iter()
            .filter(|package| package.name == name)
            .flat_map(|package| &package.dependencies)
            .filter(|dependency| !dependency.is_for_tests())
            .map(|dependency| dependency.name.as_str());
        for dependency in linked {
            if reached.insert(dependency) {
                waiting.push(dependency);
            }
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Dependency;

    /// Reads `a: b, dev c; d: e` as packages (`joinery-` is put before names of ours).
    fn graph(text: &str) -> Vec<Package> {
        let full = |short: &str| {
            let ours = format!("joinery-{short}");
            if RINGS.iter().any(|(name, _)| *name == ours) { ours } else { short.to_owned() }
        };
        text.split(';')
            .map(|line| {
                let (name, imports) = line.split_once(':').unwrap();
                let dependencies = imports
                    .split(',')
                    .map(str::trim)
                    .filter(|import| !import.is_empty())
                    .map(|import| match import.split_once(' ') {
                        Some((kind, name)) => Dependency { name: full(name), kind: Some(kind.to_owned()) },
                        None => Dependency { name: full(import), kind: None },
                    })
                    .collect();
                Package { name: full(name.trim()), manifest_path: String::new(), dependencies }
            })
            .collect()
    }

    /// Expects a finding for each of `expected` (a part of it), in order, and none besides.
    #[track_caller]
    fn check_graph(text: &str, expected: &[&str]) {
        let findings = check(&graph(text));
        assert_eq!(findings.len(), expected.len(), "{text}: {findings:?}");
        for (finding, part) in findings.iter().zip(expected) {
            assert!(finding.contains(part), "{text}: {finding:?} lacks {part:?}");
        }
    }

    #[test]
    fn down_is_fine() {
        check_graph(
            "model: serde; agenda: model, jiff; transport: model, seal, pki, tokio; connector: transport",
            &[],
        );
    }

    #[test]
    fn up_and_sideways_are_not() {
        check_graph("model: seal", &["joinery-model imports joinery-seal, which is upwards"]);
        check_graph("agenda: seal", &["sideways"]);
        check_graph("msgraph: daemon", &["sideways"]);
        check_graph("connector: agent", &["sideways"]);
        check_graph("agenda: dev seal", &["sideways"]);
        check_graph("xtask: model", &["imports none of it"]);
    }

    #[test]
    fn the_exceptions_are_exactly_these() {
        check_graph("store: seal", &[]);
        check_graph("seal: store", &["sideways"]);
        check_graph("tests: connector, agent, tenant; demo: tenant", &[]);
        check_graph("tenant: connector", &["sideways"]);
        check_graph("msgraph: dev tenant", &[]);
        check_graph("msgraph: tenant", &["upwards"]);
    }

    #[test]
    fn the_agent_stays_light_also_at_second_hand() {
        check_graph("agent: transport; transport: kms", &["sideways", "joinery-agent reaches joinery-kms"]);
        check_graph("agent: msgraph", &["joinery-agent reaches joinery-msgraph"]);
        check_graph("agent: dev msgraph", &[]);
    }

    #[test]
    fn the_inner_rings_know_no_outside() {
        check_graph("agenda: tokio", &["joinery-agenda depends on tokio"]);
        check_graph("store: dev tokio", &[]);
        check_graph("seal: build getrandom", &["getrandom"]);
        check_graph("daemon: tokio, getrandom", &[]);
        check_graph("proto: tonic, prost", &[]);
    }

    #[test]
    fn foreign_shapes_stay_in_their_adapters() {
        check_graph(
            "connector: prost",
            &["joinery-connector depends on prost, which stays in joinery-proto"],
        );
        check_graph("connector: rusqlite", &["which stays in joinery-store-sqlite"]);
        check_graph("kms: anyhow", &["which stays in joinery-connector"]);
        check_graph("tests: rusqlite, tonic, anyhow", &[]);
    }

    #[test]
    fn a_crate_without_a_ring_is_noticed() {
        check_graph("util: model", &["util has no ring"]);
    }
}
