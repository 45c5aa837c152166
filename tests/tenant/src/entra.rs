//! The token endpoint of Entra ID: client credentials with a secret (graph contract, sections 1.2 and 1.6).

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::refusal::Refusal;

/// The registered application and the tokens it was given.
#[derive(Debug)]
pub struct Entra {
    /// Tenant's GUID.
    pub tenant_id: String,
    /// Verified domains: each names the tenant too.
    pub domains: Vec<String>,
    /// The application's id.
    pub client_id: String,
    /// The secret that is good.
    pub secret: String,
    /// Secrets that were good once: their use is no mistake of the client.
    retired: Vec<String>,
    /// The secret has run out.
    pub secret_expired: bool,
    /// The application was switched off in the tenant.
    pub disabled: bool,
    /// Application permissions with consent.
    pub roles: Vec<String>,
    /// How long tokens live.
    pub lifetime: Duration,
    tokens: HashMap<String, Grant>,
}

#[derive(Debug)]
struct Grant {
    audience: String,
    expires: Timestamp,
    roles: Vec<String>,
    revoked: bool,
}

/// Resources that every tenant knows besides the simulated Graph; their tokens are good for nothing here.
const OTHER_RESOURCES: [&str; 3] =
    ["https://graph.microsoft.com", "https://management.azure.com", "https://outlook.office365.com"];

const KNOWN_PARAMETERS: [&str; 6] =
    ["grant_type", "client_id", "client_secret", "scope", "client_assertion", "client_assertion_type"];

/// An error of the token endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRefusal {
    /// HTTP status: 401 for `invalid_client`, 400 for the others.
    pub status: u16,
    /// `error`, the only part that clients may react to.
    pub error: &'static str,
    /// Number of the AADSTS code.
    pub number: u32,
    /// Text behind the number.
    pub text: String,
    /// A correct client never gets here.
    pub mistake: bool,
}

impl Entra {
    /// An application with `secret` and `roles` in the tenant `tenant_id`.
    pub fn new(
        tenant_id: String,
        client_id: String,
        secret: String,
        domains: Vec<String>,
        roles: Vec<String>,
    ) -> Self {
        Self {
            tenant_id,
            domains,
            client_id,
            secret,
            retired: Vec::new(),
            secret_expired: false,
            disabled: false,
            roles,
            lifetime: Duration::from_secs(3599),
            tokens: HashMap::new(),
        }
    }

