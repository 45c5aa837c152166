//! The application's token: asked for with its secret, kept, renewed before it ends, by one request at a time.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::HeaderValue;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::endpoints::Endpoints;
use crate::exchange::Exchange;
use crate::wire::TokenBody;
use crate::{EntraError, GraphError, GraphSettings};

/// A token is renewed this long before it ends, or at half its life if that is shorter, so that an Entra that is away
/// for a moment is not noticed.
const RENEW_EARLY: Duration = Duration::from_secs(300);
/// After an early renewal failed, the token that is still good is used for this long before the next try.
const RENEW_AGAIN: Duration = Duration::from_secs(30);
/// Entra's tokens live for an hour or a day; more is a mistake.
const LONGEST_LIFE: Duration = Duration::from_secs(86_400);
/// How long a refusal is remembered: thousands of mailboxes that need the same token ask once. A changed secret is
/// tried at once.
const REFUSAL_HOLDS: Duration = Duration::from_secs(10);
/// The same for an Entra that cannot be reached.
const FAILURE_HOLDS: Duration = Duration::from_secs(1);
/// A secret is 40 characters; a larger file is something else.
const LARGEST_SECRET_FILE: usize = 4096;

/// The tokens of one application in one tenant.
pub(crate) struct Tokens {
    client_id: String,
    secret_file: PathBuf,
    current: Mutex<Option<Arc<Token>>>,
    /// Whose turn it is to ask, and what the last one who did was told.
    turn: tokio::sync::Mutex<Option<Failure>>,
}

/// One token.
pub(crate) struct Token {
    header: HeaderValue,
    renew_at: Instant,
    ends_at: Instant,
}

impl Token {
    /// The value of the `Authorization` header; it does not print itself.
    pub fn header(&self) -> HeaderValue {
        self.header.clone()
    }
}

struct Failure {
    error: GraphError,
    secret: Zeroizing<String>,
    until: Instant,
}

impl Tokens {
    pub fn new(settings: &GraphSettings) -> Self {
        Self {
            client_id: settings.client_id.clone(),
            secret_file: settings.secret_file.clone(),
            current: Mutex::new(None),
            turn: tokio::sync::Mutex::new(None),
        }
    }

    /// A token that is good now.
    pub async fn token(&self, exchange: &Exchange, endpoints: &Endpoints) -> Result<Arc<Token>, GraphError> {
        let held = self.current();
        let good = held.filter(|token| Instant::now() < token.ends_at);
        let mut turn = match good {
            Some(token) if Instant::now() < token.renew_at => return Ok(token),
            // Somebody else renews it already; it is good until they are done.
            Some(token) => match self.turn.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(token),
            },
            None => self.turn.lock().await,
        };
        let held = self.current();
        let now = Instant::now();
        if let Some(token) = held.as_ref().filter(|token| now < token.renew_at) {
            return Ok(token.clone());
        }
        let renewed = self.renew(&mut turn, exchange, endpoints).await;
        let good = held.filter(|token| Instant::now() < token.ends_at);
        let token = match (renewed, good) {
            (Ok(token), _) => token,
            (Err(error), Some(token)) => {
                // Nobody has to wait for this failure to pass: the token that is good says when to ask again.
                *turn = None;
                tracing::warn!(code = error.code(), "The Graph token could not be renewed early: {error}");
                let renew_at =
                    Instant::now().checked_add(RENEW_AGAIN).unwrap_or(token.ends_at).min(token.ends_at);
                Arc::new(Token { header: token.header(), renew_at, ends_at: token.ends_at })
            }
            (Err(error), None) => return Err(error),
        };
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    /// Graph did not accept `refused`: it is not used again.
    pub fn forget(&self, refused: &Token) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|token| token.header == refused.header) {
            *current = None;
        }
    }

    fn current(&self) -> Option<Arc<Token>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn renew(
        &self,
        last: &mut Option<Failure>,
        exchange: &Exchange,
        endpoints: &Endpoints,
    ) -> Result<Arc<Token>, GraphError> {
        let secret = self.secret().await?;
        let now = Instant::now();
        if let Some(failure) = last.take_if(|failure| now >= failure.until || failure.secret != secret) {
            tracing::trace!(code = failure.error.code(), "Asking for a token again");
        }
        if let Some(failure) = last {
            return Err(failure.error.clone());
        }
        match self.ask(&secret, exchange, endpoints).await {
            Ok(token) => Ok(Arc::new(token)),
            Err(error) => {
                let holds = match error.retry_after() {
                    Some(asked) => asked.min(LONGEST_LIFE),
                    None if error.is_retryable() => FAILURE_HOLDS,
                    None => REFUSAL_HOLDS,
                };
                let until = Instant::now().checked_add(holds).unwrap_or(now);
                *last = Some(Failure { error: error.clone(), secret, until });
                Err(error)
            }
        }
    }

    async fn ask(
        &self,
        secret: &str,
        exchange: &Exchange,
        endpoints: &Endpoints,
    ) -> Result<Token, GraphError> {
        let asked_at = Instant::now();
        let request = exchange.client.post(endpoints.token()).form(&[
            ("grant_type", "client_credentials"),
            ("client_id", &self.client_id),
            ("client_secret", secret),
            ("scope", endpoints.scope()),
        ]);
        let answer = exchange.send(request).await?;
        if !answer.is_success() {
            return Err(EntraError::of(&answer).into());
        }
        let what = "a token";
        let body: TokenBody = answer.json(what)?;
        if !body.token_type.eq_ignore_ascii_case("bearer") {
            return Err(answer.malformed(what));
        }
        let access_token = Zeroizing::new(body.access_token);
        let text = Zeroizing::new(format!("Bearer {}", *access_token));
        let mut header = HeaderValue::from_str(&text).map_err(|_| answer.malformed(what))?;
        header.set_sensitive(true);
        let life = Duration::from_secs(body.expires_in).min(LONGEST_LIFE);
        let until_renewal = life.saturating_sub(RENEW_EARLY).max(life / 2);
        let after = |life| asked_at.checked_add(life).unwrap_or(asked_at);
        tracing::debug!(seconds = life.as_secs(), "A Graph token was issued");
        Ok(Token { header, renew_at: after(until_renewal), ends_at: after(life) })
    }

    /// The secret as it is in its file now.
    async fn secret(&self) -> Result<Zeroizing<String>, GraphError> {
        let unusable = |problem: String| GraphError::SecretFile { path: self.secret_file.clone(), problem };
        let bytes = tokio::fs::read(&self.secret_file).await.map(Zeroizing::new);
        let bytes = bytes.map_err(|error| {
            unusable(format!("cannot be read: {error}; put the application's secret there, readable for this program's user"))
        })?;
        let wrong = "does not hold a client secret; put the secret's value there, and nothing else";
        let text = std::str::from_utf8(&bytes).map_err(|_| unusable(wrong.to_owned()))?.trim();
        if text.is_empty() || text.len() > LARGEST_SECRET_FILE || text.contains(char::is_control) {
            return Err(unusable(wrong.to_owned()));
        }
        Ok(Zeroizing::new(text.to_owned()))
    }
}
