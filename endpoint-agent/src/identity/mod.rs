//! Who this device is: its key and certificate, the anchors it trusts, its secret for grants, and where its connector
//! is. What is on disk is read and written by [`folder`].

mod folder;

use std::fmt;
use std::path::PathBuf;

use joinery_model::{DeploymentId, DeviceId};
use joinery_seal::DeviceSecret;
use zeroize::Zeroizing;

pub use folder::{IdentityFolder, Pending};

/// Everything that an enrolled device knows about itself.
#[derive(Clone)]
pub struct Identity {
    /// The device, as the connector registered it.
    pub device: DeviceId,
    /// The installation that it belongs to.
    pub deployment: DeploymentId,
    /// Name or address of the connector, as it was typed at enrollment.
    pub host: String,
    /// Port of the connector's sessions.
    pub session_port: u16,
    /// Private key of the certificate, PKCS #8.
    pub key: Zeroizing<Vec<u8>>,
    /// The certificate, DER.
    pub certificate: Vec<u8>,
    /// Certificates of the authorities that the connector's certificate must come from, DER.
    pub anchors: Vec<Vec<u8>>,
    /// Opens grants.
    pub secret: DeviceSecret,
    /// Seals the cache as a whole. Made at enrollment and never sent anywhere.
    pub cache_key: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({}, ..)", self.device)
    }
}

/// Why the identity cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file is missing, cut or not what it should be.
    #[error("the identity in {} is damaged ({what}); enroll this device again with a new code", folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// Which part.
        what: &'static str,
    },
    /// The system refuses to let us read or write.
    #[error("cannot use {}: {source}; run this as the user whose agent it is", path.display())]
    Io {
        /// What was touched.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl IdentityError {
    /// A stable name for logs and scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "identity-damaged",
            Self::Io { .. } => "identity-io",
        }
    }

    /// Whether the same may succeed later without anybody changing anything.
    pub const fn is_retryable(&self) -> bool {
        false
    }
}
