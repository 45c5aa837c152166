//! A wrapped key, and its stored shape.
//!
//! Stored: `0x01 ‖ provider ‖ key ‖ version ‖ blob`, each preceded by its length (`u32`, big-endian).

use std::fmt;

use crate::KmsError;

const VERSION: u8 = 1;

/// What a key manager made of a payload, and who can unwrap it.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// The kind of key manager, such as `embedded`.
    pub provider: String,
    /// Its name of the key that wrapped.
    pub key: String,
    /// Which version of that key.
    pub version: String,
    /// The wrapped payload.
    pub blob: Vec<u8>,
}

impl WrappedKey {
    /// The stored shape.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for part in [self.provider.as_bytes(), self.key.as_bytes(), self.version.as_bytes(), &self.blob] {
            // No key manager gives 4 GiB; were it so, the saturated length would be refused when it is read.
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            bytes.extend_from_slice(&length.to_be_bytes());
            bytes.extend_from_slice(part);
        }
        bytes
    }

    /// Reads the stored shape.
    ///
    /// # Errors
    /// [`KmsError::Corrupt`] if it is none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KmsError> {
        let rest = bytes.strip_prefix(&[VERSION]).ok_or(KmsError::Corrupt { detail: "unknown version" })?;
        let (provider, rest) = part(rest)?;
        let (key, rest) = part(rest)?;
        let (version, rest) = part(rest)?;
        let (blob, rest) = part(rest)?;
        if !rest.is_empty() {
            return Err(KmsError::Corrupt { detail: "longer than it says" });
        }
        Ok(Self { provider: text(provider)?, key: text(key)?, version: text(version)?, blob: blob.to_vec() })
    }
}

impl fmt::Display for WrappedKey {
    /// Who can unwrap it: `provider:key:version`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.provider, self.key, self.version)
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({self})")
    }
}

fn part(bytes: &[u8]) -> Result<(&[u8], &[u8]), KmsError> {
    let cut_short = KmsError::Corrupt { detail: "cut short" };
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or(cut_short.clone())?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| cut_short.clone())?;
    rest.split_at_checked(length).ok_or(cut_short)
}

fn text(bytes: &[u8]) -> Result<String, KmsError> {
    String::from_utf8(bytes.to_vec()).map_err(|_| KmsError::Corrupt { detail: "a name in it is not text" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> WrappedKey {
        WrappedKey { provider: "p".into(), key: "key".into(), version: "7".into(), blob: vec![1, 2] }
    }

    #[test]
    fn the_stored_shape_is_this() {
        let bytes = b"\x01\0\0\0\x01p\0\0\0\x03key\0\0\0\x017\0\0\0\x02\x01\x02";
        assert_eq!(sample().to_bytes(), bytes);
        assert_eq!(WrappedKey::from_bytes(bytes), Ok(sample()));
    }

    #[test]
    fn anything_else_is_corrupt() {
        let good = sample().to_bytes();
        for end in 0..good.len() {
            assert_eq!(WrappedKey::from_bytes(&good[..end]).unwrap_err().code(), "kms-corrupt", "{end}");
        }
        let longer: Vec<u8> = good.iter().copied().chain([0]).collect();
        let newer: Vec<u8> = [2].into_iter().chain(good[1..].iter().copied()).collect();
        let no_text = b"\x01\0\0\0\x01\xff\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
        for bad in [longer, newer, no_text] {
            assert_eq!(WrappedKey::from_bytes(&bad).unwrap_err().code(), "kms-corrupt");
        }
    }

    #[test]
    fn it_prints_who_wrapped_it_only() {
        assert_eq!(format!("{:?}", sample()), "WrappedKey(p:key:7)");
    }
}
