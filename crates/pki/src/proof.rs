//! The proof that both sides know an activation code (contracts on enrollment, section 2).
//!
//! SPAKE2 turns the ten-digit password into a shared key that an eavesdropper or a man in the middle cannot search for;
//! it does not by itself tell whether both sides got the same key. So each side then shows a MAC under a key derived
//! from it. The MACs cover both shares, the TLS channel on which they travel and the hashes of what is asked and
//! answered: relaying the proof over another channel, or changing the certificate request on the way, makes it fail.
//!
//! The device's MAC comes first. Whoever sees a MAC can check one guess of the password, so the connector, which anybody
//! can ask, gives its own only after the device's was right, and counts every run that does not get there as a try.
//!
//! The order is in the types: [`DeviceRun`] → [`AwaitConfirm`] → [`AwaitGrant`] on the device, [`ConnectorRun`] →
//! [`Proven`] on the connector. Each step consumes the one before, so a run can check one guess and no more.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use joinery_model::{DeploymentId, DeviceId};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use sha2::{Digest, Sha256};
use spake2::{Ed25519Group, Identity, Password, Spake2};
use zeroize::Zeroizing;

use crate::{ActivationCode, PkiError};

/// Separates this proof from every other use of the same functions; changes with the protocol.
const PROTOCOL: &[u8] = b"joinery enrollment v1";
const DEVICE: &[u8] = b"device";
const CONNECTOR: &[u8] = b"connector";
const ANSWER: &[u8] = b"answer";

/// Length of a MAC in bytes.
pub const MAC_LENGTH: usize = 32;

/// The TLS channel that a proof is bound to: 32 bytes of exported keying material under the label
/// `EXPORTER-Channel-Binding`, without context (RFC 9266).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelBinding(pub [u8; 32]);

/// The device's side before it has seen the connector's share.
pub struct DeviceRun {
    spake: Spake2<Ed25519Group>,
    lookup: String,
    share: Vec<u8>,
}

/// The device's side after it has shown its MAC, until the connector has shown its own.
pub struct AwaitConfirm {
    keys: Keys,
    request: [u8; 32],
}

/// The device's side once the connector has proved the code.
pub struct AwaitGrant {
    keys: Keys,
    request: [u8; 32],
}

/// The connector's side after it has given its share.
pub struct ConnectorRun {
    keys: Keys,
}

/// The connector's side once the device has proved the code.
pub struct Proven {
    keys: Keys,
    request: [u8; 32],
}

/// One key for each direction, with what the MACs cover besides the hashes.
struct Keys {
    secret: Zeroizing<Vec<u8>>,
    lookup: String,
    device_share: Vec<u8>,
    connector_share: Vec<u8>,
}

macro_rules! secret_debug {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}
secret_debug!(DeviceRun, AwaitConfirm, AwaitGrant, ConnectorRun, Proven);

impl DeviceRun {
    /// Begins a run; answers what is sent first. `seed` is random and used for this run only.
    pub fn start(code: &ActivationCode, seed: [u8; 32]) -> (Self, Vec<u8>) {
        let lookup = code.lookup().to_owned();
        let (spake, share) = Spake2::<Ed25519Group>::start_a_with_rng(
            &Password::new(code.password()),
            &Identity::new(DEVICE),
            &connector_identity(&lookup),
            ChaCha20Rng::from_seed(seed),
        );
        (Self { spake, lookup, share: share.clone() }, share)
    }

    /// The device's MAC over the channel and its request ([`request_hash`]).
    ///
    /// # Errors
    /// [`PkiError::BadShare`].
    pub fn prove(
        self,
        connector_share: &[u8],
        channel: &ChannelBinding,
        request: [u8; 32],
    ) -> Result<(Vec<u8>, AwaitConfirm), PkiError> {
        let secret = self.spake.finish(connector_share).map_err(|_| PkiError::BadShare)?;
        let keys = Keys {
            secret: Zeroizing::new(secret),
            lookup: self.lookup,
            device_share: self.share,
            connector_share: connector_share.to_vec(),
        }
        .bound_to(channel);
        let mac = keys.mac(DEVICE, &[&request])?.finalize().into_bytes().to_vec();
        Ok((mac, AwaitConfirm { keys, request }))
    }
}

impl AwaitConfirm {
    /// Checks the connector's MAC; compares in constant time. From here on the device may say more than the proof.
    ///
    /// # Errors
    /// [`PkiError::ProofFailed`]: whoever answered does not know the code. Nothing more may be sent.
    pub fn confirm(self, mac: &[u8]) -> Result<AwaitGrant, PkiError> {
        let expected = self.keys.mac(CONNECTOR, &[&self.request])?;
        expected.verify_slice(mac).map_err(|_| PkiError::ProofFailed)?;
        Ok(AwaitGrant { keys: self.keys, request: self.request })
    }
}

impl AwaitGrant {
    /// Checks the connector's MAC over its answer ([`answer_hash`]); compares in constant time.
    ///
    /// # Errors
    /// [`PkiError::ProofFailed`]: the answer was changed. Nothing of it may be used.
    pub fn verify(self, mac: &[u8], answer: [u8; 32]) -> Result<(), PkiError> {
        let expected = self.keys.mac(ANSWER, &[&self.request, &answer])?;
        expected.verify_slice(mac).map_err(|_| PkiError::ProofFailed)
    }
}

