//! A plain client of the tenant, without any of the product's code.

use joinery_tenant::{Options, Tenant};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

pub const ROOM: &str = "room@contoso.example";

pub struct Client {
    pub tenant: Tenant,
    pub http: reqwest::Client,
    pub token: String,
}

pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn items(&self) -> &[Value] {
        self.body["value"].as_array().unwrap()
    }

    pub fn link(&self, name: &str) -> Option<&str> {
        self.body[format!("@odata.{name}")].as_str()
    }
}

pub fn options() -> Options {
    Options { mailboxes: vec![(ROOM.to_owned(), joinery_tenant::MailboxKind::Room)], ..Options::default() }
}

impl Client {
    pub async fn start(options: Options) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tenant = Tenant::start(options).await.unwrap();
        let ca = reqwest::Certificate::from_pem(tenant.ca_pem().as_bytes()).unwrap();
        let http = reqwest::Client::builder().tls_certs_only([ca]).build().unwrap();
        let mut client = Self { tenant, http, token: String::new() };
        client.token = client.new_token().await;
        client
    }

    pub async fn new_token(&self) -> String {
        let answer = self.ask_token(&[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Asks for a token, with some parameters replaced; an empty value leaves a parameter out.
    pub async fn ask_token(&self, changes: &[(&str, &str)]) -> Answer {
        let tenant = &self.tenant;
        let (id, secret) = (tenant.client_id(), tenant.client_secret());
        let scope = format!("{}/.default", tenant.graph_url());
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", id.as_str()),
            ("client_secret", secret.as_str()),
            ("scope", scope.as_str()),
        ];
        for (name, value) in changes {
            form.retain(|(known, _)| known != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        let url = format!("{}/{}/oauth2/v2.0/token", tenant.authority_url(), tenant.tenant_id());
        send(self.http.post(url).form(&form)).await
    }

    /// A request below `/v1.0`, or to a whole link.
    pub fn request(&self, method: Method, target: &str) -> RequestBuilder {
        let url = match target.strip_prefix("https://") {
            Some(_) => target.to_owned(),
            None => format!("{}/v1.0{target}", self.tenant.graph_url()),
        };
        self.http.request(method, url).bearer_auth(&self.token)
    }

    pub async fn get(&self, target: &str) -> Answer {
        send(self.request(Method::GET, target)).await
    }

    pub async fn get_preferring(&self, target: &str, prefer: &str) -> Answer {
        send(self.request(Method::GET, target).header("prefer", prefer)).await
    }

    pub async fn post(&self, target: &str, body: &Value) -> Answer {
        send(self.request(Method::POST, target).json(body)).await
    }

    pub async fn patch(&self, target: &str, body: &Value) -> Answer {
        send(self.request(Method::PATCH, target).json(body)).await
    }

    pub async fn delete(&self, target: &str) -> Answer {
        send(self.request(Method::DELETE, target)).await
    }

    /// Walks a delta round from `target` to its end: everything reported, and the delta link.
    pub async fn round(&self, target: &str, prefer: &str) -> (Vec<Value>, String) {
        let mut items = Vec::new();
        let mut target = target.to_owned();
        for _ in 0..1000 {
            let answer = self.get_preferring(&target, prefer).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            items.extend(answer.items().iter().cloned());
            if let Some(link) = answer.link("deltaLink") {
                return (items, link.to_owned());
            }
            target = answer.link("nextLink").expect("one of the two links").to_owned();
        }
        panic!("the round does not end");
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.unwrap();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    assert!(status == StatusCode::NO_CONTENT || !body.is_null(), "{status} without a body");
    Answer { status: status.as_u16(), headers, body }
}
