//! Whom to trust: the system's certificate authorities, and those of `ca_file` besides.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::GraphError;

/// TLS 1.2 and 1.3, as Microsoft's servers speak them.
pub(crate) fn client_config(ca_file: Option<&Path>) -> Result<rustls::ClientConfig, GraphError> {
    // What cannot be read of the system's is left out: the rest, or ca_file, may be enough.
    let roots = roots(rustls_native_certs::load_native_certs().certs, ca_file)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| GraphError::Setup { problem: error.to_string() })?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(system: Vec<CertificateDer<'static>>, ca_file: Option<&Path>) -> Result<RootCertStore, GraphError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system);
    if let Some(path) = ca_file {
        add_file(&mut roots, path)?;
    }
    if roots.is_empty() { Err(GraphError::NoAuthorities) } else { Ok(roots) }
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn authority() -> (String, CertificateDer<'static>) {
        let certificate = rcgen::generate_simple_self_signed(["authority.example".to_owned()]).unwrap().cert;
        (certificate.pem(), certificate.der().clone())
    }

    fn file(contents: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(contents.as_bytes()).unwrap();
        file
    }

    #[test]
    fn a_missing_system_store_matters_only_without_a_ca_file() {
        let (pem, der) = authority();
        let ca_file = file(&pem);
        assert_eq!(roots(Vec::new(), Some(ca_file.path())).unwrap().len(), 1);
        assert_eq!(roots(vec![der.clone()], None).unwrap().len(), 1);
        let odd = CertificateDer::from(vec![1, 2, 3]);
        assert_eq!(roots(vec![odd, der], Some(ca_file.path())).unwrap().len(), 2);
        assert_eq!(roots(Vec::new(), None).unwrap_err(), GraphError::NoAuthorities);
    }

    #[test]
    fn a_ca_file_may_hold_several_authorities() {
        let ca_file = file(&format!("# ours\n{}\n{}", authority().0, authority().0));
        assert_eq!(roots(Vec::new(), Some(ca_file.path())).unwrap().len(), 2);
    }

    #[test]
    fn an_unusable_ca_file_is_named() {
        let check = |contents: &str, want: &str| {
            let ca_file = file(contents);
            let error = roots(Vec::new(), Some(ca_file.path())).unwrap_err();
            assert!(error.to_string().contains(&ca_file.path().display().to_string()), "{error}");
            assert!(error.to_string().contains(want), "{error}");
        };
        check("", "holds no certificate");
        check("canary", "holds no certificate");
        check("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "not a certificate");
        check("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n", "not a certificate");
        let error = roots(Vec::new(), Some(Path::new("/nowhere/ca.pem"))).unwrap_err();
        assert!(error.to_string().starts_with("ca_file /nowhere/ca.pem cannot be read: "), "{error}");
    }
}
