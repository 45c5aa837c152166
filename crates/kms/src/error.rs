//! What can go wrong with a key manager.

use std::path::PathBuf;
use std::time::Duration;

/// Why a key manager did not do what was asked. No variant carries any of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KmsError {
    /// The key manager knows the key and refuses its use.
    #[error("{provider} refuses the use of key {key}; allow the connector to encrypt and decrypt with it")]
    Denied {
        /// The key manager.
        provider: String,
        /// Its name of the key.
        key: String,
    },
    /// The key that wrapped something is not the one, or not among those, that are at hand.
    #[error(
        "a content key was wrapped by {wanted}, but the configured key manager is {configured}; \
         set [keys] to the one that wrapped it, or put its key back"
    )]
    NotFound {
        /// Provider, key and version that wrapped it.
        wanted: String,
        /// What is configured.
        configured: String,
    },
    /// The wrapped key was changed since it was wrapped, or is none.
    #[error("a wrapped content key is damaged ({detail}); restore the database from a backup")]
    Corrupt {
        /// What was found.
        detail: &'static str,
    },
    /// The key manager cannot be reached, or not now.
    #[error("{provider} is not available; its keys are asked for again by themselves")]
    Unavailable {
        /// The key manager.
        provider: String,
        /// How long it asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// The key file is not there.
    #[error(
        "the key file {} does not exist; restore it from where you keep its copy: without it nothing in the database \
         can be read", path.display()
    )]
    FileMissing {
        /// The key file.
        path: PathBuf,
    },
    /// The key file may not be read.
    #[error("the key file {} cannot be read ({detail}); make it belong to the connector's user, mode 0600", path.display())]
    FileUnreadable {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// Others than the owner may read or write the key file.
    #[error("the key file {} has mode {mode:04o}, so others can get at the key; run: chmod 0600 {}", path.display(), path.display())]
    FileExposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key file has not the length of one.
    #[error("the key file {} has {found} bytes, a key file has {wanted}; restore it from its copy", path.display())]
    FileLength {
        /// The key file.
        path: PathBuf,
        /// Its length in bytes.
        found: u64,
        /// The length of a key file in bytes.
        wanted: u64,
    },
    /// Some other file.
    #[error("{} is not a key file of Joinery; set the path in [keys] to the key file", path.display())]
    FileForeign {
        /// The file.
        path: PathBuf,
    },
    /// A key file of a version that is not known.
    #[error("the key file {} is of a newer version than this program knows; update the program", path.display())]
    FileNewer {
        /// The key file.
        path: PathBuf,
    },
    /// The key file's checksum does not fit its key.
    #[error("the key file {} is damaged: its checksum does not match; restore it from its copy", path.display())]
    FileDamaged {
        /// The key file.
        path: PathBuf,
    },
    /// The key file holds another key than when the program started.
    #[error("the key file {} was replaced by another key while the connector runs; put the old one back", path.display())]
    FileChanged {
        /// The key file.
        path: PathBuf,
    },
    /// A key file is never overwritten.
    #[error("the key file {} already exists and is kept; nothing was written", path.display())]
    FileExists {
        /// The key file.
        path: PathBuf,
    },
    /// The key file cannot be written.
    #[error("the key file {} cannot be written ({detail}); make its folder writable for the connector's user, or free space", path.display())]
    FileUnwritable {
        /// The key file.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The system gives no random numbers.
    #[error("the system's random source failed ({detail}); restart the machine if that persists")]
    Random {
        /// What the system said.
        detail: String,
    },
}

impl KmsError {
    /// Stable name of the error, for scripts and the wire.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "kms-denied",
            Self::NotFound { .. } => "kms-not-found",
            Self::Corrupt { .. } => "kms-corrupt",
            Self::Unavailable { .. } => "kms-unavailable",
            Self::FileMissing { .. } => "kms-file-missing",
            Self::FileUnreadable { .. } => "kms-file-unreadable",
            Self::FileExposed { .. } => "kms-file-exposed",
            Self::FileLength { .. } => "kms-file-length",
            Self::FileForeign { .. } => "kms-file-foreign",
            Self::FileNewer { .. } => "kms-file-newer",
            Self::FileDamaged { .. } => "kms-file-damaged",
            Self::FileChanged { .. } => "kms-file-changed",
            Self::FileExists { .. } => "kms-file-exists",
            Self::FileUnwritable { .. } => "kms-file-unwritable",
            Self::Random { .. } => "kms-random",
        }
    }

    /// Whether the same thing may work later, without anybody changing anything.
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::Random { .. } => true,
            Self::Denied { .. }
            | Self::NotFound { .. }
            | Self::Corrupt { .. }
            | Self::FileMissing { .. }
            | Self::FileUnreadable { .. }
            | Self::FileExposed { .. }
            | Self::FileLength { .. }
            | Self::FileForeign { .. }
            | Self::FileNewer { .. }
            | Self::FileDamaged { .. }
            | Self::FileChanged { .. }
            | Self::FileExists { .. }
            | Self::FileUnwritable { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sentences as operators and scripts see them.
    #[test]
    fn each_error_has_its_sentence() {
        let check = |error: KmsError, code: &str, sentence: &str| {
            assert_eq!(error.to_string(), sentence);
            assert_eq!(error.code(), code);
            let retryable = matches!(error, KmsError::Unavailable { .. } | KmsError::Random { .. });
            assert_eq!(error.is_retryable(), retryable, "{error}");
        };
        let path = || PathBuf::from("/etc/joinery/kek");
        let (provider, detail) = (|| "vault".to_owned(), || "out of order".to_owned());
        check(
            KmsError::Denied { provider: provider(), key: "joinery".into() },
            "kms-denied",
            "vault refuses the use of key joinery; allow the connector to encrypt and decrypt with it",
        );
        check(
            KmsError::NotFound { wanted: "vault:joinery:3".into(), configured: "embedded:1f:1 in /k".into() },
            "kms-not-found",
            "a content key was wrapped by vault:joinery:3, but the configured key manager is embedded:1f:1 in /k; set \
             [keys] to the one that wrapped it, or put its key back",
        );
        check(
            KmsError::Corrupt { detail: "cut short" },
            "kms-corrupt",
            "a wrapped content key is damaged (cut short); restore the database from a backup",
        );
        check(
            KmsError::Unavailable { provider: provider(), retry_after: None },
            "kms-unavailable",
            "vault is not available; its keys are asked for again by themselves",
        );
        check(
            KmsError::FileMissing { path: path() },
            "kms-file-missing",
            "the key file /etc/joinery/kek does not exist; restore it from where you keep its copy: without it \
             nothing in the database can be read",
        );
        check(
            KmsError::FileUnreadable { path: path(), detail: detail() },
            "kms-file-unreadable",
            "the key file /etc/joinery/kek cannot be read (out of order); make it belong to the connector's user, \
             mode 0600",
        );
        check(
            KmsError::FileExposed { path: path(), mode: 0o644 },
            "kms-file-exposed",
            "the key file /etc/joinery/kek has mode 0644, so others can get at the key; run: chmod 0600 \
             /etc/joinery/kek",
        );
        check(
            KmsError::FileLength { path: path(), found: 3, wanted: 96 },
            "kms-file-length",
            "the key file /etc/joinery/kek has 3 bytes, a key file has 96; restore it from its copy",
        );
        check(
            KmsError::FileForeign { path: path() },
            "kms-file-foreign",
            "/etc/joinery/kek is not a key file of Joinery; set the path in [keys] to the key file",
        );
        check(
            KmsError::FileNewer { path: path() },
            "kms-file-newer",
            "the key file /etc/joinery/kek is of a newer version than this program knows; update the program",
        );
        check(
            KmsError::FileDamaged { path: path() },
            "kms-file-damaged",
            "the key file /etc/joinery/kek is damaged: its checksum does not match; restore it from its copy",
        );
        check(
            KmsError::FileChanged { path: path() },
            "kms-file-changed",
            "the key file /etc/joinery/kek was replaced by another key while the connector runs; put the old one back",
        );
        check(
            KmsError::FileExists { path: path() },
            "kms-file-exists",
            "the key file /etc/joinery/kek already exists and is kept; nothing was written",
        );
        check(
            KmsError::FileUnwritable { path: path(), detail: detail() },
            "kms-file-unwritable",
            "the key file /etc/joinery/kek cannot be written (out of order); make its folder writable for the \
             connector's user, or free space",
        );
        check(
            KmsError::Random { detail: detail() },
            "kms-random",
            "the system's random source failed (out of order); restart the machine if that persists",
        );
    }
}
