//! The cache file: one sealed whole, so that not even ids and revisions can be read from it, and damage is noticed.
//!
//! `JAC1` ‖ 12 random bytes ‖ number of pieces (u32, big-endian) ‖ per piece its length (u32) and the piece. A piece is
//! sealed like a record of a daemon's own, under a key that only this device has, bound to the random bytes, its place
//! and the number of pieces. Opened and joined, they are the protobuf message [`Body`].

use std::time::Duration;

use jiff::Timestamp;
use joinery_model::{DeviceKind, Epoch, MailboxId, Revision, RowId, StoreId, TenantName};
use joinery_seal::{
    ContentKey, Day, KeyBinding, RowBinding, RowKind, SealError, Sealed, SealedGrant, SealedRow, open, seal,
};
use prost::Message;
use zeroize::Zeroizing;

use super::ledger::{Held, HeldGrant, Ledger, Settings};

const MAGIC: &[u8] = b"JAC1";

/// Half of what is sealed in one piece at most.
const PIECE: usize = 512 * 1024;

/// Length of a nonce of AES-GCM.
const NONCE: usize = 12;

/// Which of a daemon's own records a cache is.
const KIND: RowKind = RowKind::Record(200);

/// The file is not a cache of this device, or it is damaged. What was in it is asked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cache is damaged ({0}); it is fetched again from the connector")]
pub struct DamagedCache(&'static str);

impl DamagedCache {
    /// A stable name for logs and scripts.
    pub const fn code(&self) -> &'static str {
        "cache-damaged"
    }
}

/// Numbers of fields never change their meaning; a reader ignores what it does not know.
#[derive(Clone, PartialEq, Message)]
struct Body {
    #[prost(message, optional, tag = "1")]
    settings: Option<SettingsBody>,
    #[prost(message, repeated, tag = "2")]
    mailboxes: Vec<MailboxBody>,
    #[prost(sint32, optional, tag = "3")]
    erased_on: Option<i32>,
    /// Milliseconds since 1970: the list was up to date then.
    #[prost(int64, optional, tag = "4")]
    as_of_ms: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
struct SettingsBody {
    #[prost(bool, tag = "1")]
    room: bool,
    #[prost(uint64, tag = "2")]
    button_lead_s: u64,
    #[prost(uint64, tag = "3")]
    past_s: u64,
    #[prost(uint64, tag = "4")]
    future_s: u64,
}

#[derive(Clone, PartialEq, Message)]
struct MailboxBody {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "2")]
    store_id: Option<Vec<u8>>,
    #[prost(uint64, tag = "3")]
    revision: u64,
    #[prost(message, repeated, tag = "4")]
    grants: Vec<GrantBody>,
    #[prost(message, repeated, tag = "5")]
    rows: Vec<RowBody>,
}

#[derive(Clone, PartialEq, Message)]
struct GrantBody {
    #[prost(uint32, tag = "1")]
    epoch: u32,
    #[prost(string, tag = "2")]
    tenant: String,
    #[prost(bytes = "vec", tag = "3")]
    encapsulated: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    ciphertext: Vec<u8>,
    /// Sealed under the granted key.
    #[prost(bytes = "vec", optional, tag = "5")]
    address: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct RowBody {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(uint64, tag = "2")]
    revision: u64,
    #[prost(sint32, tag = "3")]
    erase_after: i32,
    #[prost(bytes = "vec", tag = "4")]
    sealed: Vec<u8>,
}

/// What a cache file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cached {
    pub(super) ledger: Ledger,
    /// When the list was last known to be up to date.
    pub(super) as_of: Option<Timestamp>,
}

/// The file's bytes. `random` must be fresh for each call: the pieces' nonces are made of it.
pub(super) fn encode(cached: &Cached, key: &[u8; 32], random: [u8; NONCE]) -> Result<Vec<u8>, SealError> {
    let key = ContentKey::from_bytes(*key);
    let body = Zeroizing::new(body_of(cached).encode_to_vec());
    let count = u32::try_from(body.chunks(PIECE).count()).unwrap_or(u32::MAX);
    let mut file = Vec::with_capacity(body.len() + body.len() / 64 + 1024);
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&random);
    file.extend_from_slice(&count.to_be_bytes());
    for (piece, place) in body.chunks(PIECE).zip(0..) {
        let sealed = bound(random, place, count, |binding| seal(&key, binding, nonce(random, place), piece))?;
        let length = u32::try_from(sealed.as_bytes().len()).unwrap_or(u32::MAX);
        file.extend_from_slice(&length.to_be_bytes());
        file.extend_from_slice(sealed.as_bytes());
    }
    Ok(file)
}

