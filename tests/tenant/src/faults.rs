//! Faults that a test orders: what goes wrong next, where, and how often. They are the tenant's doing and never
//! counted as a violation.

use std::collections::BTreeMap;
use std::time::Duration;

/// Something to go wrong with a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 429; `Retry-After` as given, which may be fractional or missing.
    Throttle {
        /// Seconds, as they are written into the header.
        retry_after: Option<String>,
    },
    /// This status, with the code that belongs to it, and perhaps a `Retry-After`.
    Status(u16, Option<String>),
    /// The answer breaks off in the middle of its body, and the connection with it.
    Cut,
    /// The answer comes, but late.
    Slow(Duration),
}

/// Where a fault strikes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Any request for the mailbox of this address (lower case).
    Mailbox(String),
    /// A page of the mailbox's delta.
    Delta(String),
    /// The token endpoint.
    Token,
}

/// The faults that are yet to strike.
#[derive(Debug, Default)]
pub struct Faults {
    ordered: BTreeMap<Place, Vec<(Fault, u32)>>,
}

impl Faults {
    /// Lets `fault` strike the next `times` requests at `place`, after those ordered before.
    pub fn order(&mut self, place: Place, fault: Fault, times: u32) {
        if times > 0 {
            self.ordered.entry(place).or_default().push((fault, times));
        }
    }

    /// The fault that strikes now, if there is one.
    pub fn strike(&mut self, place: &Place) -> Option<Fault> {
        let queue = self.ordered.get_mut(place)?;
        let (fault, times) = queue.first_mut()?;
        let fault = fault.clone();
        *times -= 1;
        if *times == 0 {
            queue.remove(0);
        }
        Some(fault)
    }

    /// Forgets all that have not struck.
    pub fn clear(&mut self) {
        self.ordered.clear();
    }
}

/// `error.code` that fits a status ordered by a test (graph contract, section 11).
pub fn code_of(status: u16) -> &'static str {
    match status {
        401 => "InvalidAuthenticationToken",
        403 => "ErrorAccessDenied",
        404 => "ErrorItemNotFound",
        409 | 412 => "ErrorIrresolvableConflict",
        410 => "syncStateNotFound",
        500 => "ErrorInternalServerError",
        502 => "BadGateway",
        503 => "ServiceUnavailable",
        504 => "GatewayTimeout",
        507 => "ErrorQuotaExceeded",
        509 => "BandwidthLimitExceeded",
        _ => "UnknownError",
    }
}
