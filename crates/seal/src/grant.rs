//! Giving a content key to one device: HPKE (RFC 9180), base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! AES-256-GCM.
//!
//! Who sent a grant is known from the mutual TLS session that carries it (`contracts/kms.md`, section 6).

use std::convert::Infallible;
use std::fmt;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::SealError;
use crate::binding::GrantBinding;
use crate::key::ContentKey;

type Private = <X25519HkdfSha256 as Kem>::PrivateKey;
type Public = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// Header of a grant, its associated data: version, then KEM, KDF and AEAD by their RFC 9180 numbers.
const HEADER: [u8; 7] = [1, 0x00, 0x20, 0x00, 0x01, 0x00, 0x02];

/// A device's private key for grants. Made on the device and never leaves it.
#[derive(Clone)]
pub struct DeviceSecret(Private);

impl DeviceSecret {
    /// Derives a key from 32 random bytes (`DeriveKeyPair` of RFC 9180).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(X25519HkdfSha256::derive_keypair(seed.as_ref()).0)
    }

    /// Takes back the bytes of [`as_bytes`](Self::as_bytes).
    ///
    /// # Errors
    /// [`SealError::Malformed`] if they are not 32.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealError> {
        Private::from_bytes(bytes).map(Self).map_err(|_| SealError::Malformed)
    }

    /// The 32 bytes to keep, in a file that only the device's agent can read.
    pub fn as_bytes(&self) -> Zeroizing<[u8; 32]> {
        let mut serialized = self.0.to_bytes();
        let bytes = Zeroizing::new(serialized.into());
        serialized.as_mut_slice().zeroize();
        bytes
    }

    /// The public half.
    pub fn public(&self) -> DevicePublic {
        DevicePublic(X25519HkdfSha256::sk_to_pk(&self.0).to_bytes().into())
    }
}

impl fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceSecret(..)")
    }
}

/// A device's public key for grants. Whether anything can be sealed to it, [`grant`] finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DevicePublic(pub [u8; 32]);

impl DevicePublic {
    /// Which of a device's keys it is: a renewed device has a new one.
    fn key_id(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

/// A content key, sealed to one key of one device.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedGrant {
    /// HPKE's encapsulated key, 32 bytes.
    pub encapsulated: Vec<u8>,
    /// The sealed content key, 48 bytes.
    pub ciphertext: Vec<u8>,
}

impl fmt::Debug for SealedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedGrant(..)")
    }
}

/// Seals a content key to a device. `seed` is 32 fresh random bytes.
///
/// # Errors
/// [`SealError::BadDeviceKey`] if nothing can be sealed to the device's key.
pub fn grant(
    key: &ContentKey,
    binding: &GrantBinding<'_>,
    device: &DevicePublic,
    seed: [u8; 32],
) -> Result<SealedGrant, SealError> {
    seal_to(device, &binding.canonical(&device.key_id()), &HEADER, key.expose(), seed)
}

/// The content key out of a grant, on the device that it was made for.
///
/// # Errors
/// [`SealError::Malformed`] if it has not the shape of a grant, [`SealError::Refused`] if it was changed or made for
/// another device, device key, mailbox or epoch.
pub fn accept_grant(
    secret: &DeviceSecret,
    binding: &GrantBinding<'_>,
    grant: &SealedGrant,
) -> Result<ContentKey, SealError> {
    let opened = open_with(secret, &binding.canonical(&secret.public().key_id()), &HEADER, grant)?;
    opened.as_slice().try_into().map(ContentKey::from_bytes).map_err(|_| SealError::Malformed)
}

fn seal_to(
    device: &DevicePublic,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    seed: [u8; 32],
) -> Result<SealedGrant, SealError> {
    let public = Public::from_bytes(&device.0).map_err(|_| SealError::BadDeviceKey)?;
    // Fails on a public key of low order: what is sealed to one is open to everybody.
    let (encapsulated, ciphertext) =
        hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
            &OpModeS::Base,
            &public,
            info,
            plaintext,
            aad,
            &mut Seed(seed),
        )
        .map_err(|_| SealError::BadDeviceKey)?;
    Ok(SealedGrant { encapsulated: encapsulated.to_bytes().to_vec(), ciphertext })
}

fn open_with(
    secret: &DeviceSecret,
    info: &[u8],
    aad: &[u8],
    grant: &SealedGrant,
) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let encapsulated = Encapsulated::from_bytes(&grant.encapsulated).map_err(|_| SealError::Malformed)?;
    hpke::single_shot_open::<AesGcm256, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &secret.0,
        &encapsulated,
        info,
        &grant.ciphertext,
        aad,
    )
    .map(Zeroizing::new)
    .map_err(|_| SealError::Refused)
}

/// Gives HPKE the seed as its random source. Encapsulation reads 32 bytes once (the input of `DeriveKeyPair`); the
/// seed is hashed forward all the same, so that a second read would not repeat the first.
struct Seed([u8; 32]);

impl TryRng for Seed {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(self.0.len()) {
            chunk.iter_mut().zip(self.0).for_each(|(to, from)| *to = from);
            self.0 = Sha256::digest(self.0).into();
        }
        Ok(())
    }
}

impl TryCryptoRng for Seed {}

impl Drop for Seed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }

    fn hex32(text: &str) -> [u8; 32] {
        hex(text).try_into().unwrap()
    }

    /// The vector of RFC 9180's test vectors for mode 0, KEM 0x0020, KDF 0x0001, AEAD 0x0002, first encryption.
    #[test]
    fn the_suite_is_that_of_rfc_9180() {
        let secret = DeviceSecret::from_seed(hex32(
            "dac33b0e9db1b59dbbea58d59a14e7b5896e9bdf98fad6891e99d1686492b9ee",
        ));
        let private = "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d";
        let clamped = DeviceSecret::from_bytes(&hex32(private)).unwrap();
        assert_eq!(secret.as_bytes(), clamped.as_bytes());
        let public = "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c";
        assert_eq!(secret.public(), DevicePublic(hex32(public)));

        let seed = hex32("2cd7c601cefb3d42a62b04b7a9041494c06c7843818e0ce28a8f704ae7ab20f9");
        let (info, aad, text) = (b"Ode on a Grecian Urn", b"Count-0", b"Beauty is truth, truth beauty");
        let sealed = seal_to(&secret.public(), info, aad, text, seed).unwrap();
        let encapsulated = "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256";
        assert_eq!(sealed.encapsulated, hex(encapsulated));
        let ciphertext =
            "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a";
        assert_eq!(sealed.ciphertext, hex(ciphertext));
        assert_eq!(open_with(&secret, info, aad, &sealed).unwrap().as_slice(), text);
    }
}