/// What the file held.
pub(super) fn decode(file: &[u8], key: &[u8; 32]) -> Result<Cached, DamagedCache> {
    const CUT: DamagedCache = DamagedCache("it is cut short");
    let key = ContentKey::from_bytes(*key);
    let rest = file.strip_prefix(MAGIC).ok_or(DamagedCache("it has another format"))?;
    let (random, rest) = rest.split_first_chunk::<NONCE>().ok_or(CUT)?;
    let (count, mut rest) = rest.split_first_chunk::<4>().ok_or(CUT)?;
    let count = u32::from_be_bytes(*count);
    let mut body = Zeroizing::new(Vec::with_capacity(rest.len()));
    for place in 0..count {
        let (length, after) = rest.split_first_chunk::<4>().ok_or(CUT)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| CUT)?;
        let (piece, after) = after.split_at_checked(length).ok_or(CUT)?;
        let piece = Sealed::from_stored(piece.to_vec()).map_err(|_| DamagedCache("a piece is not whole"))?;
        let opened = bound(*random, place, count, |binding| open(&key, binding, &piece));
        body.extend_from_slice(
            &opened.map_err(|_| DamagedCache("a piece does not open with this device's key"))?,
        );
        rest = after;
    }
    if !rest.is_empty() {
        return Err(DamagedCache("something stands behind its end"));
    }
    let body = Body::decode(body.as_slice()).map_err(|_| DamagedCache("its content is not understood"))?;
    cached_of(body).ok_or(DamagedCache("its content is not understood"))
}

/// Different for each piece, in this file and, as far as chance goes, in all others.
fn nonce(random: [u8; NONCE], place: u32) -> [u8; NONCE] {
    let mut nonce = random;
    nonce.iter_mut().rev().zip(place.to_le_bytes()).for_each(|(byte, place)| *byte ^= place);
    nonce
}

