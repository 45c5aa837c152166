//! TLS as both ends use it: version 1.3 only, no resumption, no early data, keys and names of our own authority.
//!
//! The provider of the cryptography is always passed explicitly, never taken from the process.

mod alert;
mod device;
mod server;

use std::sync::Arc;

use joinery_pki::proof::ChannelBinding;
use rustls::crypto::CryptoProvider;
use rustls::{ConnectionCommon, RootCertStore, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, ServerName};

pub(crate) use alert::{TlsFault, WatchedStream, from_handshake};
pub use device::DeviceTls;
pub(crate) use device::{check_server, proof_config};
pub use server::{ServerIdentity, SharedServerTls};

use crate::TransportError;

/// Nothing older is spoken.
const VERSIONS: &[&SupportedProtocolVersion] = &[&rustls::version::TLS13];

/// gRPC runs over HTTP/2 only.
const ALPN: &[u8] = b"h2";

/// RFC 9266, section 4.2.
const BINDING_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn root_store(anchors: &[Vec<u8>]) -> Result<RootCertStore, TransportError> {
    let mut roots = RootCertStore::empty();
    for anchor in anchors {
        roots
            .add(CertificateDer::from(anchor.as_slice()))
            .map_err(|error| TransportError::BadAnchors { reason: error.to_string() })?;
    }
    if roots.is_empty() {
        return Err(TransportError::BadAnchors { reason: "there are none".to_owned() });
    }
    Ok(roots)
}

/// A host name or address; an IPv6 address may stand in brackets.
pub(crate) fn server_name(host: &str) -> Result<ServerName<'static>, TransportError> {
    ServerName::try_from(bare(host).to_owned()).map_err(|_| TransportError::BadHost { host: host.to_owned() })
}

/// The host without the brackets of an IPv6 address.
pub(crate) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

/// What ties a proof to this connection: 32 bytes exported under `EXPORTER-Channel-Binding`, without context.
pub(crate) fn channel_binding<D>(connection: &ConnectionCommon<D>) -> Result<ChannelBinding, TransportError> {
    connection
        .export_keying_material([0; 32], BINDING_LABEL, None)
        .map(ChannelBinding)
        .map_err(|error| TransportError::Lost { reason: error.to_string() })
}
