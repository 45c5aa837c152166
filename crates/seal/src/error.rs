//! What can be wrong with something sealed.

use joinery_model::Epoch;

/// Why something was not sealed or does not open. No variant carries any of the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The bytes do not have the shape of what they should be.
    #[error("the sealed data is cut short or damaged; fetch it again, or restore it from a backup")]
    Malformed,
    /// The shape's version is unknown: a newer program wrote it.
    #[error("the sealed data has version {version}, which this program does not know; update the program")]
    UnknownVersion {
        /// The version that the data states.
        version: u8,
    },
    /// Sealed under another epoch's key than the one at hand.
    #[error("the data is sealed under epoch {sealed}, not {expected}; open it with the key of its own epoch")]
    WrongEpoch {
        /// The epoch that the data states.
        sealed: Epoch,
        /// The epoch of the key at hand.
        expected: Epoch,
    },
    /// Wrong key, changed bytes, or sealed for another place. These cannot be told apart, by design.
    #[error(
        "the sealed data does not open here: it was changed, moved from elsewhere, or sealed with another key"
    )]
    Refused,
    /// A content key came back from the key manager whole, but it belongs elsewhere.
    #[error("the content key belongs to another mailbox or epoch; restore the database from a backup")]
    Misplaced,
    /// More plaintext than is sealed in one piece.
    #[error("the content has {bytes} bytes, more than the {limit} that are sealed in one piece; shorten it")]
    TooLarge {
        /// Size of the plaintext in bytes.
        bytes: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The device's public key is not one that anything can be sealed to.
    #[error("the device's public key is not a usable X25519 key; enroll the device again")]
    BadDeviceKey,
}

impl SealError {
    /// Stable name of the error, for scripts and the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "seal-malformed",
            Self::UnknownVersion { .. } => "seal-unknown-version",
            Self::WrongEpoch { .. } => "seal-wrong-epoch",
            Self::Refused => "seal-refused",
            Self::Misplaced => "seal-misplaced",
            Self::TooLarge { .. } => "seal-too-large",
            Self::BadDeviceKey => "seal-bad-device-key",
        }
    }

    /// Whether the same call can succeed later. Never: sealing depends on its arguments only.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}
