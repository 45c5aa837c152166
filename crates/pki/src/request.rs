//! Certificate requests: made on the device, read by the authority.

use rcgen::{CertificateParams, DistinguishedName, KeyPair, PublicKeyData, SubjectPublicKeyInfo};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use crate::PkiError;

/// A new ECDSA P-256 key (PKCS#8, DER) and the request for a certificate of it (PKCS#10, DER). The request names
/// nobody: the connector decides the names.
///
/// # Errors
/// [`PkiError::Signing`] where the system gives no randomness.
pub fn device_request() -> Result<(Zeroizing<Vec<u8>>, Vec<u8>), PkiError> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key)?;
    Ok((Zeroizing::new(key.serialize_der()), request.der().to_vec()))
}

/// The key that a request is for, after its signature was found right. Every name and extension in it is ignored.
pub(crate) fn requested_key(request: &[u8]) -> Result<SubjectPublicKeyInfo, PkiError> {
    let Ok(([], parsed)) = X509CertificationRequest::from_der(request) else {
        return Err(PkiError::BadRequest);
    };
    let key = SubjectPublicKeyInfo::from_der(parsed.certification_request_info.subject_pki.raw)
        .map_err(|_| PkiError::UnsupportedKey)?;
    // An uncompressed point on P-256, or an Ed25519 key: what the TLS library verifies signatures of.
    let supported = (key.algorithm() == &rcgen::PKCS_ECDSA_P256_SHA256 && key.der_bytes().len() == 65)
        || (key.algorithm() == &rcgen::PKCS_ED25519 && key.der_bytes().len() == 32);
    if !supported {
        return Err(PkiError::UnsupportedKey);
    }
    parsed.verify_signature().map_err(|_| PkiError::BadRequestSignature)?;
    Ok(key)
}
