//! A server that answers as it is told, also in ways that no right server would: HTTPS with its own authority, one
//! request a connection. It is authority and Graph at once.

#![allow(dead_code, reason = "each file of tests uses its part")]

use std::collections::BTreeMap;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use joinery_msgraph::{Graph, GraphSettings};
use rustls_pki_types::PrivatePkcs8KeyDer;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What was asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// With its query, as it came.
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Request {
    pub fn is_for_token(&self) -> bool {
        self.path.ends_with("/oauth2/v2.0/token")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The connection breaks after so many bytes of the body.
    pub cut_after: Option<usize>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into().into_bytes(), cut_after: None }
    }

    pub fn json(body: &serde_json::Value) -> Self {
        Self::new(200, body.to_string()).with("Content-Type", "application/json")
    }

    pub fn error(status: u16, code: &str) -> Self {
        let body = serde_json::json!({"error": {
            "code": code,
            "message": "canary@contoso.example",
            "innerError": {"request-id": "r-1"},
        }});
        Self::new(status, body.to_string())
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// A token that lives for an hour.
pub fn token(text: &str) -> Reply {
    Reply::json(&serde_json::json!({"token_type": "Bearer", "expires_in": 3599, "access_token": text}))
}

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// The running server, its authority's certificate and the application's secret in files.
pub struct Server {
    pub port: u16,
    pub ca_file: NamedTempFile,
    pub secret_file: NamedTempFile,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers token requests with the token `t`, everything else with `handler`.
    pub async fn graph(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(move |request| if request.is_for_token() { token("t") } else { handler(request) }).await
    }

    pub async fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.into())
            .unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let handler: Arc<Handler> = Arc::new(handler);
        let record = requests.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, handler, record) = (acceptor.clone(), handler.clone(), record.clone());
                tokio::spawn(async move {
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let Some(request) = read(&mut stream).await else { return };
                    let reply = handler(&request);
                    record.lock().unwrap().push(request);
                    write(&mut stream, &reply).await;
                });
            }
        });
        Self { port, ca_file: file(&made.cert.pem()), secret_file: file("secret-1\n"), requests }
    }

    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    pub fn settings(&self) -> GraphSettings {
        GraphSettings {
            tenant_id: "tenant-1".into(),
            client_id: "app-1".into(),
            secret_file: self.secret_file.path().to_owned(),
            authority_url: self.url().parse().unwrap(),
            graph_url: self.url().parse().unwrap(),
            ca_file: Some(self.ca_file.path().to_owned()),
        }
    }

    pub fn client(&self) -> Graph {
        Graph::new(self.settings()).unwrap()
    }

    pub fn set_secret(&self, secret: &str) {
        std::fs::write(self.secret_file.path(), secret).unwrap();
    }

    /// What was asked so far: of the authority, and of Graph.
    pub fn asked(&self) -> (Vec<Request>, Vec<Request>) {
        self.requests.lock().unwrap().iter().cloned().partition(Request::is_for_token)
    }
}

fn file(contents: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(contents.as_bytes()).unwrap();
    file
}

async fn read(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let field =
        |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: BTreeMap<_, _> = lines.filter_map(field).collect();
    let length: usize = headers.get("content-length").map_or(Some(0), |text| text.parse().ok())?;
    let mut body = bytes[end + 4..].to_vec();
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { method, path, headers, body: String::from_utf8(body).ok()? })
}

async fn write(stream: &mut (impl AsyncWriteExt + Unpin), reply: &Reply) {
    let mut head = format!(
        "HTTP/1.1 {} X\r\nConnection: close\r\nContent-Length: {}\r\n",
        reply.status,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let body = &reply.body[..reply.cut_after.unwrap_or(reply.body.len())];
    // The client may have hung up: that is its right.
    let _ = stream.write_all(head.as_bytes()).await;
    let _ = stream.write_all(body).await;
    let _ = stream.shutdown().await;
}