/// Calls `act` with what binds a piece to its file and its place there.
fn bound<T>(random: [u8; NONCE], place: u32, count: u32, act: impl FnOnce(&RowBinding<'_>) -> T) -> T {
    let tenant = TenantName::new("");
    let id = [random.as_slice(), &place.to_be_bytes(), &count.to_be_bytes()].concat();
    let key = KeyBinding { tenant: &tenant, mailbox: MailboxId::DAEMON, epoch: Epoch::FIRST };
    act(&RowBinding { key, kind: KIND, id: &id, revision: Revision::default() })
}

fn body_of(cached: &Cached) -> Body {
    let ledger = &cached.ledger;
    Body {
        settings: ledger.settings.map(|settings| SettingsBody {
            room: match settings.kind {
                DeviceKind::Room => true,
                DeviceKind::Desktop => false,
            },
            button_lead_s: settings.button_lead.as_secs(),
            past_s: settings.past.as_secs(),
            future_s: settings.future.as_secs(),
        }),
        mailboxes: ledger.mailboxes.iter().map(|(id, held)| mailbox_body(*id, held)).collect(),
        erased_on: ledger.erased_on.map(|day| day.0),
        as_of_ms: cached.as_of.map(Timestamp::as_millisecond),
    }
}

fn mailbox_body(id: MailboxId, held: &Held) -> MailboxBody {
    MailboxBody {
        id: id.as_bytes().to_vec(),
        store_id: held.store_id.map(|id| id.as_bytes().to_vec()),
        revision: held.revision.0,
        grants: held
            .grants
            .iter()
            .map(|(epoch, grant)| GrantBody {
                epoch: epoch.0,
                tenant: grant.tenant.as_str().to_owned(),
                encapsulated: grant.sealed.encapsulated.clone(),
                ciphertext: grant.sealed.ciphertext.clone(),
                address: grant.address.as_ref().map(|sealed| sealed.as_bytes().to_vec()),
            })
            .collect(),
        rows: held
            .rows
            .values()
            .map(|row| RowBody {
                id: row.id.as_bytes().to_vec(),
                revision: row.revision.0,
                erase_after: row.erase_after.0,
                sealed: row.sealed.as_bytes().to_vec(),
            })
            .collect(),
    }
}

fn cached_of(body: Body) -> Option<Cached> {
    let settings = body.settings.map(|settings| Settings {
        kind: if settings.room { DeviceKind::Room } else { DeviceKind::Desktop },
        button_lead: Duration::from_secs(settings.button_lead_s),
        past: Duration::from_secs(settings.past_s),
        future: Duration::from_secs(settings.future_s),
    });
    let mailboxes: Option<_> = body.mailboxes.into_iter().map(held_of).collect();
    let as_of = body.as_of_ms.map(Timestamp::from_millisecond).transpose().ok()?;
    let ledger = Ledger { settings, mailboxes: mailboxes?, erased_on: body.erased_on.map(Day) };
    Some(Cached { ledger, as_of })
}

fn held_of(body: MailboxBody) -> Option<(MailboxId, Held)> {
    let grant = |grant: GrantBody| {
        let sealed = SealedGrant { encapsulated: grant.encapsulated, ciphertext: grant.ciphertext };
        let address = grant.address.and_then(|address| Sealed::from_stored(address).ok());
        (Epoch(grant.epoch), HeldGrant { tenant: TenantName::new(grant.tenant), sealed, address })
    };
    let row = |row: RowBody| {
        let id = RowId::from_slice(&row.id).ok()?;
        let sealed = Sealed::from_stored(row.sealed).ok()?;
        let row =
            SealedRow { id, revision: Revision(row.revision), erase_after: Day(row.erase_after), sealed };
        Some((id, row))
    };
    let held = Held {
        store_id: body.store_id.as_deref().map(StoreId::from_slice).transpose().ok()?,
        revision: Revision(body.revision),
        grants: body.grants.into_iter().map(grant).collect(),
        rows: body.rows.into_iter().map(row).collect::<Option<_>>()?,
    };
    Some((MailboxId::from_slice(&body.id).ok()?, held))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    /// A cache with `rows` rows and everything else that one can hold.
    fn cached(rows: u16) -> Cached {
        let tenant = TenantName::new("contoso");
        let key = KeyBinding { tenant: &tenant, mailbox: MailboxId::from_bytes([1; 16]), epoch: Epoch(1) };
        let row = |number: u16| {
            let mut id = [0; 16];
            id[..2].copy_from_slice(&number.to_be_bytes());
            let binding = RowBinding { key, kind: RowKind::Meeting, id: &id, revision: Revision(9) };
            let sealed = seal(&ContentKey::from_bytes([8; 32]), &binding, [3; 12], &[b'x'; 1000]).unwrap();
            SealedRow { id: RowId::from_bytes(id), revision: Revision(9), erase_after: Day(-5), sealed }
        };
        let mut ledger = Ledger {
            settings: Some(Settings {
                kind: DeviceKind::Room,
                button_lead: Duration::from_secs(300),
                past: Duration::from_secs(604_800),
                future: Duration::from_secs(2_678_400),
            }),
            erased_on: Some(Day(20_000)),
            ..Ledger::default()
        };
        let mailbox = MailboxId::from_bytes([1; 16]);
        ledger.snapshot(mailbox, StoreId::from_bytes([2; 16]), Revision(12), (0..rows).map(row).collect());
        let sealed = SealedGrant { encapsulated: vec![4; 32], ciphertext: vec![5; 48] };
        ledger.grant(mailbox, Epoch(1), HeldGrant { tenant, sealed, address: None });
        Cached { ledger, as_of: Some("2026-11-24T09:00:00Z".parse().unwrap()) }
    }

    #[test]
    fn what_is_written_is_read() {
        for cached in [Cached::default(), cached(0), cached(1), cached(1500)] {
            let file = encode(&cached, &KEY, [6; NONCE]).unwrap();
            assert_eq!(decode(&file, &KEY).unwrap(), cached);
        }
    }

    #[test]
    fn nothing_can_be_read_from_the_file() {
        let file = encode(&cached(3), &KEY, [6; NONCE]).unwrap();
        let holds = |needle: &[u8]| file.windows(needle.len()).any(|window| window == needle);
        assert!(!holds(b"contoso") && !holds(&[1; 16]) && !holds(&[2; 16]));
        assert_eq!(decode(&file, &[0; 32]).unwrap_err().code(), "cache-damaged");
    }

    #[test]
    fn nonces_differ_from_piece_to_piece() {
        let nonces: std::collections::BTreeSet<_> =
            (0..70_000).map(|place| nonce([0xa5; NONCE], place)).collect();
        assert_eq!(nonces.len(), 70_000);
    }

    #[test]
    fn damage_anywhere_is_noticed_and_never_a_panic() {
        let file = encode(&cached(2), &KEY, [6; NONCE]).unwrap();
        for at in 0..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert!(decode(&damaged, &KEY).is_err(), "byte {at}");
            assert!(decode(&file[..at], &KEY).is_err(), "cut at {at}");
        }
        let longer = [file.as_slice(), b"x"].concat();
        assert!(decode(&longer, &KEY).is_err());
    }

    #[test]
    fn pieces_cannot_change_places() {
        let file = encode(&cached(1500), &KEY, [6; NONCE]).unwrap();
        let head = MAGIC.len() + NONCE + 4;
        let length = |at: usize| 4 + u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
        let (first, second) = (length(head), length(head + length(head)));
        assert_eq!(first, second, "both are full pieces");
        let mut swapped = file.clone();
        swapped[head..head + first].copy_from_slice(&file[head + first..head + first + second]);
        swapped[head + first..head + first + second].copy_from_slice(&file[head..head + first]);
        assert!(decode(&swapped, &KEY).is_err());
    }
}
