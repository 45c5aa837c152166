//! The program as a person calls it where something is missing or wrong: one sentence that says what to do, on standard
//! error, and the documented exit code.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Stdio};

/// Calls the program with its state under `folder`.
fn call(folder: &Path, config: &str, words: &[&str]) -> (i32, String, String) {
    let path = folder.join("agent.toml");
    std::fs::write(&path, config.replace("STATE", folder.join("state").to_str().unwrap())).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_joinery-agent"))
        .arg("--config")
        .arg(path)
        .args(words)
        .env_remove("RUST_LOG")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

const PLAIN: &str = "[agent]\nstate_dir = \"STATE\"\n";

#[track_caller]
fn check(config: &str, words: &[&str], exit: i32, told: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = call(folder.path(), config, words);
    assert_eq!(code, exit, "{words:?}: {out}{err}");
    for word in told {
        assert!(err.contains(word), "{words:?}: {err:?} lacks {word:?}");
    }
    assert_eq!(err.lines().count(), 1, "one sentence: {err}");
}

#[test]
fn a_wrong_configuration_ends_with_2_and_says_where() {
    check("[agent]\nstate = \"x\"\n", &["meetings"], 2, &["agent.toml, line 2", "`state`"]);
    check("[driver.panel]\nlisten = \"x\"\n", &["run"], 2, &["driver.panel", "no such driver yet"]);
}

#[test]
fn what_is_missing_is_said() {
    check(PLAIN, &["meetings"], 1, &["not enrolled", "joinery-agent enroll"]);
    check(PLAIN, &["join"], 1, &["not enrolled"]);
    check(PLAIN, &["watch"], 1, &["agent.sock", "start the daemon"]);
    check(PLAIN, &["status"], 1, &["does not run", "joinery-agent run"]);
    check(PLAIN, &["enroll"], 2, &["--connector HOST --code CODE"]);
    check(PLAIN, &["enroll", "joinery://x:1/enroll/12"], 2, &["activation code", "16"]);
    check(
        PLAIN,
        &["enroll", "--connector", "127.0.0.1:1", "--code", "0123456789012345"],
        1,
        &["127.0.0.1:1", "cannot be reached", "run the same command again"],
    );
}

#[test]
fn status_is_json_also_without_a_daemon() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, _) = call(folder.path(), PLAIN, &["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &status["running"], &status["enrolled"]), (1, &false.into(), &false.into()));
    assert_eq!(status["problem"]["code"], "not-enrolled");
}

#[test]
fn a_damaged_identity_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir_all(state.join("identity")).unwrap();
    std::fs::write(state.join("identity/ids.json"), "{").unwrap();
    let (code, _, err) = call(folder.path(), PLAIN, &["meetings"]);
    assert!(code == 1 && err.contains("damaged") && err.contains("enroll this device again"), "{err}");
}

#[test]
fn help_and_version_are_no_errors() {
    for words in [&["--help"][..], &["--version"], &["enroll", "--help"]] {
        let (code, out, err) = call(tempfile::tempdir().unwrap().path(), PLAIN, words);
        assert!(code == 0 && !out.is_empty() && err.is_empty(), "{words:?}");
    }
    let (code, _, err) = call(tempfile::tempdir().unwrap().path(), PLAIN, &["respond", "1", "accept"]);
    assert!(code == 2 && err.contains("respond"), "{err}");
}
