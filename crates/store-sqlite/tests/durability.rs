//! Killed at any moment, the store has everything that it acknowledged.
//!
//! The test program starts itself as a child that commits and says each revision that it got; the parent kills it
//! with SIGKILL and looks what is there.
#![expect(clippy::unwrap_used, reason = "this is a test")]

mod samples;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use joinery_model::{Epoch, MailboxId, Revision, RowId};
use joinery_seal::SealedRow;
use joinery_store::{Changes, Commit, Store, StoredKey};
use joinery_store_sqlite::Sqlite;

use samples::{ROOM, change};

const CHILD: &str = "JOINERY_TEST_COMMIT_INTO";
const KILLS: u32 = 50;
const LONGEST_LIFE: u64 = 60;

/// What leads from `from` to the next revision: depends on the revision only, so that the parent knows the list of
/// each revision.
fn step(from: u64) -> Commit {
    let n = |k: u64| u8::try_from((from * 7 + k) % 24).unwrap();
    let text = format!("revision {}", from + 1);
    let removes: &[u8] = if from.is_multiple_of(3) { &[n(11), n(12)] } else { &[] };
    change(from, &[(n(0), &text), (n(1), &text), (n(2), &text)], removes)
}

fn apply(list: &mut BTreeMap<RowId, SealedRow>, commit: Commit) {
    list.retain(|id, _| !commit.removes.contains(id));
    list.extend(commit.upserts.into_iter().map(|row| (row.id, row)));
}

/// Not a test by itself: what the parent starts and kills.
#[tokio::test]
async fn child_that_commits() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let store = Sqlite::open(Path::new(&path)).unwrap();
    let mut at = store.head(ROOM).await.unwrap().revision;
    loop {
        at = store.commit(ROOM, step(at.0)).await.unwrap();
        let key = StoredKey {
            mailbox: MailboxId::DAEMON,
            epoch: Epoch(u32::try_from(at.0).unwrap()),
            wrapped: at.0.to_be_bytes().to_vec(),
        };
        store.add_key(key).await.unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {at}").unwrap();
        out.flush().unwrap();
    }
}

fn start(path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["child_that_commits", "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Lets the child live for a while; gives the last revision that it got acknowledged.
fn run_and_kill(path: &Path, life: Duration) -> u64 {
    let mut child = start(path);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let revision = |line: String| line.split_once("acknowledged ").and_then(|(_, n)| n.parse().ok());
    let mut last = lines.by_ref().find_map(revision).unwrap_or(0);
    let end = Instant::now() + life;
    while Instant::now() < end {
        match lines.next() {
            Some(line) => last = revision(line).unwrap_or(last),
            None => break,
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines.filter_map(revision).last().unwrap_or(last)
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_when_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("connector.db");
    let mut dice: u64 = 0x0dd5;
    let mut expected = (Revision(0), BTreeMap::new());
    let mut device: (Revision, BTreeMap<RowId, SealedRow>) = Default::default();
    for kill in 0..KILLS {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let acknowledged = run_and_kill(&path, Duration::from_millis((dice >> 33) % LONGEST_LIFE));

        let store = Sqlite::open(&path).unwrap();
        let reached = store.head(ROOM).await.unwrap().revision;
        assert!(reached.0 >= acknowledged, "kill {kill}: at {reached}, {acknowledged} was acknowledged");
        let keys = u64::try_from(store.keys(MailboxId::DAEMON).await.unwrap().len()).unwrap();
        assert!((acknowledged..=reached.0).contains(&keys), "kill {kill}: {keys} keys at {reached}");

        while expected.0 < reached {
            apply(&mut expected.1, step(expected.0.0));
            expected.0 = expected.0.next();
        }
        let rows = store.rows(ROOM).await.unwrap();
        assert_eq!(rows, expected.1.values().cloned().collect::<Vec<_>>(), "kill {kill}");

        match store.changes(ROOM, device.0).await.unwrap() {
            Changes::Same { revision } => assert_eq!(revision, device.0),
            Changes::Delta { to, upserts, removes, .. } => {
                device.1.retain(|id, _| !removes.contains(id));
                device.1.extend(upserts.into_iter().map(|row| (row.id, row)));
                assert_eq!(to, reached);
            }
            Changes::Snapshot { rows, .. } => device.1 = rows.into_iter().map(|row| (row.id, row)).collect(),
        }
        device.0 = reached;
        assert_eq!(device.1, expected.1, "kill {kill}: what a device that follows holds");

        // A kill between a commit and its key leaves a gap that the child would fill again: close it here.
        if keys < reached.0 {
            let epoch = Epoch(u32::try_from(reached.0).unwrap());
            store.add_key(StoredKey { mailbox: MailboxId::DAEMON, epoch, wrapped: vec![1] }).await.unwrap();
        }
    }
    assert!(expected.0 > Revision(u64::from(KILLS)), "only {} commits in all", expected.0);
}

/// Kills at moments before the first commit: while the file and its schema are made, or a log is read back.
#[tokio::test]
async fn killed_while_opening_it_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut made = 0;
    for kill in 0..30 {
        let path = folder.path().join(format!("{}.db", kill % 10));
        let mut child = start(&path);
        let end = Instant::now() + Duration::from_micros(1500 + 400 * kill);
        while Instant::now() < end {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        made += u32::from(path.exists());
        let store = Sqlite::open(&path).unwrap();
        let reached = store.head(ROOM).await.unwrap().revision;
        assert_eq!(store.commit(ROOM, step(reached.0)).await, Ok(reached.next()));
    }
    assert!(made > 20, "killed before the file was there in all but {made} of 30");
}
