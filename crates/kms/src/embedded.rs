//! The embedded key manager: the key is a file on this machine, wrapping is AES-256-GCM.
//!
//! The blob is `nonce (12) ‖ ciphertext ‖ tag (16)`, its associated data the name of the key that wrapped.

use std::fmt;
use std::path::{Path, PathBuf};

use aes_gcm::aead::{Aead, Payload};
use aes_gcm::{Aes256Gcm, KeyInit};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::key_file::{self, Key};
use crate::{KmsError, WrappedKey};

const PROVIDER: &str = "embedded";
/// The one version: a new key is a new file with another fingerprint.
const KEY_VERSION: &str = "1";
const NONCE: usize = 12;

/// Holds the key of one key file.
pub struct Embedded {
    path: PathBuf,
    key: Key,
    fingerprint: String,
}

impl Embedded {
    /// Reads the key file, which must exist and be readable by its owner only.
    ///
    /// # Errors
    /// One of the `File…` errors of [`KmsError`], which name the file and what to do.
    pub fn open(path: &Path) -> Result<Self, KmsError> {
        let key = key_file::read(path)?;
        let fingerprint = fingerprint(&key);
        Ok(Self { path: path.to_owned(), key, fingerprint })
    }

    /// Makes a new random key and its file, with mode 0600. The file is durable when this returns.
    ///
    /// # Errors
    /// [`KmsError::FileExists`] if something is there (it is not touched), [`KmsError::FileUnwritable`],
    /// [`KmsError::Random`].
    pub fn create(path: &Path) -> Result<Self, KmsError> {
        let mut key = Key::default();
        fill_random(key.as_mut())?;
        let mut temporary_id = [0; 8];
        fill_random(&mut temporary_id)?;
        key_file::create(path, &key, u64::from_be_bytes(temporary_id))?;
        Self::open(path)
    }

    /// The key file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn wrap(&self, payload: &[u8]) -> Result<WrappedKey, KmsError> {
        let mut nonce = [0; NONCE];
        fill_random(&mut nonce)?;
        let mut wrapped = WrappedKey {
            provider: PROVIDER.to_owned(),
            key: self.fingerprint.clone(),
            version: KEY_VERSION.to_owned(),
            blob: nonce.to_vec(),
        };
        let name = wrapped.to_string();
        let sealed = self
            .cipher()
            .encrypt(&nonce.into(), Payload { msg: payload, aad: name.as_bytes() })
            .map_err(|_| KmsError::Corrupt { detail: "too long to wrap" })?;
        wrapped.blob.extend_from_slice(&sealed);
        Ok(wrapped)
    }

    pub(crate) fn unwrap(&self, wrapped: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, KmsError> {
        if wrapped.provider != PROVIDER || wrapped.key != self.fingerprint || wrapped.version != KEY_VERSION {
            return Err(KmsError::NotFound { wanted: wrapped.to_string(), configured: self.to_string() });
        }
        let (nonce, sealed) =
            wrapped.blob.split_first_chunk::<NONCE>().ok_or(KmsError::Corrupt { detail: "cut short" })?;
        let name = wrapped.to_string();
        let payload = Payload { msg: sealed, aad: name.as_bytes() };
        let opened = self.cipher().decrypt(&(*nonce).into(), payload);
        opened.map(Zeroizing::new).map_err(|_| KmsError::Corrupt { detail: "it does not unwrap" })
    }

    /// Whether the file still holds the key, so that a restart would work.
    pub(crate) fn health(&self) -> Result<(), KmsError> {
        if fingerprint(&key_file::read(&self.path)?) == self.fingerprint {
            Ok(())
        } else {
            Err(KmsError::FileChanged { path: self.path.clone() })
        }
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.key).into())
    }
}

impl fmt::Display for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PROVIDER}:{}:{KEY_VERSION} in {}", self.fingerprint, self.path.display())
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Embedded({self})")
    }
}

/// Names the key without telling anything of it: the start of a hash of 256 random bits.
fn fingerprint(key: &Key) -> String {
    let hash = Sha256::new().chain_update(b"joinery key name v1").chain_update(key.as_slice()).finalize();
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn fill_random(bytes: &mut [u8]) -> Result<(), KmsError> {
    getrandom::fill(bytes).map_err(|error| KmsError::Random { detail: error.to_string() })
}
