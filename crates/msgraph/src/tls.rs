//! Whom to trust: the system's certificate authorities, and those of `ca_file` besides.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::GraphError;

/// TLS 1.2 and 1.3, as Microsoft's servers speak them.
pub(crate) fn client_config(ca_file: Option<&Path>) -> Result<rustls::ClientConfig, GraphError> {
    let mut roots = RootCertStore::empty();
    // A system without authorities, or with a broken one among them, is no reason to fail: others may be enough.
    let system = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(system.certs);
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    if roots.is_empty() {
        return Err(GraphError::NoAuthorities);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| GraphError::Setup { problem: error.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), GraphError> {
    let unusable = |problem: String| GraphError::CaFile { path: path.to_owned(), problem };
    let pem = std::fs::read(path).map_err(|error| unusable(format!("cannot be read: {error}")))?;
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let odd =
            "holds something that is not a certificate; put only certificate authorities in PEM form into it";
        let certificate = certificate.map_err(|_| unusable(odd.to_owned()))?;
        roots.add(certificate).map_err(|_| unusable(odd.to_owned()))?;
        found = true;
    }
    if !found {
        return Err(unusable(
            "holds no certificate; put the authority's certificate in PEM form into it".to_owned(),
        ));
    }
    Ok(())
}
