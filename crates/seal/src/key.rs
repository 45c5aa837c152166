//! The content key and the payload that a key manager wraps.

use std::fmt;

use hkdf::Hkdf;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::SealError;
use crate::binding::KeyBinding;

/// First bytes of a wrapped payload: what it is, and its version.
const PAYLOAD_HEADER: [u8; 4] = *b"JDK1";
const BINDING_HASH: usize = 32;
const KEY: usize = 32;

/// A mailbox's content key of one epoch: 256 bits. Erased from memory when it is dropped; prints nothing of itself.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ContentKey([u8; KEY]);

impl ContentKey {
    /// Takes 32 random bytes.
    pub const fn from_bytes(bytes: [u8; KEY]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn expose(&self) -> &[u8; KEY] {
        &self.0
    }

    /// The key for one use. The content key itself encrypts and authenticates nothing.
    #[expect(clippy::expect_used, reason = "32 bytes are one block of SHA-256; HKDF gives up to 255")]
    pub(crate) fn sub_key(&self, usage: &str) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &self.0)
            .expand(usage.as_bytes(), key.as_mut())
            .expect("one block of output");
        key
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(..)")
    }
}

/// What a key manager wraps: `"JDK1" ‖ SHA-256(binding) ‖ key`. The binding is inside, so that every kind of key
/// manager can carry it, also one whose wrapping knows no associated data (`contracts/kms.md`, section 5).
pub fn wrap_payload(key: &ContentKey, binding: &KeyBinding<'_>) -> Zeroizing<Vec<u8>> {
    // Full size from the start: growing would leave a copy of the key behind.
    let mut payload = Zeroizing::new(Vec::with_capacity(PAYLOAD_HEADER.len() + BINDING_HASH + KEY));
    payload.extend_from_slice(&PAYLOAD_HEADER);
    payload.extend_from_slice(&Sha256::digest(binding.canonical()));
    payload.extend_from_slice(key.expose());
    payload
}

/// The content key out of an unwrapped payload.
///
/// # Errors
/// [`SealError::Malformed`] if it is no such payload, [`SealError::Misplaced`] if it was wrapped for another tenant,
/// mailbox or epoch.
pub fn unwrap_payload(payload: &[u8], binding: &KeyBinding<'_>) -> Result<ContentKey, SealError> {
    let rest = payload.strip_prefix(&PAYLOAD_HEADER).ok_or(SealError::Malformed)?;
    let (hash, key) = rest.split_at_checked(BINDING_HASH).ok_or(SealError::Malformed)?;
    let key: [u8; KEY] = key.try_into().map_err(|_| SealError::Malformed)?;
    let key = ContentKey(key);
    let wanted = Sha256::digest(binding.canonical());
    if bool::from(hash.ct_eq(wanted.as_slice())) { Ok(key) } else { Err(SealError::Misplaced) }
}
