use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use joinery_model::{DeploymentId, DeviceId, DeviceKind, TenantName};
use joinery_seal::{ContentKey, DeviceSecret, GrantBinding, KeyBinding, RowBinding, RowKind, grant, seal};

use super::*;

const MAILBOX: MailboxId = MailboxId::from_bytes([1; 16]);
const STORE: StoreId = StoreId::from_bytes([2; 16]);

fn now() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

fn today() -> i32 {
    Day::of(now()).0
}

fn identity() -> Identity {
    Identity {
        device: DeviceId::from_bytes([3; 16]),
        deployment: DeploymentId::from_bytes([4; 16]),
        host: "connector.example.com".into(),
        session_port: 8443,
        key: Zeroizing::new(vec![1]),
        certificate: vec![1],
        anchors: Vec::new(),
        secret: DeviceSecret::from_seed([5; 32]),
        cache_key: Zeroizing::new([6; 32]),
    }
}

fn settings() -> Settings {
    Settings {
        kind: DeviceKind::Room,
        button_lead: Duration::from_secs(300),
        past: Duration::from_secs(7 * 86_400),
        future: Duration::from_secs(31 * 86_400),
    }
}

/// The content key of an epoch.
fn content_key(epoch: u32) -> ContentKey {
    ContentKey::from_bytes([u8::try_from(epoch).unwrap(); 32])
}

fn granted(epoch: u32) -> HeldGrant {
    let tenant = TenantName::new("contoso");
    let binding = GrantBinding {
        key: KeyBinding { tenant: &tenant, mailbox: MAILBOX, epoch: Epoch(epoch) },
        device: identity().device,
    };
    let sealed = grant(&content_key(epoch), &binding, &identity().secret.public(), [8; 32]).unwrap();
    let place = RowBinding { key: binding.key, kind: RowKind::Address, id: &[], revision: Revision(0) };
    let address = seal(&content_key(epoch), &place, random().unwrap(), b"canary@contoso.example").unwrap();
    HeldGrant { tenant, sealed, address: Some(address) }
}

/// A row named `name`, written at `revision`; its subject tells both.
fn row(name: char, revision: u64, epoch: u32) -> SealedRow {
    let text = format!(
        r#"{{"event":"E","subject":"canary {name}{revision}","start":"2026-11-24T09:00:00Z","end":"2026-11-24T10:00:00Z","status":"confirmed","response":"accepted"}}"#
    );
    sealed_row(name, revision, epoch, text.as_bytes())
}

fn sealed_row(name: char, revision: u64, epoch: u32, plain: &[u8]) -> SealedRow {
    let tenant = TenantName::new("contoso");
    let (id, revision) = (RowId::from_bytes([name as u8; 16]), Revision(revision));
    let key = KeyBinding { tenant: &tenant, mailbox: MAILBOX, epoch: Epoch(epoch) };
    let binding = RowBinding { key, kind: RowKind::Meeting, id: id.as_bytes(), revision };
    let sealed = seal(&content_key(epoch), &binding, random().unwrap(), plain).unwrap();
    SealedRow { id, revision, erase_after: Day(today() + 7), sealed }
}

fn delta(from: u64, to: u64, upserts: Vec<SealedRow>) -> Delta {
    Delta { from: Revision(from), to: Revision(to), upserts, removes: Vec::new() }
}

fn shown(holdings: &Holdings) -> String {
    let subjects: Vec<String> =
        holdings.view().meetings.values().map(|meeting| meeting.subject.replace("canary ", "")).collect();
    subjects.join(" ")
}

fn ack(revision: u64) -> Answer {
    Answer::Ack(MAILBOX, Revision(revision))
}

