//! Finding something sealed without storing what it is found by.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use joinery_model::{EventId, RowId};
use sha2::Sha256;

use crate::binding::Canonical;
use crate::key::ContentKey;

const ROW_ID_DOMAIN: &str = "row id";

/// A keyed hash of a value, stored in its place: the same value gives the same index, and nothing else can be learned
/// from it without the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlindIndex(pub [u8; 16]);

impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlindIndex(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// The index of `value` among the values of `domain`: HMAC-SHA-256 under a sub-key, cut to 128 bits
/// (`contracts/kms.md`, section 5).
#[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
pub fn blind_index(key: &ContentKey, domain: &str, value: &[u8]) -> BlindIndex {
    let sub_key = key.sub_key("index");
    let mut mac = Hmac::<Sha256>::new_from_slice(sub_key.as_ref()).expect("a key of any length");
    mac.update(&Canonical::new(domain).field(value).0);
    let full: [u8; 32] = mac.finalize().into_bytes().into();
    let mut index = [0; 16];
    index.iter_mut().zip(full).for_each(|(to, from)| *to = from);
    BlindIndex(index)
}

/// The id of an event's row. `first` is the mailbox's key of [`Epoch::FIRST`](joinery_model::Epoch::FIRST) whatever
/// epoch is current: a row keeps its id when the key is rotated.
pub fn row_id(first: &ContentKey, event: &EventId) -> RowId {
    RowId::from_bytes(blind_index(first, ROW_ID_DOMAIN, event.as_str().as_bytes()).0)
}
