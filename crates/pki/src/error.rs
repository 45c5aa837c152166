//! What can go wrong with certificates and proofs.

/// Why a certificate, a request or a proof is refused. No sentence holds a name, a key or a code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PkiError {
    /// A name that no certificate can carry.
    #[error("`{name}` is neither a host name nor an address; correct it in server.names")]
    BadServerName {
        /// The name as configured.
        name: String,
    },
    /// A server certificate without a name serves nobody.
    #[error(
        "no name is given for the server certificate; put the names that devices connect to into server.names"
    )]
    NoServerName,
    /// Not a PKCS#10 request.
    #[error("the certificate request cannot be read; update the agent and enroll again")]
    BadRequest,
    /// A request for a key of a kind that is not accepted.
    #[error(
        "the certificate request is for a key that is neither ECDSA P-256 nor Ed25519; update the agent and enroll again"
    )]
    UnsupportedKey,
    /// The request was not signed by the key that it names.
    #[error("the certificate request is not signed by its own key; enroll again")]
    BadRequestSignature,
    /// Not a certificate, or one with a time that cannot be told.
    #[error("the certificate cannot be read; it is damaged, enroll again or restore it")]
    BadCertificate,
    /// A certificate that was not made for a device.
    #[error("the certificate names no device of a Joinery installation; enroll again")]
    NotADevice,
    /// The stored authority is damaged.
    #[error(
        "the stored certificate authority is damaged: its key does not belong to its certificate; restore a backup"
    )]
    BadAuthority,
    /// A time outside what a certificate can hold.
    #[error("the clock says a time that no certificate can hold; set the clock")]
    BadTime,
    /// The library that signs failed.
    #[error("a certificate or key cannot be made: {reason}")]
    Signing {
        /// What the library says; it knows no secrets to tell.
        reason: String,
    },
    /// The other side's message is not one of the proof.
    #[error("the other side's message is not part of a proof of an activation code; update both programs")]
    BadShare,
    /// The other side does not know the code, or something stands between.
    #[error(
        "the activation code does not match, or something between device and connector changes the connection"
    )]
    ProofFailed,
}

impl PkiError {
    /// Stable name of the case, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::BadServerName { .. } => "pki-bad-server-name",
            Self::NoServerName => "pki-no-server-name",
            Self::BadRequest => "pki-bad-request",
            Self::UnsupportedKey => "pki-unsupported-key",
            Self::BadRequestSignature => "pki-bad-request-signature",
            Self::BadCertificate => "pki-bad-certificate",
            Self::NotADevice => "pki-not-a-device",
            Self::BadAuthority => "pki-bad-authority",
            Self::BadTime => "pki-bad-time",
            Self::Signing { .. } => "pki-signing",
            Self::BadShare => "pki-bad-share",
            Self::ProofFailed => "pki-proof-failed",
        }
    }

    /// Whether the same call may succeed later by itself.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Signing { .. } => true,
            Self::BadServerName { .. }
            | Self::NoServerName
            | Self::BadRequest
            | Self::UnsupportedKey
            | Self::BadRequestSignature
            | Self::BadCertificate
            | Self::NotADevice
            | Self::BadAuthority
            | Self::BadTime
            | Self::BadShare
            | Self::ProofFailed => false,
        }
    }
}

impl From<rcgen::Error> for PkiError {
    fn from(error: rcgen::Error) -> Self {
        Self::Signing { reason: error.to_string() }
    }
}
