//! The cases of the join-address policy: every one must get the expected answer. Prints the pass rate by tag.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// What the answer to a case has wrong.
fn differences(case: &Value, answer: &Value) -> Vec<String> {
    let tags: Vec<&str> = case["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let expect = case["expect"].as_object().into_iter().flatten();
    let mut wanted: Vec<(&str, Value)> = expect.map(|(name, value)| (name.as_str(), value.clone())).collect();
    let keyword_only = tags.contains(&"keyword") && wanted.iter().all(|(name, _)| *name != "url");
    if keyword_only {
        wanted.retain(|(name, _)| *name == "keyword");
    } else {
        wanted.extend(case.get("provider").map(|provider| ("provider", provider.clone())));
    }
    wanted
        .into_iter()
        .filter(|(name, want)| comparable(name, want) != comparable(name, &answer[*name]))
        .map(|(name, want)| format!("{name}: want {want}, got {}", answer[name]))
        .collect()
}

/// Scheme and host of a link, and a dialled address, are compared without regard to case; one slash at a link's end
/// does not matter.
fn comparable(name: &str, value: &Value) -> Option<String> {
    let text = value.as_str()?;
    Some(match name {
        "sip" => text.to_lowercase(),
        "url" => {
            let host = text.find("://").map_or(0, |at| at + 3);
            let end = text[host..].find(['/', '?', '#']).map_or(text.len(), |at| host + at);
            let (front, rest) = text.split_at(end);
            format!("{}{}", front.to_lowercase(), rest.strip_suffix('/').unwrap_or(rest))
        }
        _ => text.to_owned(),
    })
}

/// Invitations as their services send them.
#[test]
fn every_case_of_the_policy_is_answered_as_expected() {
    check("dev.jsonl");
}

/// Each sentence of the policy by itself, its borders included.
#[test]
fn every_rule_of_the_policy_holds() {
    check("rules.jsonl");
}

fn check(file: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/links").join(file);
    let cases = std::fs::read_to_string(file).unwrap();
    let mut by_tag: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut failures = Vec::new();
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let answer: Value = serde_json::from_str(&joinery_joinlink::explain_line(line).unwrap()).unwrap();
        let wrong = differences(&case, &answer);
        for tag in case["tags"].as_array().unwrap() {
            let (passed, all) = by_tag.entry(tag.as_str().unwrap().to_owned()).or_default();
            *all += 1;
            *passed += usize::from(wrong.is_empty());
        }
        if !wrong.is_empty() {
            failures.push(format!("{}: {} ({})", case["id"], wrong.join("; "), answer["why"]));
        }
    }
    for (tag, (passed, all)) in &by_tag {
        println!("{tag:>24} {passed:>4} of {all}");
    }
    println!(
        "{:>24} {:>4} of {}",
        "all cases",
        cases.lines().count() - failures.len(),
        cases.lines().count()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
