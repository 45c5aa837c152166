//! The file on the disk: its protection, its integrity, its schema, and what stays in it.
#![expect(clippy::unwrap_used, reason = "this is a test")]

mod samples;

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use joinery_model::{Epoch, Revision};
use joinery_seal::BlindIndex;
use joinery_store::{Record, RecordKind, Store, StoreError, StoredKey};
use joinery_store_sqlite::Sqlite;
use rusqlite::Connection;
use tempfile::TempDir;

use samples::{ROOM, change, row, sealed};

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("connector.db");
    (folder, path)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// A closed database with some rows, records and keys in it.
async fn filled(path: &Path) {
    let store = Sqlite::open(path).unwrap();
    for from in 0..40 {
        let n = u8::try_from(from).unwrap();
        store.commit(ROOM, change(from, &[(n, "row")], &[])).await.unwrap();
    }
    store.add_key(StoredKey { mailbox: ROOM, epoch: Epoch::FIRST, wrapped: vec![0x77; 64] }).await.unwrap();
}

/// Opening fails with this code, names the file, and says this.
fn refused(path: &Path, code: &str, says: &str) {
    let error = Sqlite::open(path).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    let sentence = error.to_string();
    assert!(sentence.contains(path.to_str().unwrap()) && sentence.contains(says), "{sentence}");
    assert!(!error.is_retryable(), "{sentence}");
}

#[tokio::test]
async fn a_look_at_the_keys_leaves_nothing_behind() {
    let (folder, path) = place();
    filled(&path).await;
    let before = fs::read(&path).unwrap();
    let keys = Sqlite::keys_at_rest(&path, ROOM).unwrap();
    assert_eq!(
        keys.iter().map(|key| (key.epoch, key.wrapped.len())).collect::<Vec<_>>(),
        [(Epoch::FIRST, 64)]
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is made beside it");
    fs::write(&path, b"").unwrap();
    assert!(Sqlite::keys_at_rest(&path, ROOM).unwrap().is_empty());
    fs::write(&path, vec![0x5a; 8192]).unwrap();
    assert_eq!(Sqlite::keys_at_rest(&path, ROOM).unwrap_err().code(), "store-corrupt");
    fs::remove_file(&path).unwrap();
    assert!(Sqlite::keys_at_rest(&path, ROOM).unwrap_err().to_string().contains(path.to_str().unwrap()));
}

#[tokio::test]
async fn the_files_are_private() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    store.commit(ROOM, change(0, &[(1, "a")], &[])).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&beside(&path, suffix)), 0o600, "{suffix}");
    }
    drop(store);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(Sqlite::open(&path).unwrap());
    assert_eq!(mode(&path), 0o600, "an exposed file is closed to others again");
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    let id = store.store_id().await.unwrap();
    let mut first = change(0, &[(1, "a"), (2, "b")], &[]);
    first.state = Some(sealed("state", 9));
    store.commit(ROOM, first).await.unwrap();
    store.commit(ROOM, change(1, &[], &[2])).await.unwrap();
    let before = (store.head(ROOM).await, store.rows(ROOM).await, store.changes(ROOM, Revision(1)).await);
    drop(store);
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(store.store_id().await.unwrap(), id);
    let after = (store.head(ROOM).await, store.rows(ROOM).await, store.changes(ROOM, Revision(1)).await);
    assert_eq!(after, before);
    let (_other_folder, other) = place();
    assert_ne!(Sqlite::open(&other).unwrap().store_id().await.unwrap(), id, "each database has its own life");
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    refused(&folder.path().join("missing/connector.db"), "store-missing", "create it");
}

#[test]
fn a_folder_in_its_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = Sqlite::open(folder.path()).unwrap_err();
    assert_eq!(error.code(), "store-failed", "{error}");
    assert!(error.to_string().contains(folder.path().to_str().unwrap()));
}

