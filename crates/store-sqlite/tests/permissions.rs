//! Files and folders that the connector's user may not use.
//!
//! Root may use everything, so the test program starts itself as another user where it runs as root.
#![expect(clippy::unwrap_used, reason = "this is a test")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use joinery_store_sqlite::Sqlite;

const CHILD: &str = "JOINERY_TEST_OPEN";
const NOBODY: u32 = 65534;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What opening says to somebody who is not root; `None` where no such user can be had.
fn opened_by_another(path: &Path) -> Option<String> {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["child_that_opens", "--exact", "--nocapture"]).env(CHILD, path);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        child.uid(NOBODY).gid(NOBODY);
    }
    match child.output() {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(error) => {
            eprintln!("skipped: no process as another user: {error}");
            None
        }
    }
}

/// Not a test by itself: what runs as another user.
#[test]
fn child_that_opens() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    match Sqlite::open(Path::new(&path)) {
        Ok(_) => println!("opened"),
        Err(error) => println!("{}: {error}", error.code()),
    }
}

fn check(path: &Path, says: &str) {
    if let Some(told) = opened_by_another(path) {
        assert!(told.contains(says), "{told}");
        assert!(says == "opened" || told.contains(path.to_str().unwrap()), "{told}");
    }
}

#[test]
fn what_may_not_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("connector.db");
    set_mode(folder.path(), 0o777);
    check(&path, "opened");
    let _ = fs::remove_file(&path);

    set_mode(folder.path(), 0o555);
    check(&path, "store-permission: ");

    set_mode(folder.path(), 0o777);
    check(&path, "opened");
    if !path.exists() {
        return;
    }
    set_mode(folder.path(), 0o555);
    check(&path, "store-permission: ");
    set_mode(folder.path(), 0o777);
    set_mode(&path, 0o000);
    check(&path, "store-permission: ");
    set_mode(&path, 0o400);
    check(&path, "store-permission: ");
    set_mode(&path, 0o600);
    check(&path, "opened");
}
