//! The whole tenant as a value: a request goes in, an answer comes out, and the world is another. HTTP, the clock and
//! the random source stay outside.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::Timestamp;
use serde_json::Value;

use crate::entra::Entra;
use crate::faults::{Fault, Faults, Place, code_of};
use crate::ids::Seed;
use crate::journal::{Journal, Request, Violation};
use crate::mailbox::{Mailbox, MailboxKind};
use crate::refusal::Refusal;
use crate::routes;

/// A request as it arrived.
#[derive(Debug)]
pub struct Incoming {
    /// Verb.
    pub method: Method,
    /// Path, still encoded.
    pub path: String,
    /// Query, still encoded.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Whole body.
    pub body: Bytes,
    /// Fresh randomness, for whatever the answer needs of it.
    pub seed: [u8; 32],
}

/// An answer as it is to be sent.
#[derive(Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// Headers besides the content's.
    pub headers: Vec<(&'static str, String)>,
    /// JSON, if there is a body.
    pub body: Option<Value>,
    /// Break off in the middle of the body.
    pub cut: bool,
    /// Wait first.
    pub delay: Option<Duration>,
    /// The mailbox that counts this request as running until it is answered.
    pub running: Option<String>,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// Graph's root, without version: also the resource that tokens are for.
    pub graph_url: String,
    /// Tokens and the application.
    pub entra: Entra,
    /// Faults on order.
    pub faults: Faults,
    /// What happened.
    pub journal: Journal,
    /// Most items on a page, whatever the client prefers.
    pub page_limit: Option<usize>,
    /// Delta pages repeat items.
    pub replay: bool,
    /// Delta gives empty pages in between.
    pub empty_pages: bool,
    mailboxes: BTreeMap<String, Mailbox>,
    running: BTreeMap<String, usize>,
}

/// Requests of an application that a mailbox runs at a time (graph contract, section 10).
pub const MAILBOX_CONCURRENCY: usize = 4;

impl Reply {
    /// An answer with a JSON body.
    pub fn json(status: u16, body: Value) -> Self {
        Self { body: Some(body), ..Self::empty(status) }
    }

    /// An answer without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: None, cut: false, delay: None, running: None }
    }
}

impl World {
    /// A tenant without mailboxes.
    pub fn new(graph_url: String, entra: Entra) -> Self {
        Self {
            graph_url,
            entra,
            faults: Faults::default(),
            journal: Journal::default(),
            page_limit: None,
            replay: false,
            empty_pages: false,
            mailboxes: BTreeMap::new(),
            running: BTreeMap::new(),
        }
    }

    /// Adds a mailbox; one that is there stays as it is.
    pub fn add_mailbox(&mut self, address: &str, kind: MailboxKind, seed: Seed) {
        self.mailboxes.entry(address.to_lowercase()).or_insert_with(|| Mailbox::new(address, kind, seed));
    }

    /// The mailbox of this address or object id.
    pub fn mailbox(&self, name: &str) -> Option<&Mailbox> {
        let by_id = || self.mailboxes.values().find(|mailbox| mailbox.object_id.eq_ignore_ascii_case(name));
        self.mailboxes.get(&name.to_lowercase()).or_else(by_id)
    }

    /// The mailbox of this address or object id, to be changed.
    pub fn mailbox_mut(&mut self, name: &str) -> Option<&mut Mailbox> {
        let key = name.to_lowercase();
        if self.mailboxes.contains_key(&key) {
            return self.mailboxes.get_mut(&key);
        }
        self.mailboxes.values_mut().find(|mailbox| mailbox.object_id.eq_ignore_ascii_case(name))
    }

    /// All mailboxes, by address.
    pub fn mailboxes(&self) -> impl Iterator<Item = &Mailbox> {
        self.mailboxes.values()
    }

    /// Answers a request and keeps the books.
    pub fn answer(&mut self, now: Timestamp, request: &Incoming) -> Reply {
        let route = routes::parse(request);
        let mut reply = match &route {
            Ok(routes::Route::Token { tenant }) => self.answer_token(now, request, tenant),
            Ok(route) => self.answer_graph(now, request, route),
            Err(refusal) => self.refuse(now, request, refusal),
        };
        let (kind, mailbox) = match &route {
            Ok(route) => (route.kind(request), route.mailbox().map(str::to_owned)),
            Err(_) => ("unknown", None),
        };
        reply.headers.push(("request-id", request_id(request)));
        if let Some(id) = header(request, "client-request-id") {
            reply.headers.push(("client-request-id", id.to_owned()));
        }
        self.journal.request(Request { at: now, kind: kind.to_owned(), mailbox, status: reply.status });
        reply
    }

    /// A request that a mailbox counted as running has been answered.
    pub fn finished(&mut self, mailbox: &str) {
        if let Some(count) = self.running.get_mut(mailbox) {
            *count = count.saturating_sub(1);
        }
    }

