//! The device's side of TLS: before it is enrolled and after.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, PeerIncompatible, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use zeroize::Zeroizing;

use super::{ALPN, VERSIONS, provider, root_store, server_name};
use crate::{EnrollError, TransportError};

/// What a device got at enrollment.
#[derive(Clone)]
pub struct DeviceTls {
    /// The device's certificate, DER.
    pub certificate: Vec<u8>,
    /// The key to it, PKCS#8, DER.
    pub key: Zeroizing<Vec<u8>>,
    /// Authorities that the connector's certificate must come from, DER.
    pub anchors: Vec<Vec<u8>>,
}

impl fmt::Debug for DeviceTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceTls(..)")
    }
}

impl DeviceTls {
    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, TransportError> {
        let bad = |error: Error| TransportError::BadDevice { reason: error.to_string() };
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.to_vec()));
        let config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(bad)?
            .with_root_certificates(root_store(&self.anchors)?)
            .with_client_auth_cert(vec![CertificateDer::from(self.certificate.clone())], key)
            .map_err(bad)?;
        Ok(Arc::new(common(config)))
    }
}

fn common(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    config
}

/// For enrollment only: any server certificate is taken, since the typed code proves who the server is, over this very
/// channel. Nothing but the proof may be sent before it has.
pub(crate) fn proof_config() -> Result<Arc<ClientConfig>, TransportError> {
    let provider = provider();
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(VERSIONS)
        .map_err(|error| TransportError::BadDevice { reason: error.to_string() })?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ProvedByCode(provider)))
        .with_no_client_auth();
    Ok(Arc::new(common(config)))
}

/// Takes any certificate, but only from who holds its key.
#[derive(Debug)]
struct ProvedByCode(Arc<CryptoProvider>);

impl ServerCertVerifier for ProvedByCode {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerIncompatible::Tls12NotOffered.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether the certificate that a server presented is one that sessions with `host` will accept: from the anchors, good
/// now, naming the host.
pub(crate) fn check_server(
    presented: &[CertificateDer<'_>],
    anchors: &[Vec<u8>],
    host: &str,
) -> Result<(), EnrollError> {
    let untrusted = |reason: String| EnrollError::ServerUntrusted { reason };
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(root_store(anchors)?), provider())
        .build()
        .map_err(|error| untrusted(error.to_string()))?;
    let (leaf, between) = presented.split_first().ok_or_else(|| untrusted("it showed none".to_owned()))?;
    match verifier.verify_server_cert(leaf, between, &server_name(host)?, &[], UnixTime::now()) {
        Ok(_) => Ok(()),
        Err(Error::InvalidCertificate(CertificateError::NotValidForName))
        | Err(Error::InvalidCertificate(CertificateError::NotValidForNameContext { .. })) => {
            Err(EnrollError::ServerName { host: host.to_owned() })
        }
        Err(error) => Err(untrusted(error.to_string())),
    }
}