/// A device that has had a session: settings, a grant, `a` and `b` at revision 5.
async fn holdings(folder: &Path) -> Holdings {
    let mut holdings = Holdings::open(folder, &identity());
    holdings.begin_session(now());
    assert_eq!(holdings.welcome(STORE, settings()).await, []);
    assert_eq!(holdings.grant(MAILBOX, Epoch(1), granted(1)).await, []);
    let rows = vec![row('a', 4, 1), row('b', 5, 1)];
    assert_eq!(holdings.snapshot(MAILBOX, Revision(5), rows, now()).await, [ack(5)]);
    assert_eq!(shown(&holdings), "a4 b5");
    holdings
}

#[tokio::test]
async fn what_is_acknowledged_survives_and_only_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let mut held = holdings(folder.path()).await;
    assert_eq!(held.delta(MAILBOX, delta(5, 6, vec![row('b', 6, 1), row('c', 6, 1)]), now()).await, [ack(6)]);
    assert_eq!(shown(&held), "a4 b6 c6");
    // No goodbye: as if killed.
    std::mem::forget(held);
    let again = Holdings::open(folder.path(), &identity());
    assert_eq!(shown(&again), "a4 b6 c6");
    assert_eq!(again.view().policy, Some(settings().policy()));
    assert_eq!(again.view().as_of, Some(now()));
    assert_eq!(
        again.view().lists.first().map(|list| (list.store_id, list.revision)),
        Some((Some(STORE), Revision(6)))
    );
    let address = again.view().lists.first().and_then(|list| list.address.clone());
    assert_eq!(address.map(String::from).as_deref(), Some("canary@contoso.example"));

    let files: Vec<PathBuf> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, [folder.path().join(FILE)]);
    assert_eq!(fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&files[0]).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"canary"));
}

#[tokio::test]
async fn what_is_known_is_acknowledged_again_and_a_gap_starts_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut held = holdings(folder.path()).await;
    assert_eq!(held.delta(MAILBOX, delta(3, 5, vec![]), now()).await, [ack(5)]);
    assert_eq!(held.synced(MAILBOX, Revision(5), now()).await, [ack(5)]);
    assert_eq!(held.synced(MAILBOX, Revision(7), now()).await, [ack(7)]);
    assert_eq!(held.delta(MAILBOX, delta(8, 9, vec![]), now()).await, [Answer::StartOver]);
    // Nothing is taken before the welcome of a session.
    held.begin_session(now());
    assert_eq!(held.delta(MAILBOX, delta(7, 8, vec![]), now()).await, [Answer::StartOver]);
    assert_eq!(held.snapshot(MAILBOX, Revision(8), vec![], now()).await, [Answer::StartOver]);
    assert_eq!(shown(&held), "a4 b5");
}

#[tokio::test]
async fn a_damaged_cache_is_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    drop(holdings(folder.path()).await);
    let path = folder.path().join(FILE);
    let good = fs::read(&path).unwrap();
    for damage in [Vec::new(), b"rubbish".to_vec(), good[..good.len() / 2].to_vec()] {
        fs::write(&path, damage).unwrap();
        let mut held = Holdings::open(folder.path(), &identity());
        assert_eq!(shown(&held), "");
        assert!(held.begin_session(now()).mailboxes.is_empty());
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(shown(&Holdings::open(folder.path(), &identity())), "");
}

#[tokio::test]
async fn another_identity_reads_nothing_of_the_former_cache() {
    let folder = tempfile::tempdir().unwrap();
    drop(holdings(folder.path()).await);
    let other = Identity { cache_key: Zeroizing::new([0; 32]), ..identity() };
    assert_eq!(shown(&Holdings::open(folder.path(), &other)), "");
}

#[tokio::test]
async fn a_row_of_an_unknown_epoch_is_kept_and_its_key_asked_for_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut held = holdings(folder.path()).await;
    let need = Answer::NeedGrant(MAILBOX, Epoch(2));
    assert_eq!(held.delta(MAILBOX, delta(5, 6, vec![row('c', 6, 2)]), now()).await, [need.clone(), ack(6)]);
    assert_eq!(held.delta(MAILBOX, delta(6, 7, vec![row('d', 7, 2)]), now()).await, [ack(7)]);
    assert_eq!(shown(&held), "a4 b5");
    // Another session may ask again.
    held.begin_session(now());
    held.welcome(STORE, settings()).await;
    assert_eq!(held.synced(MAILBOX, Revision(7), now()).await, [ack(7)]);
    assert_eq!(held.grant(MAILBOX, Epoch(2), granted(2)).await, []);
    assert_eq!(shown(&held), "a4 b5 c6 d7");
}