#[tokio::test]
async fn a_damaged_file_is_refused_and_not_touched() {
    let (_folder, path) = place();
    filled(&path).await;
    let good = fs::read(&path).unwrap();
    let page = |n: usize| n * 4096;
    let mut overwritten = good.clone();
    for byte in &mut overwritten[page(2)..page(4)] {
        *byte ^= 0x5a;
    }
    let mut no_header = good.clone();
    no_header[..64].fill(0xee);
    let cases: [(&str, &[u8]); 4] = [
        ("overwritten in the middle", &overwritten),
        ("another header", &no_header),
        ("cut short", &good[..page(3) + 100]),
        ("a text", &b"this is not a database, but long enough to look like one\n".repeat(100)),
    ];
    for (what, bytes) in cases {
        fs::write(&path, bytes).unwrap();
        refused(&path, "store-corrupt", "restore a backup");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{what}");
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(Sqlite::open(&path).unwrap().rows(ROOM).await.unwrap().len(), 40);
}

#[tokio::test]
async fn damage_that_comes_while_running_is_told() {
    let (_folder, path) = place();
    filled(&path).await;
    let store = Sqlite::open(&path).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    let length = usize::try_from(file.metadata().unwrap().len()).unwrap();
    file.write_all_at(&vec![0x5a; length - 4096], 4096).unwrap();
    let error = store.rows(ROOM).await.unwrap_err();
    assert_eq!(error.code(), "store-corrupt", "{error}");
}

#[test]
fn another_programs_database_is_refused() {
    let (_folder, path) = place();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    let before = fs::read(&path).unwrap();
    refused(&path, "store-corrupt", "another program");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let (_folder, path) = place();
    filled(&path).await;
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    refused(&path, "store-newer", "has schema 99, this program knows up to 1");
}

#[tokio::test]
async fn a_locked_database_is_busy_and_then_works() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.commit(ROOM, change(0, &[(1, "a")], &[])).await.unwrap_err();
    assert_eq!(error.code(), "store-busy", "{error}");
    assert!(error.is_retryable());
    assert_eq!(store.head(ROOM).await.unwrap().revision, Revision(0), "reading goes on meanwhile");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.commit(ROOM, change(0, &[(1, "a")], &[])).await, Ok(Revision(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_openings_of_one_file_lose_nothing() {
    let (_folder, path) = place();
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..4 {
        let path = path.clone();
        writers.spawn(async move {
            let store = Sqlite::open(&path).unwrap();
            let mut done = 0;
            while done < 25 {
                let at = store.head(ROOM).await.unwrap().revision;
                match store.commit(ROOM, change(at.0, &[(n, "counted")], &[])).await {
                    Ok(reached) => {
                        assert_eq!(reached, at.next());
                        done += 1;
                    }
                    Err(StoreError::Conflict { at: now, .. }) => assert!(now > at),
                    Err(other) => panic!("{other}"),
                }
            }
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    assert_eq!(Sqlite::open(&path).unwrap().head(ROOM).await.unwrap().revision, Revision(100));
}

/// What may rest in the clear is listed here. A new column needs a reason, and a line in the threat model.
#[test]
fn only_these_columns_exist() {
    let (_folder, path) = place();
    drop(Sqlite::open(&path).unwrap());
    let db = Connection::open(&path).unwrap();
    let mut query = db
        .prepare(
            "SELECT t.name || '.' || c.name || ' ' || c.type FROM sqlite_schema t, pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid",
        )
        .unwrap();
    let columns: Vec<String> = query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let opaque_ids =
        ["store.id BLOB", "record.id BLOB", "mailbox.id BLOB", "meeting.id BLOB", "tombstone.id BLOB"];
    let whose = ["content_key.mailbox BLOB", "meeting.mailbox BLOB", "tombstone.mailbox BLOB"];
    let revisions = [
        "mailbox.revision INTEGER",
        "mailbox.floor INTEGER",
        "meeting.revision INTEGER",
        "tombstone.revision INTEGER",
        "content_key.epoch INTEGER",
    ];
    let erase_days = ["meeting.erase_after INTEGER", "tombstone.erase_after INTEGER"];
    let kinds_and_indexes = ["record.kind INTEGER", "record.lookup BLOB", "store.only INTEGER"];
    let sealed =
        ["record.sealed BLOB", "meeting.sealed BLOB", "mailbox.state BLOB", "content_key.wrapped BLOB"];
    let mut allowed: Vec<&str> = Vec::new();
    for group in [&opaque_ids[..], &whose, &revisions, &erase_days, &kinds_and_indexes, &sealed] {
        allowed.extend(group);
    }
    for column in &columns {
        assert!(allowed.contains(&column.as_str()), "{column} may not rest in the clear");
    }
    assert_eq!(columns.len(), allowed.len());
}

/// Whether a piece of any of the values is in one of the database's files.
fn lingers(path: &Path, values: &[Vec<u8>]) -> bool {
    ["", "-wal", "-shm"].iter().any(|suffix| {
        let bytes = fs::read(beside(path, suffix)).unwrap_or_default();
        values.iter().any(|value| {
            let pieces = value.chunks_exact(32);
            pieces.clone().any(|piece| bytes.windows(piece.len()).any(|window| window == piece))
        })
    })
}

#[tokio::test]
async fn a_removed_mailbox_leaves_no_bytes() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    let mut first = change(0, &[(1, "subject"), (2, "a longer subject")], &[]);
    first.state = Some(sealed("state", 77));
    let mut values: Vec<Vec<u8>> =
        first.upserts.iter().map(|row| row.sealed.as_bytes()[17..].to_vec()).collect();
    values.push(sealed("state", 77).into_bytes()[17..].to_vec());
    store.commit(ROOM, first).await.unwrap();
    store.commit(ROOM, change(1, &[(1, "subject, moved")], &[])).await.unwrap();
    values.push(row(1, 2, "subject, moved").sealed.as_bytes()[17..].to_vec());
    let wrapped: Vec<u8> = (0..96).map(|n: u8| n.wrapping_mul(37)).collect();
    store.add_key(StoredKey { mailbox: ROOM, epoch: Epoch::FIRST, wrapped: wrapped.clone() }).await.unwrap();
    values.push(wrapped);
    for value in &values[2..] {
        assert!(lingers(&path, std::slice::from_ref(value)), "the search finds what is there");
    }
    store.remove_mailbox(ROOM).await.unwrap();
    assert!(!lingers(&path, &values), "gone when the call returns");
}

#[tokio::test]
async fn what_was_erased_is_gone_soon() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    store.commit(ROOM, change(0, &[(1, "cancelled"), (2, "stays")], &[])).await.unwrap();
    let record = Record {
        kind: RecordKind::Invitation,
        id: [3; 16],
        index: Some(BlindIndex([4; 16])),
        sealed: sealed("code", 5),
    };
    store.put_record(record.clone()).await.unwrap();
    let values =
        [row(1, 1, "cancelled").sealed.as_bytes()[17..].to_vec(), record.sealed.as_bytes()[17..].to_vec()];
    assert!(lingers(&path, &values[..1]) && lingers(&path, &values[1..]));
    store.commit(ROOM, change(1, &[], &[1])).await.unwrap();
    assert!(store.delete_record(RecordKind::Invitation, [3; 16]).await.unwrap());
    let deadline = Instant::now() + Duration::from_secs(10);
    while lingers(&path, &values) {
        assert!(Instant::now() < deadline, "erased content stays in the files");
        tokio::task::yield_now().await;
    }
    assert!(lingers(&path, &[row(2, 1, "stays").sealed.as_bytes()[17..].to_vec()]));
}

#[tokio::test]
async fn a_reader_in_the_way_only_delays_erasure() {
    let (_folder, path) = place();
    let store = Sqlite::open(&path).unwrap();
    store.commit(ROOM, change(0, &[(1, "cancelled")], &[])).await.unwrap();
    let values = [row(1, 1, "cancelled").sealed.as_bytes()[17..].to_vec()];
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN; SELECT count(*) FROM meeting;").unwrap();
    store.remove_mailbox(ROOM).await.unwrap();
    other.execute_batch("COMMIT").unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while lingers(&path, &values) {
        assert!(Instant::now() < deadline, "erased content stays in the files");
        tokio::task::yield_now().await;
    }
}
