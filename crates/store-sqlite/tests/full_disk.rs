//! A disk that is full: one clear sentence, nothing lost, and on it goes when there is space again.
//!
//! The test program starts itself in a mount namespace with a small file system. Where the system does not let that
//! happen (no user namespaces), the test says so and passes.
#![expect(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

mod samples;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use joinery_model::Revision;
use joinery_store::{Store, StoreError};
use joinery_store_sqlite::Sqlite;

use samples::{ROOM, change};

const CHILD: &str = "JOINERY_TEST_FULL_DISK";
const PASSED: &str = "went through a full disk";
const SPARE: usize = 2 * 1024 * 1024;

/// Runs a shell line with `$0` a folder on a file system of its own, 4 MiB large.
fn on_a_small_disk(folder: &Path, line: &str) -> Output {
    let mount = format!("mount -t tmpfs -o size=4m tmpfs \"$0\" && {line}");
    Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &mount])
        .arg(folder)
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, folder)
        .output()
        .unwrap()
}

#[test]
fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let possible = Command::new("unshare").arg("--version").output().is_ok();
    if !possible || !on_a_small_disk(folder.path(), "true").status.success() {
        eprintln!("skipped: this system allows no mount namespace");
        return;
    }
    let run = on_a_small_disk(folder.path(), "exec \"$1\" child_on_a_small_disk --exact --nocapture");
    let text = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && text.contains(PASSED), "{text}");
}

/// Commits until that fails; gives the revision that was reached.
async fn fill(store: &Sqlite) -> (Revision, StoreError) {
    let text = "x".repeat(8000);
    let mut at = store.head(ROOM).await.unwrap().revision;
    for _ in 0..2000 {
        let n = u8::try_from(at.0 % 251).unwrap();
        match store.commit(ROOM, change(at.0, &[(n, &text)], &[])).await {
            Ok(reached) => at = reached,
            Err(error) => return (at, error),
        }
    }
    panic!("the disk takes everything");
}

/// Not a test by itself: what runs on the small disk.
#[tokio::test]
async fn child_on_a_small_disk() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let folder = Path::new(&folder);
    let path = folder.join("connector.db");
    let spare = folder.join("spare");
    fs::write(&spare, vec![1; SPARE]).unwrap();

    let store = Sqlite::open(&path).unwrap();
    let (reached, error) = fill(&store).await;
    assert_eq!(error, StoreError::Full { place: path.display().to_string() });
    assert!(error.is_retryable() && reached > Revision(10));
    let rows = store.rows(ROOM).await.unwrap();
    assert_eq!(store.head(ROOM).await.unwrap().revision, reached, "reading goes on");
    let (still, error) = fill(&store).await;
    assert_eq!((still, error.code()), (reached, "store-full"), "and it stays at what was acknowledged");

    // Stopped and started on the full disk: opens, or says the same sentence.
    drop(store);
    fs::write(folder.join("rest"), vec![1; 2 * SPARE]).unwrap_err();
    if let Err(error) = Sqlite::open(&path) {
        assert_eq!(error.code(), "store-full", "{error}");
    }
    let error = Sqlite::open(&folder.join("another.db")).unwrap_err();
    assert_eq!(error.code(), "store-full", "{error}");

    fs::remove_file(folder.join("rest")).unwrap();
    fs::remove_file(&spare).unwrap();
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.rows(ROOM).await.unwrap(), rows, "nothing was lost");
    assert_eq!(store.commit(ROOM, change(reached.0, &[(1, "again")], &[])).await, Ok(reached.next()));

    // Full once more, and this time space returns to the running store.
    fs::write(&spare, vec![1; SPARE]).unwrap();
    let (reached, error) = fill(&store).await;
    assert_eq!(error.code(), "store-full", "{error}");
    fs::remove_file(&spare).unwrap();
    assert_eq!(store.commit(ROOM, change(reached.0, &[(1, "once more")], &[])).await, Ok(reached.next()));
    store.remove_mailbox(ROOM).await.unwrap();
    assert!(store.rows(ROOM).await.unwrap().is_empty());
    drop(store);
    drop(Sqlite::open(&path).unwrap());
    println!("{PASSED}");
}