#[tokio::test]
async fn a_row_that_tells_nothing_is_reported_once_and_blocks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut held = holdings(folder.path()).await;
    let nonsense = sealed_row('n', 6, 1, b"not a meeting");
    // Sealed as `x`, put forward as `y`.
    let moved = SealedRow { id: RowId::from_bytes([b'y'; 16]), ..row('x', 6, 1) };
    let nack = |code| Answer::Nack(MAILBOX, Revision(6), code);
    assert_eq!(
        held.delta(MAILBOX, delta(5, 6, vec![nonsense, moved, row('c', 6, 1)]), now()).await,
        [nack("meeting-not-understood"), nack("seal-refused"), ack(6)]
    );
    assert_eq!(shown(&held), "a4 b5 c6");
    assert_eq!(held.view().lists.first().map(|list| (list.rows, list.unreadable)), Some((5, 2)));
    assert_eq!(held.delta(MAILBOX, delta(6, 7, vec![row('n', 7, 1)]), now()).await, [ack(7)]);
    assert_eq!(shown(&held), "a4 b5 c6 n7");
}

#[tokio::test]
async fn nothing_is_acknowledged_that_is_not_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    fs::create_dir(&state).unwrap();
    let mut held = holdings(&state).await;
    // A disk that takes nothing: the folder is gone.
    fs::rename(&state, folder.path().join("away")).unwrap();
    assert_eq!(held.delta(MAILBOX, delta(5, 6, vec![row('c', 6, 1)]), now()).await, []);
    assert_eq!(shown(&held), "a4 b5 c6", "what is shown does not wait for the disk");
    assert!(held.view().unsaved);
    assert_eq!(held.synced(MAILBOX, Revision(6), now()).await, []);
    assert_eq!(held.tend(now()).await, []);
    fs::rename(folder.path().join("away"), &state).unwrap();
    assert_eq!(held.tend(now()).await, [ack(6)]);
    assert!(!held.view().unsaved);
    assert_eq!(shown(&Holdings::open(&state, &identity())), "a4 b5 c6");
}

#[tokio::test]
async fn rows_are_erased_by_the_own_clock_and_fetched_again_if_it_was_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let mut held = holdings(folder.path()).await;
    assert_eq!(held.tend(now()).await, []);
    assert_eq!(shown(&held), "a4 b5");
    let year = Duration::from_secs(365 * 86_400);
    held.tend(now() + year).await;
    assert_eq!(shown(&held), "");
    let mut held = Holdings::open(folder.path(), &identity());
    assert_eq!(shown(&held), "", "erased on disk too");
    let positions = |ledger: &Ledger| ledger.mailboxes.values().map(|held| held.store_id).collect::<Vec<_>>();
    assert_eq!(positions(held.begin_session(now() + year)), [Some(STORE)]);
    assert_eq!(positions(held.begin_session(now())), [None]);
}

#[tokio::test]
async fn a_device_that_may_hold_nothing_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut held = holdings(folder.path()).await;
    held.forget_everything().await;
    assert_eq!(shown(&held), "");
    let mut again = Holdings::open(folder.path(), &identity());
    assert!(again.begin_session(now()).mailboxes.is_empty() && again.view().policy.is_none());
}

#[tokio::test]
async fn the_list_was_up_to_date_until_the_session_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut held = holdings(folder.path()).await;
    let later = now() + Duration::from_secs(3600);
    held.end_session(later).await;
    held.end_session(later + Duration::from_secs(3600)).await;
    assert_eq!(Holdings::open(folder.path(), &identity()).view().as_of, Some(later));
}
