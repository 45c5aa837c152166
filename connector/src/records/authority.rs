//! Who the connector is: its deployment id, its certificate authority, its server certificate.

use std::fmt;

use jiff::Timestamp;
use joinery_model::DeploymentId;
use joinery_store::RecordKind;
use serde::{Deserialize, Serialize};

use super::{Stored, hex};

/// Id of this installation, made at its first start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeploymentRecord {
    /// Stands in every device certificate.
    pub id: DeploymentId,
}

impl Stored for DeploymentRecord {
    const KIND: RecordKind = RecordKind::Deployment;
    const NAME: &'static str = "deployment";

    fn id(&self) -> [u8; 16] {
        [0; 16]
    }
}

/// The internal certificate authority with its key.
#[derive(Clone, Serialize, Deserialize)]
pub struct AuthorityRecord {
    /// DER.
    #[serde(with = "hex")]
    pub certificate: Vec<u8>,
    /// PKCS#8.
    #[serde(with = "hex")]
    pub key: Vec<u8>,
}

impl fmt::Debug for AuthorityRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorityRecord(..)")
    }
}

impl Drop for AuthorityRecord {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key);
    }
}

impl Stored for AuthorityRecord {
    const KIND: RecordKind = RecordKind::Authority;
    const NAME: &'static str = "certificate authority";

    fn id(&self) -> [u8; 16] {
        [0; 16]
    }
}

/// The certificate that agents see, with its key.
#[derive(Clone, Serialize, Deserialize)]
pub struct ServerCertificateRecord {
    /// DER.
    #[serde(with = "hex")]
    pub certificate: Vec<u8>,
    /// PKCS#8.
    #[serde(with = "hex")]
    pub key: Vec<u8>,
    /// The names it was made for.
    pub names: Vec<String>,
    /// Start of its life.
    pub not_before: Timestamp,
    /// End of its life.
    pub not_after: Timestamp,
}

impl fmt::Debug for ServerCertificateRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerCertificateRecord(..)")
    }
}

impl Drop for ServerCertificateRecord {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key);
    }
}

impl Stored for ServerCertificateRecord {
    const KIND: RecordKind = RecordKind::ServerCertificate;
    const NAME: &'static str = "server certificate";

    fn id(&self) -> [u8; 16] {
        [0; 16]
    }
}
