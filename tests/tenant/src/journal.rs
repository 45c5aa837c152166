//! What happened: requests by kind, and what clients did wrong.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

/// A request that no correct client sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// When.
    pub at: Timestamp,
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The answer's status.
    pub status: u16,
    /// The answer's code.
    pub code: String,
    /// What was wrong.
    pub what: String,
}

/// A request and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// When.
    pub at: Timestamp,
    /// `token`, `delta.first`, `delta.next`, `delta.since`, `view`, `events.list`, `event.get`, `event.instances`,
    /// `event.create`, `event.update`, `event.delete`, `domains`, `unknown`.
    pub kind: String,
    /// The mailbox asked about, as it stood in the path.
    pub mailbox: Option<String>,
    /// The answer's status.
    pub status: u16,
}

/// Newest requests that are kept one by one; the counts go on.
const REQUESTS_KEPT: usize = 10_000;

/// Violations kept; one is enough to fail a test.
const VIOLATIONS_KEPT: usize = 1_000;

/// The record of a tenant's life.
#[derive(Debug, Default)]
pub struct Journal {
    violations: Vec<Violation>,
    requests: VecDeque<Request>,
    counts: BTreeMap<String, u64>,
}

impl Journal {
    /// Notes a request.
    pub fn request(&mut self, request: Request) {
        *self.counts.entry(request.kind.clone()).or_default() += 1;
        self.requests.push_back(request);
        if self.requests.len() > REQUESTS_KEPT {
            self.requests.pop_front();
        }
    }

    /// Notes a violation.
    pub fn violation(&mut self, violation: Violation) {
        if self.violations.len() < VIOLATIONS_KEPT {
            self.violations.push(violation);
        }
    }

    /// All violations so far, oldest first.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// How many requests of each kind there were.
    pub fn counts(&self) -> &BTreeMap<String, u64> {
        &self.counts
    }

    /// The newest requests, oldest first.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.requests.iter()
    }

    /// Starts a fresh record.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
