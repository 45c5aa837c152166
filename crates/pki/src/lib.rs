//! Certificates and the typed code that leads to the first one.
//!
//! Decides what stands in a certificate ([`Authority`]), when it is renewed ([`renew_at`]), what an activation code
//! looks like ([`ActivationCode`]) and how two sides prove to each other that they know it ([`proof`]). Who is invited,
//! what is recorded and what goes over the wire is decided elsewhere.
//!
//! Time and randomness are arguments; only new signature keys and the nonces of signatures come from the signature
//! library's own random source.

mod authority;
mod code;
mod error;
mod peer;
pub mod proof;
mod request;
mod validity;

pub use authority::{AUTHORITY_LIFE, Authority, DEVICE_LIFE, DeviceCertificate, Identity, SERVER_LIFE};
pub use code::{ActivationCode, CodeError, LOOKUP_DIGITS, PASSWORD_DIGITS};
pub use error::PkiError;
pub use peer::{PeerName, peer_name};
pub use request::device_request;
pub use validity::{Validity, renew_at, validity};