    fn answer_token(&mut self, now: Timestamp, request: &Incoming, tenant: &str) -> Reply {
        match self.faults.strike(&Place::Token) {
            Some(Fault::Slow(delay)) => {
                return Reply { delay: Some(delay), ..routes::token::answer(self, now, request, tenant) };
            }
            Some(Fault::Cut) => {
                return Reply { cut: true, ..routes::token::answer(self, now, request, tenant) };
            }
            Some(Fault::Throttle { retry_after }) => {
                return self.refuse(now, request, &throttled(retry_after));
            }
            Some(Fault::Status(status, retry_after)) => {
                return self.refuse(now, request, &ordered(status, retry_after));
            }
            None => {}
        }
        routes::token::answer(self, now, request, tenant)
    }

    fn answer_graph(&mut self, now: Timestamp, request: &Incoming, route: &routes::Route) -> Reply {
        let mailbox =
            route.mailbox().and_then(|name| self.mailbox(name)).map(|mailbox| mailbox.address.to_lowercase());
        let mut fault =
            mailbox.as_ref().and_then(|mailbox| self.faults.strike(&Place::Mailbox(mailbox.clone())));
        if let (None, Some(mailbox), routes::Route::Delta { .. }) = (&fault, &mailbox, route) {
            fault = self.faults.strike(&Place::Delta(mailbox.clone()));
        }
        let result = match &fault {
            Some(Fault::Throttle { retry_after }) => Err(throttled(retry_after.clone())),
            Some(Fault::Status(status, retry_after)) => Err(ordered(*status, retry_after.clone())),
            Some(Fault::Cut | Fault::Slow(_)) | None => {
                self.run(mailbox.as_deref()).and_then(|()| routes::answer(self, now, request, route))
            }
        };
        let busy = matches!(&result, Err(refusal) if refusal.code == "ApplicationThrottled");
        let mut reply = match result {
            Ok(reply) => reply,
            Err(refusal) => self.refuse(now, request, &refusal),
        };
        reply.running =
            mailbox.filter(|_| !busy && !matches!(fault, Some(Fault::Throttle { .. } | Fault::Status(..))));
        reply.cut = fault == Some(Fault::Cut);
        reply.delay = match fault {
            Some(Fault::Slow(delay)) => Some(delay),
            Some(Fault::Throttle { .. } | Fault::Status(..) | Fault::Cut) | None => None,
        };
        reply
    }

    /// Counts one more request as running, unless the mailbox runs as many as it can.
    fn run(&mut self, mailbox: Option<&str>) -> Result<(), Refusal> {
        let Some(mailbox) = mailbox else { return Ok(()) };
        let running = self.running.entry(mailbox.to_owned()).or_default();
        if *running >= MAILBOX_CONCURRENCY {
            let text = "Application is over its MailboxConcurrency limit.";
            return Err(Refusal::normal(429, "ApplicationThrottled", text).with_header("retry-after", "1"));
        }
        *running += 1;
        Ok(())
    }

    /// Notes what a client did wrong.
    pub fn note(&mut self, now: Timestamp, request: &Incoming, status: u16, code: &str, what: &str) {
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        self.journal.violation(Violation {
            at: now,
            method: request.method.to_string(),
            target: format!("{}{query}", request.path),
            status,
            code: code.to_owned(),
            what: what.to_owned(),
        });
    }

    fn refuse(&mut self, now: Timestamp, request: &Incoming, refusal: &Refusal) -> Reply {
        if refusal.mistake {
            self.note(now, request, refusal.status, &refusal.code, &refusal.message);
        }
        let date = now.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        let id = request_id(request);
        let client_id = header(request, "client-request-id").unwrap_or(&id);
        let mut reply = Reply::json(refusal.status, refusal.envelope(&date, &id, client_id));
        reply.headers.extend(refusal.headers.iter().cloned());
        reply
    }
}

/// A header's text.
pub fn header<'a>(request: &'a Incoming, name: &str) -> Option<&'a str> {
    request.headers.get(name).and_then(|value| value.to_str().ok())
}

/// `request-id` of the answer.
pub fn request_id(request: &Incoming) -> String {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(request.seed).for_each(|(to, from)| *to = from);
    crate::entra::guid(bytes)
}

/// The documented body of a throttled request.
fn throttled(retry_after: Option<String>) -> Refusal {
    let mut refusal = Refusal::normal(429, "TooManyRequests", "Please retry again later.");
    refusal.inner = Some("429".to_owned());
    refusal.headers.extend(retry_after.map(|seconds| ("retry-after", seconds)));
    refusal
}

fn ordered(status: u16, retry_after: Option<String>) -> Refusal {
    let mut refusal = Refusal::normal(status, code_of(status), "The request could not be served.");
    refusal.headers.extend(retry_after.map(|seconds| ("retry-after", seconds)));
    refusal
}