impl ConnectorRun {
    /// Takes the device's share; answers the connector's. For an invitation that does not exist, a random password is
    /// given: the run then looks the same and fails. `seed` is random and used for this run only.
    ///
    /// # Errors
    /// [`PkiError::BadShare`].
    pub fn start(
        password: &str,
        lookup: &str,
        device_share: &[u8],
        seed: [u8; 32],
    ) -> Result<(Self, Vec<u8>), PkiError> {
        let (spake, share) = Spake2::<Ed25519Group>::start_b_with_rng(
            &Password::new(password),
            &Identity::new(DEVICE),
            &connector_identity(lookup),
            ChaCha20Rng::from_seed(seed),
        );
        let secret = spake.finish(device_share).map_err(|_| PkiError::BadShare)?;
        let keys = Keys {
            secret: Zeroizing::new(secret),
            lookup: lookup.to_owned(),
            device_share: device_share.to_vec(),
            connector_share: share.clone(),
        };
        Ok((Self { keys }, share))
    }

    /// Checks the device's MAC over this channel and what was asked ([`request_hash`]); compares in constant time.
    ///
    /// # Errors
    /// [`PkiError::ProofFailed`]: to be counted as a try.
    pub fn verify(self, mac: &[u8], channel: &ChannelBinding, request: [u8; 32]) -> Result<Proven, PkiError> {
        let keys = self.keys.bound_to(channel);
        keys.mac(DEVICE, &[&request])?.verify_slice(mac).map_err(|_| PkiError::ProofFailed)?;
        Ok(Proven { keys, request })
    }
}

impl Proven {
    /// The connector's own MAC, by which the device knows whom it talks to.
    ///
    /// # Errors
    /// None that happens; the library's signature has one.
    pub fn confirm(&self) -> Result<Vec<u8>, PkiError> {
        Ok(self.keys.mac(CONNECTOR, &[&self.request])?.finalize().into_bytes().to_vec())
    }

    /// Whether these are the details whose hash the device's MAC covered.
    pub fn is_about(&self, request: [u8; 32]) -> bool {
        // Both hashes are known to the device; nothing is told by how long this takes.
        self.request == request
    }

    /// The connector's MAC over its answer ([`answer_hash`]).
    ///
    /// # Errors
    /// None that happens; the library's signature has one.
    pub fn answer(self, answer: [u8; 32]) -> Result<Vec<u8>, PkiError> {
        Ok(self.keys.mac(ANSWER, &[&self.request, &answer])?.finalize().into_bytes().to_vec())
    }
}

impl Keys {
    /// Mixes the channel into the key itself, so that no value of this run means anything on another channel.
    fn bound_to(self, channel: &ChannelBinding) -> Self {
        let (bound, _) = Hkdf::<Sha256>::extract(Some(&channel.0), &self.secret);
        Self { secret: Zeroizing::new(bound.to_vec()), ..self }
    }

    /// A MAC of `role` over the run and `hashes`, under a key of that role's own.
    fn mac(&self, role: &[u8], hashes: &[&[u8; 32]]) -> Result<Hmac<Sha256>, PkiError> {
        let never = || PkiError::Signing { reason: "a key has an impossible length".to_owned() };
        let transcript =
            digest(&[PROTOCOL, self.lookup.as_bytes(), &self.device_share, &self.connector_share]);
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(Some(PROTOCOL), &self.secret)
            .expand_multi_info(&[role, &transcript], key.as_mut_slice())
            .map_err(|_| never())?;
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.as_slice()).map_err(|_| never())?;
        mac.update(role);
        mac.update(&transcript);
        for hash in hashes {
            mac.update(*hash);
        }
        Ok(mac)
    }
}

/// The lookup digits stand in the identity, so that a share for one invitation is none for another.
fn connector_identity(lookup: &str) -> Identity {
    Identity::new(&[CONNECTOR, b" ", lookup.as_bytes()].concat())
}

/// The hash of what a device asks for: its certificate request, its HPKE key, what it calls itself.
pub fn request_hash(certificate_request: &[u8], hpke: &[u8], name: &str) -> [u8; 32] {
    digest(&[b"joinery enrollment request v1", certificate_request, hpke, name.as_bytes()])
}

/// The hash of what a connector answers: certificate, trust anchors, who the device is now, where sessions go.
pub fn answer_hash(
    certificate: &[u8],
    anchors: &[Vec<u8>],
    device: DeviceId,
    deployment: DeploymentId,
    session_port: u16,
) -> [u8; 32] {
    let port = session_port.to_be_bytes();
    let mut parts: Vec<&[u8]> =
        vec![b"joinery enrollment answer v1", certificate, device.as_bytes(), deployment.as_bytes(), &port];
    parts.extend(anchors.iter().map(Vec::as_slice));
    digest(&parts)
}

/// SHA-256 over the parts, each behind its length, so that no two lists of parts give the same input.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
