//! One request and its whole answer, bounded in time and size.

use std::error::Error;
use std::io;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;

use crate::GraphError;
use crate::error::printable;

/// A server that does not take a connection in this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Graph's own gateways give up after 100 seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(100);
/// A connection on which nothing arrives for this long is dead.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(45);
/// A page holds 50 events, whose bodies Exchange limits; real pages stay below a few MiB.
pub(crate) const MAX_BODY: usize = 32 * 1024 * 1024;

/// The HTTP client for one tenant's two servers.
pub(crate) struct Exchange {
    pub client: reqwest::Client,
}

/// A complete answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub host: String,
    pub status: u16,
    pub retry_after: Option<Duration>,
    pub request_id: Option<String>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Reads the body as JSON; `expected` names it in the error.
    pub fn json<T: serde::de::DeserializeOwned>(&self, expected: &'static str) -> Result<T, GraphError> {
        serde_json::from_slice(&self.body).map_err(|_| self.malformed(expected))
    }

    pub fn malformed(&self, expected: &'static str) -> GraphError {
        GraphError::Malformed { host: self.host.clone(), expected, request_id: self.request_id.clone() }
    }
}

impl Exchange {
    pub fn new(tls: rustls::ClientConfig) -> Result<Self, GraphError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            // Graph does not redirect; a redirection would carry the token along.
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(SILENCE_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .user_agent(concat!("Joinery/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| GraphError::Setup { problem: root_cause(&error) })?;
        Ok(Self { client })
    }

    /// Sends `request` and reads the whole answer, at most [`MAX_BODY`] bytes of it.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, GraphError> {
        let request = request
            .build()
            .map_err(|error| GraphError::Setup { problem: root_cause(&error.without_url()) })?;
        let host = request.url().host_str().unwrap_or_default().to_owned();
        let failed = |error: reqwest::Error| failure(&host, &error);
        let mut response = self.client.execute(request).await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len().saturating_add(chunk.len()) > MAX_BODY {
                return Err(GraphError::TooLarge { host, limit: MAX_BODY });
            }
            body.extend_from_slice(&chunk);
        }
        let headers = response.headers();
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after(headers, Timestamp::now()),
            request_id: header(headers, "request-id").and_then(printable).map(str::to_owned),
            host,
            body,
        })
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// `Retry-After`: seconds, which Graph may give with a fraction, or a date.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = header(headers, RETRY_AFTER.as_str())?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO))
}

/// Puts a client error into our words: what the library says may hold the address of a mailbox.
fn failure(host: &str, error: &reqwest::Error) -> GraphError {
    let host = host.to_owned();
    if error.is_timeout() {
        return GraphError::TimedOut { host };
    }
    if let Some(tls) = tls_error(error) {
        let problem = tls.to_string();
        return match tls {
            rustls::Error::InvalidCertificate(_) => GraphError::Untrusted { host, problem },
            _ => GraphError::Unreachable { host, problem },
        };
    }
    if error.is_dns() {
        return GraphError::Unreachable { host, problem: "its name cannot be resolved".to_owned() };
    }
    if error.is_connect() {
        return GraphError::Unreachable { host, problem: root_cause(error) };
    }
    GraphError::CutOff { host }
}

/// The error and what caused it, the innermost last. An I/O error does not name what it wraps as its source, so that is
/// looked for inside.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    })
}

fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The innermost cause: the operating system's or TLS's words, which name no address of a mailbox.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_may_be_fractional_or_a_date() {
        let now = "2026-11-24T09:00:00Z".parse().unwrap();
        let check = |text: &str, want: Option<f64>| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            assert_eq!(retry_after(&headers, now).map(|wait| wait.as_secs_f64()), want, "{text}");
        };
        check("120", Some(120.0));
        check("2.128", Some(2.128));
        check(" 7 ", Some(7.0));
        check("0", Some(0.0));
        check("Tue, 24 Nov 2026 09:01:30 GMT", Some(90.0));
        check("Tue, 24 Nov 2026 08:00:00 GMT", Some(0.0));
        for odd in ["-1", "soon", "NaN", "inf", "1e300", ""] {
            check(odd, None);
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
