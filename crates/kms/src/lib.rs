//! Key managers: who holds the key (KEK) that wraps the content keys.
//!
//! A content key rests only as a [`WrappedKey`]. What is wrapped already says whose key it is (the payload made by
//! `seal`), so a key manager needs no associated data of its caller's. Which keys are unwrapped, and how long they are
//! kept, the connector decides.

mod embedded;
mod error;
mod key_file;
mod wrapped;

use std::fmt;

use zeroize::Zeroizing;

pub use embedded::Embedded;
pub use error::KmsError;
pub use wrapped::WrappedKey;

/// The configured key manager.
#[derive(Debug)]
pub enum KeyManager {
    /// A key in a file on this machine.
    Embedded(Embedded),
}

impl KeyManager {
    /// Wraps a payload under the current version of the key.
    ///
    /// # Errors
    /// [`KmsError`]; [`KmsError::is_retryable`] tells whether waiting helps.
    pub async fn wrap(&self, payload: &[u8]) -> Result<WrappedKey, KmsError> {
        match self {
            Self::Embedded(embedded) => embedded.wrap(payload),
        }
    }

    /// Gives back the payload that was wrapped.
    ///
    /// # Errors
    /// [`KmsError::NotFound`] if it was wrapped by another key, [`KmsError::Corrupt`] if it was changed since.
    pub async fn unwrap(&self, wrapped: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, KmsError> {
        match self {
            Self::Embedded(embedded) => embedded.unwrap(wrapped),
        }
    }

    /// Which key manager and key, for `status` and `check`. Holds nothing secret.
    pub fn describe(&self) -> String {
        self.to_string()
    }

    /// Whether keys could be wrapped and unwrapped now, and after a restart.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn health(&self) -> Result<(), KmsError> {
        match self {
            Self::Embedded(embedded) => embedded.health(),
        }
    }
}

impl fmt::Display for KeyManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(embedded) => embedded.fmt(f),
        }
    }
}
