//! What a crate's own files must have, and what those of the inner rings must not say.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::Package;

/// A file reads in one sitting. A longer one has a line that begins with [`LONG`] and gives the reason.
const MOST_LINES: usize = 600;

/// How a file says why it is long.
const LONG: &str = "// Long because ";

/// Reads of the outside. The inner rings get what these give as arguments.
const OUTSIDE: [&str; 14] = [
    "SystemTime::now",
    "Timestamp::now",
    "Zoned::now",
    "Instant::now",
    "TimeZone::system",
    "std::env",
    "env::var",
    "env::args",
    "std::fs",
    "fs::",
    "std::process",
    "OsRng",
    "SystemRandom",
    "thread_rng",
];

/// The folders whose crates see nothing of the outside.
const INNER: [&str; 8] = [
    "proto",
    "crates/model",
    "crates/joinlink",
    "crates/calendar-sync",
    "crates/agenda",
    "crates/seal",
    "crates/pki",
    "crates/store",
];

/// Every way in which the files of `package` break the rules.
pub(super) fn check_package(root: &Path, package: &Package) -> Result<Vec<String>> {
    let manifest = Path::new(&package.manifest_path);
    let folder = manifest.parent().context("a manifest lies in a folder")?;
    let shown = folder.strip_prefix(root).unwrap_or(folder);
    let mut findings = Vec::new();

    let manifest = fs::read_to_string(manifest)?;
    if !manifest.contains("[lints]\nworkspace = true") {
        findings.push(format!("{}/Cargo.toml does not take the workspace's lints", shown.display()));
    }
    let mut has_test = false;
    for path in rust_files(folder)? {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        has_test |= contains_test(&text);
        let shown_file = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        findings.extend(length(&shown_file, &text));
        if INNER.iter().any(|inner| shown == Path::new(inner)) && !is_test_file(&path) {
            findings.extend(outside(&shown_file, &text));
        }
    }
    // The wire is generated: what can be wrong with it is tested where it is generated.
    if !has_test && shown != Path::new("proto") {
        findings.push(format!("{} has no test; a crate is born with its first", shown.display()));
    }
    Ok(findings)
}

/// The Rust files under `folder`, without those of packages nested in it.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                let other = path.join("Cargo.toml").exists()
                    || path.ends_with("target")
                    || path.ends_with("generated");
                if !other {
                    waiting.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn contains_test(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| {
        line.starts_with("#[test]") || line.starts_with("#[tokio::test") || line.contains("_contract!(")
    })
}

/// Tests read fixtures and make temporary folders; they are no part of the crate.
fn is_test_file(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests") || path.iter().any(|part| part == "tests")
}

fn length(shown: &str, text: &str) -> Option<String> {
    let lines = text.lines().count();
    let explained = text.lines().any(|line| line.trim_start().starts_with(LONG));
    (lines > MOST_LINES && !explained).then(|| {
        format!(
            "{shown} has {lines} lines; split it, or say why in a line that begins with `{}`",
            LONG.trim_end()
        )
    })
}

/// The lines outside tests and comments that read something of the outside.
fn outside(shown: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((number, line)) = lines.next() {
        let code = line.split("//").next().unwrap_or_default();
        // By our custom the tests come last; a `mod tests;` only names the file that holds them.
        if code.trim() == "#[cfg(test)]"
            && lines.peek().is_some_and(|(_, next)| next.trim_end().ends_with('{'))
        {
            break;
        }
        for word in OUTSIDE {
            if says(code, word) {
                findings
                    .push(format!("{shown}:{}: {word}; the inner rings get this as an argument", number + 1));
            }
        }
    }
    findings
}

/// Whether `word` stands in `code` and is not the tail of a longer name.
fn says(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|head| head.chars().next_back());
        !before.is_some_and(|before| before.is_alphanumeric() || before == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_outside(text: &str, found: usize) {
        let findings = outside("x.rs", text);
        assert_eq!(findings.len(), found, "{text}: {findings:?}");
    }

    #[test]
    fn reads_of_the_outside_are_found_where_they_count() {
        check_outside("let now = Timestamp::now();", 1);
        check_outside("let now = jiff::Timestamp::now();", 1);
        check_outside("use std::{fs, io};\nlet text = fs::read_to_string(path)?;", 1);
        check_outside("let refs::Of(x) = y; let my_fs::X = z;", 0);
        check_outside("// Timestamp::now() would be wrong here", 0);
        check_outside("fn a() {}\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}", 0);
        check_outside("#[cfg(test)]\nmod tests;\nfn a() { std::env::var(\"X\") }", 2);
        check_outside("env!(\"CARGO_PKG_VERSION\")", 0);
    }

    #[test]
    fn a_finding_names_file_and_line() {
        let findings = outside("crates/agenda/src/lib.rs", "\n\nInstant::now();");
        assert_eq!(
            findings,
            ["crates/agenda/src/lib.rs:3: Instant::now; the inner rings get this as an argument"]
        );
    }

    #[test]
    fn long_files_give_a_reason() {
        let long = "x\n".repeat(MOST_LINES + 1);
        assert!(length("x.rs", &long).is_some());
        assert!(length("x.rs", &"x\n".repeat(MOST_LINES)).is_none());
        assert!(length("x.rs", &format!("// Long because it is one table.\n{long}")).is_none());
    }

    /// Makes a package of these files and expects this many findings.
    #[track_caller]
    fn check_files(files: &[(&str, &str)], found: usize) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join("crates/agenda").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let manifest_path = root.path().join("crates/agenda/Cargo.toml").display().to_string();
        let package = Package { name: "joinery-agenda".to_owned(), manifest_path, dependencies: vec![] };
        let findings = check_package(root.path(), &package).unwrap();
        assert_eq!(findings.len(), found, "{files:?}: {findings:?}");
    }

    #[test]
    fn a_crate_has_lints_and_a_test() {
        let lints = ("Cargo.toml", "[lints]\nworkspace = true\n");
        check_files(&[lints, ("src/lib.rs", "#[test]\nfn a() {}")], 0);
        check_files(
            &[lints, ("src/lib.rs", "fn a() {}"), ("tests/b.rs", "#[tokio::test]\nasync fn a() {}")],
            0,
        );
        check_files(&[lints, ("src/lib.rs", "fn a() {}")], 1);
        check_files(&[("Cargo.toml", "[package]"), ("src/lib.rs", "#[test]\nfn a() {}")], 1);
        check_files(&[lints, ("src/lib.rs", "std::fs::read(x);\n#[test]\nfn a() {}")], 2);
        check_files(
            &[lints, ("src/lib.rs", "mod tests;"), ("src/tests.rs", "std::fs::read(x);\n#[test]\nfn a() {}")],
            0,
        );
        check_files(
            &[lints, ("src/lib.rs", "#[test]"), ("nested/Cargo.toml", ""), ("nested/a.rs", "fs::x")],
            0,
        );
    }
}
