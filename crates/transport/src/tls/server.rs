//! The connector's side of TLS.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::RwLock;
use rustls::ServerConfig;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{ALPN, VERSIONS, provider, root_store};
use crate::TransportError;

/// A certificate chain, the connector's own first, and the key to it.
#[derive(Clone)]
pub struct ServerIdentity(Arc<CertifiedKey>);

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerIdentity(..)")
    }
}

impl ServerIdentity {
    /// Takes a chain (X.509, DER, the leaf first) and the leaf's key (PKCS#8, DER).
    ///
    /// # Errors
    /// [`TransportError::BadIdentity`] where they cannot be read or do not belong together.
    pub fn new(chain: Vec<Vec<u8>>, key: &[u8]) -> Result<Self, TransportError> {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        CertifiedKey::from_der(chain, key, &provider())
            .map(|certified| Self(Arc::new(certified)))
            .map_err(|error| TransportError::BadIdentity { reason: error.to_string() })
    }

    fn check_time(&self, now: Timestamp) -> Result<(), TransportError> {
        let bad = |reason: &str| TransportError::BadIdentity { reason: reason.to_owned() };
        let leaf = self.0.cert.first().ok_or_else(|| bad("there is none"))?;
        let life = joinery_pki::validity(leaf).map_err(|_| bad("it cannot be read"))?;
        if now < life.not_before || life.not_after < now {
            return Err(bad("the time is outside its validity"));
        }
        Ok(())
    }
}

/// What both ports show of themselves; replaced while they serve. New connections see the new identity, open ones go on.
#[derive(Clone)]
pub struct SharedServerTls(Arc<RwLock<Arc<CertifiedKey>>>);

impl fmt::Debug for SharedServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedServerTls(..)")
    }
}

impl ResolvesServerCert for SharedServerTls {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read()))
    }
}

impl SharedServerTls {
    /// Starts with this identity.
    ///
    /// # Errors
    /// [`TransportError::BadIdentity`] where the certificate is not good now.
    pub fn new(identity: ServerIdentity) -> Result<Self, TransportError> {
        identity.check_time(Timestamp::now())?;
        Ok(Self(Arc::new(RwLock::new(identity.0))))
    }

    /// From the next connection on, this identity. Where it is refused, the old one stays.
    ///
    /// # Errors
    /// [`TransportError::BadIdentity`] where the certificate is not good now.
    pub fn replace(&self, identity: ServerIdentity) -> Result<(), TransportError> {
        identity.check_time(Timestamp::now())?;
        *self.0.write() = identity.0;
        Ok(())
    }

    /// For the enrollment port: nobody has a certificate yet.
    pub(crate) fn enrollment_config(&self) -> Result<Arc<ServerConfig>, TransportError> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(bad_identity)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(self.clone()));
        Ok(Arc::new(common(config)))
    }

    /// For the session port: a certificate for connecting, issued by one of `anchors` and good now, or no handshake.
    pub(crate) fn session_config(&self, anchors: &[Vec<u8>]) -> Result<Arc<ServerConfig>, TransportError> {
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(root_store(anchors)?), provider())
                .build()
                .map_err(|error| TransportError::BadAnchors { reason: error.to_string() })?;
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(VERSIONS)
            .map_err(bad_identity)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(self.clone()));
        Ok(Arc::new(common(config)))
    }
}

fn bad_identity(error: rustls::Error) -> TransportError {
    TransportError::BadIdentity { reason: error.to_string() }
}

/// Every connection is a full handshake: a resumed one would skip the look at the client's certificate, and early data
/// can be replayed.
fn common(mut config: ServerConfig) -> ServerConfig {
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config
}
