//! Sealed rows: the one ciphertext of a meeting, from ingest to the device that opens it.
//!
//! `0x01 ‖ epoch (u32 BE) ‖ nonce (12) ‖ AES-256-GCM(padded plaintext)`, the associated data being the binding
//! (`contracts/kms.md`, section 5). Padded plaintext: length (u32 BE) ‖ plaintext ‖ zeros, to whole steps of 256 bytes.

use std::fmt;

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use joinery_model::{Epoch, Revision, RowId};
use zeroize::Zeroizing;

use crate::SealError;
use crate::binding::RowBinding;
use crate::day::Day;
use crate::key::ContentKey;

/// Sizes show only in steps of this many bytes.
pub const PAD_STEP: usize = 256;

/// Largest plaintext, in bytes. Far above any meeting (bodies are not part of one), and well within the
/// wire's message limit of 4 MiB.
pub const MAX_PLAINTEXT: usize = 1024 * 1024 - PAD_STEP;

const VERSION: u8 = 1;
const EPOCH: usize = 4;
const NONCE: usize = 12;
const HEADER: usize = 1 + EPOCH + NONCE;
const TAG: usize = 16;
const LENGTH: usize = 4;

/// Something sealed. Made by [`seal`] only, or read back from where it was kept: so nothing in clear can be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    bytes: Vec<u8>,
    epoch: Epoch,
}

impl Sealed {
    /// Takes back what was stored, sent or cached.
    ///
    /// # Errors
    /// [`SealError::Malformed`] or [`SealError::UnknownVersion`] if it has not the outer shape of something sealed.
    /// Whether it opens, only [`open`] can say.
    pub fn from_stored(bytes: Vec<u8>) -> Result<Self, SealError> {
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&version) => return Err(SealError::UnknownVersion { version }),
            None => return Err(SealError::Malformed),
        }
        let padded = bytes.len().checked_sub(HEADER + TAG).ok_or(SealError::Malformed)?;
        if padded == 0 || padded % PAD_STEP != 0 {
            return Err(SealError::Malformed);
        }
        let epoch =
            bytes.get(1..).and_then(|rest| rest.first_chunk::<EPOCH>()).ok_or(SealError::Malformed)?;
        let epoch = Epoch(u32::from_be_bytes(*epoch));
        Ok(Self { bytes, epoch })
    }

    /// The bytes to store or send.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes to store or send, without a copy.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Which of the mailbox's keys opens it.
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed(epoch {}, {} bytes)", self.epoch, self.bytes.len())
    }
}

/// One row of a meeting list, as it is stored, sent and cached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedRow {
    /// Keyed hash of the event's id.
    pub id: RowId,
    /// The revision that wrote it; part of what it is bound to.
    pub revision: Revision,
    /// The last day on which it may be kept.
    pub erase_after: Day,
    /// The meeting.
    pub sealed: Sealed,
}

/// Seals `plaintext` for one place. The nonce must be fresh random: one that repeats under the same key breaks both
/// rows. A key is good for 2^32 seals; a new epoch starts long before (`contracts/kms.md`, section 5).
///
/// # Errors
/// [`SealError::TooLarge`] above [`MAX_PLAINTEXT`].
pub fn seal(
    key: &ContentKey,
    binding: &RowBinding<'_>,
    nonce: [u8; NONCE],
    plaintext: &[u8],
) -> Result<Sealed, SealError> {
    let epoch = binding.key.epoch;
    let mut padded = pad(plaintext)?;
    let tag = cipher(key)
        .encrypt_inout_detached(&nonce.into(), &binding.canonical(), padded.as_mut_slice().into())
        .map_err(|_| SealError::TooLarge { bytes: plaintext.len(), limit: MAX_PLAINTEXT })?;
    let mut bytes = Vec::with_capacity(HEADER + padded.len() + TAG);
    bytes.push(VERSION);
    bytes.extend_from_slice(&epoch.0.to_be_bytes());
    bytes.extend_from_slice(&nonce);
    bytes.extend_from_slice(&padded);
    bytes.extend_from_slice(&tag);
    Ok(Sealed { bytes, epoch })
}

/// Opens what was sealed for exactly this place.
///
/// # Errors
/// [`SealError::WrongEpoch`] if the binding is not of the epoch that the data states, [`SealError::Refused`] if it
/// was changed, moved, or sealed with another key.
pub fn open(
    key: &ContentKey,
    binding: &RowBinding<'_>,
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    if sealed.epoch != binding.key.epoch {
        return Err(SealError::WrongEpoch { sealed: sealed.epoch, expected: binding.key.epoch });
    }
    let (header, body) = sealed.bytes.split_at_checked(HEADER).ok_or(SealError::Malformed)?;
    let nonce: [u8; NONCE] = *header.last_chunk().ok_or(SealError::Malformed)?;
    let (body, tag) = body.split_last_chunk::<TAG>().ok_or(SealError::Malformed)?;
    let mut padded = Zeroizing::new(body.to_vec());
    cipher(key)
        .decrypt_inout_detached(
            &nonce.into(),
            &binding.canonical(),
            padded.as_mut_slice().into(),
            &(*tag).into(),
        )
        .map_err(|_| SealError::Refused)?;
    unpad(&padded)
}

fn cipher(key: &ContentKey) -> Aes256Gcm {
    let row_key = key.sub_key("row");
    Aes256Gcm::new((&*row_key).into())
}

fn pad(plaintext: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let too_large = || SealError::TooLarge { bytes: plaintext.len(), limit: MAX_PLAINTEXT };
    if plaintext.len() > MAX_PLAINTEXT {
        return Err(too_large());
    }
    let length = u32::try_from(plaintext.len()).map_err(|_| too_large())?;
    let whole = (LENGTH + plaintext.len()).next_multiple_of(PAD_STEP);
    let mut padded = Zeroizing::new(Vec::with_capacity(whole));
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(plaintext);
    padded.resize(whole, 0);
    Ok(padded)
}

/// Accepts exactly what [`pad`] makes: one plaintext has one padded form.
fn unpad(padded: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (length, rest) = padded.split_first_chunk::<LENGTH>().ok_or(SealError::Malformed)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| SealError::Malformed)?;
    let (plaintext, zeros) = rest.split_at_checked(length).ok_or(SealError::Malformed)?;
    if zeros.len() >= PAD_STEP || zeros.iter().any(|byte| *byte != 0) {
        return Err(SealError::Malformed);
    }
    Ok(Zeroizing::new(plaintext.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_show_in_steps_only() {
        let check =
            |bytes: usize, want: usize| assert_eq!(pad(&vec![7; bytes]).unwrap().len(), want, "{bytes}");
        check(0, 256);
        check(252, 256);
        check(253, 512);
        check(508, 512);
        check(MAX_PLAINTEXT, 1024 * 1024);
        assert_eq!(pad(&vec![7; MAX_PLAINTEXT + 1]).unwrap_err().code(), "seal-too-large");
    }

    #[test]
    fn only_the_one_padded_form_is_read() {
        let good = pad(b"abc\0").unwrap();
        assert_eq!(unpad(&good).unwrap().as_slice(), b"abc\0");
        let changed = |at: usize, to: u8| {
            let mut bytes = good.to_vec();
            bytes[at] = to;
            bytes
        };
        let longer: Vec<u8> = good.iter().copied().chain([0; PAD_STEP]).collect();
        for bad in
            [changed(255, 1), changed(8, 9), changed(0, 1), changed(3, 253), longer, Vec::new(), vec![0; 3]]
        {
            assert_eq!(unpad(&bad), Err(SealError::Malformed));
        }
    }
}