    /// Answers a form posted to `{tenant}/oauth2/v2.0/token`. `graph` is Graph's root; `seed` becomes the token.
    pub fn token(
        &mut self,
        now: Timestamp,
        tenant: &str,
        form: &[(String, String)],
        basic: Option<&str>,
        graph: &str,
        seed: [u8; 32],
    ) -> Result<Value, TokenRefusal> {
        let known_tenant = std::iter::once(&self.tenant_id)
            .chain(&self.domains)
            .any(|name| name.eq_ignore_ascii_case(tenant));
        if !known_tenant {
            return Err(refuse("invalid_request", 90002, format!("Tenant '{tenant}' not found.")));
        }
        if let Some((name, _)) = form.iter().find(|(name, _)| !KNOWN_PARAMETERS.contains(&name.as_str())) {
            return Err(refuse(
                "invalid_request",
                900_144,
                format!("The request body contains an unknown parameter: '{name}'."),
            ));
        }
        let basic = basic.and_then(decode_basic);
        let value = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let needed = |name: &str| {
            let text = format!("The request body must contain the following parameter: '{name}'.");
            value(name)
                .filter(|value| !value.is_empty())
                .ok_or_else(|| refuse("invalid_request", 900_144, text))
        };
        if needed("grant_type")? != "client_credentials" {
            let text = "The app requested an unsupported grant type.";
            return Err(refuse("unsupported_grant_type", 70003, text));
        }
        let client = match &basic {
            Some((client, _)) => client.as_str(),
            None => needed("client_id")?,
        };
        let resource = needed("scope")?.strip_suffix("/.default").filter(|resource| !resource.contains(' '));
        let resource = resource.ok_or_else(|| refuse("invalid_scope", 1_002_012, "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier."))?;
        self.authenticate(
            client,
            basic.as_ref().map(|(_, secret)| secret.as_str()).or(value("client_secret")),
            value("client_assertion").is_some(),
        )?;
        if resource != graph && !OTHER_RESOURCES.contains(&resource) {
            let text = format!("The resource principal named {resource} was not found in the tenant.");
            return Err(refuse("invalid_resource", 500_011, text));
        }
        let token = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.{}", URL_SAFE_NO_PAD.encode(seed));
        let expires = now.checked_add(self.lifetime).unwrap_or(Timestamp::MAX);
        self.tokens.retain(|_, grant| grant.expires > now);
        let grant =
            Grant { audience: resource.to_owned(), expires, roles: self.roles.clone(), revoked: false };
        self.tokens.insert(token.clone(), grant);
        let seconds = self.lifetime.as_secs();
        Ok(
            json!({"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}),
        )
    }

    fn authenticate(&self, client: &str, secret: Option<&str>, assertion: bool) -> Result<(), TokenRefusal> {
        if !client.eq_ignore_ascii_case(&self.client_id) {
            let text = format!("Application with identifier '{client}' was not found in the directory.");
            return Err(refuse("unauthorized_client", 700_016, text));
        }
        if self.disabled {
            let text = format!("Application '{client}' is disabled.");
            return Err(TokenRefusal { mistake: false, ..refuse("unauthorized_client", 7_000_112, text) });
        }
        if assertion {
            let text = "The certificate with identifier used to sign the client assertion is not registered on application.";
            return Err(refuse("invalid_client", 700_027, text));
        }
        let Some(secret) = secret else {
            let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            return Err(refuse("invalid_client", 7_000_218, text));
        };
        if secret != self.secret {
            let text = "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.";
            let mistake = !self.retired.iter().any(|retired| retired == secret);
            return Err(TokenRefusal { mistake, ..refuse("invalid_client", 7_000_215, text) });
        }
        if self.secret_expired {
            let text = "The provided client secret keys are expired.";
            return Err(TokenRefusal { mistake: false, ..refuse("invalid_client", 7_000_222, text) });
        }
        Ok(())
    }

    /// The permissions behind an `Authorization` header, or 401.
    pub fn authorize(
        &self,
        now: Timestamp,
        header: Option<&str>,
        graph: &str,
    ) -> Result<Vec<String>, Refusal> {
        let refuse = |text: &str| {
            Refusal::mistake(401, "InvalidAuthenticationToken", text)
                .with_header("www-authenticate", "Bearer realm=\"\", error=\"invalid_token\"")
        };
        let header = header.ok_or_else(|| refuse("Access token is empty."))?;
        let token = header
            .strip_prefix("Bearer ")
            .ok_or_else(|| refuse("The authorization scheme is not Bearer."))?;
        let grant =
            self.tokens.get(token).ok_or_else(|| refuse("The token is unknown, or expired long ago."))?;
        if grant.revoked {
            return Err(Refusal { mistake: false, ..refuse("The token was revoked.") });
        }
        if grant.expires <= now {
            return Err(refuse("Lifetime validation failed, the token is expired."));
        }
        if grant.audience != graph {
            return Err(refuse("Access token validation failure. Invalid audience."));
        }
        Ok(grant.roles.clone())
    }

    /// Replaces the secret.
    pub fn change_secret(&mut self, secret: String) {
        self.retired.push(std::mem::replace(&mut self.secret, secret));
    }

    /// Lets Graph refuse every token given so far, as after a change of credentials.
    pub fn revoke_tokens(&mut self) {
        self.tokens.values_mut().for_each(|grant| grant.revoked = true);
    }
}

impl TokenRefusal {
    /// Entra's shape of an error.
    pub fn to_json(&self, now: Timestamp, trace: &str) -> Value {
        let at = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let (number, text) = (self.number, &self.text);
        json!({
            "error": self.error,
            "error_description": format!("AADSTS{number}: {text} Trace ID: {trace} Correlation ID: {trace} Timestamp: {at}"),
            "error_codes": [number],
            "timestamp": at,
            "trace_id": trace,
            "correlation_id": trace,
        })
    }
}

/// A mistake of the client; the status follows from the error.
pub fn refuse(error: &'static str, number: u32, text: impl Into<String>) -> TokenRefusal {
    let status = if error == "invalid_client" { 401 } else { 400 };
    TokenRefusal { status, error, number, text: text.into(), mistake: true }
}

fn decode_basic(header: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (client, secret) = text.split_once(':')?;
    let plain = |part: &str| {
        percent_encoding::percent_decode_str(part).decode_utf8().ok().map(|text| text.into_owned())
    };
    Some((plain(client)?, plain(secret)?))
}

/// Sixteen bytes written as a GUID.
pub fn guid(bytes: [u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}
