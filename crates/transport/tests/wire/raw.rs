//! The wire without our own ends: clients that do as they like, servers that say what they like, and people in the
//! middle.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use joinery_pki::Authority;
use joinery_transport::DeviceTls;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};

use crate::connector::soon;

pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A client that takes any server; with a certificate of its own or without, of these TLS versions.
pub fn client_config(
    identity: Option<&DeviceTls>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone));
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key.to_vec()));
            builder.with_client_auth_cert(vec![identity.certificate.clone().into()], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

pub async fn tls(address: SocketAddr, config: Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(config).connect(ServerName::from(address.ip()), stream).await
}

/// A gRPC channel over such a client. Made by the library, so that it shares nothing with our own.
pub async fn channel(address: SocketAddr, config: Arc<ClientConfig>) -> Channel {
    let connect = tower::service_fn(move |_| {
        let config = Arc::clone(&config);
        async move { tls(address, config).await.map(TokioIo::new) }
    });
    Endpoint::from_static("http://connector").connect_with_connector_lazy(connect)
}

/// Calls a method with an empty message; answers the gRPC status and our own code, or `None` where the connection broke.
pub async fn call(address: SocketAddr, config: Arc<ClientConfig>, method: &str) -> Option<(String, String)> {
    let mut calls = Calls::open(address, config).await?;
    calls.call(method).await
}

/// One connection for several calls.
pub struct Calls(hyper::client::conn::http2::SendRequest<Body>);

impl Calls {
    pub async fn open(address: SocketAddr, config: Arc<ClientConfig>) -> Option<Self> {
        let stream = tls(address, config).await.ok()?;
        let (requests, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.ok()?;
        tokio::spawn(connection);
        Some(Self(requests))
    }

    pub async fn call(&mut self, method: &str) -> Option<(String, String)> {
        let request = Request::post(format!("https://connector{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Body::empty())
            .unwrap();
        let response = soon(self.0.send_request(request)).await.ok()?;
        assert_eq!(response.status(), StatusCode::OK);
        let header = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
        };
        Some((header("grpc-status"), header("joinery-code")))
    }
}

pub fn server_config(authority: &Authority, device_anchors: bool) -> Arc<ServerConfig> {
    let made = authority.issue_server(&["127.0.0.1".to_owned()], jiff::Timestamp::now(), [9; 16]).unwrap();
    let builder = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap();
    let builder = if device_anchors {
        let mut roots = RootCertStore::empty();
        roots.add(authority.certificate().to_vec().into()).unwrap();
        let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider());
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.key.to_vec()));
    let mut config = builder.with_single_cert(vec![made.certificate.into()], key).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

/// A server of `service` that is not ours.
pub async fn serve<S>(config: Arc<ServerConfig>, service: S) -> SocketAddr
where
    S: tower::Service<Request<Incoming>, Response = http::Response<Body>, Error = std::convert::Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, service) = (TlsAcceptor::from(Arc::clone(&config)), service.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = hyper_util::service::TowerToHyperService::new(service);
                let _ended = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    address
}

/// Somebody who answers for `target` with a certificate of their own and passes on everything, in clear to them.
pub async fn man_in_the_middle(target: SocketAddr, authority: &Authority) -> SocketAddr {
    let acceptor = TlsAcceptor::from(server_config(authority, false));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut victim = acceptor.accept(stream).await.unwrap();
                let config = client_config(None, &[&rustls::version::TLS13]);
                let mut server = tls(target, config).await.unwrap();
                let _ended = copy_bidirectional(&mut victim, &mut server).await;
            });
        }
    });
    address
}

/// A wire to `target` that breaks when told to.
pub async fn breakable(target: SocketAddr, cut: tokio_util::sync::CancellationToken) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let cut = cut.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(target).await.unwrap();
                tokio::select! {
                    _ = copy_bidirectional(&mut near, &mut far) => {}
                    () = cut.cancelled() => {}
                }
            });
        }
    });
    address
}
