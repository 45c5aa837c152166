//! Graph's refusals: which status and code mean what, and what to do about them.
//!
//! The code decides, and the finest one that is known; messages may change at any time and are not looked at.

use std::fmt;
use std::time::Duration;

use crate::error::{printable, request};
use crate::exchange::Answer;
use crate::wire::ErrorBody;

/// What was being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A page of `calendarView/delta`.
    ReadCalendar,
    /// One event.
    ReadEvent,
    /// `events`.
    ListEvents,
    /// `instances` of a series.
    ListInstances,
    /// `POST events`.
    CreateEvent,
    /// `PATCH` of an event.
    ChangeEvent,
    /// `DELETE` of an event.
    DeleteEvent,
    /// `GET /domains`.
    ListDomains,
}

impl Operation {
    /// The application permission that it needs at least.
    pub fn permission(self) -> &'static str {
        match self {
            Self::ReadCalendar | Self::ReadEvent | Self::ListEvents | Self::ListInstances => "Calendars.Read",
            Self::CreateEvent | Self::ChangeEvent | Self::DeleteEvent => "Calendars.ReadWrite",
            Self::ListDomains => "Domain.Read.All",
        }
    }

    fn is_about_one_event(self) -> bool {
        match self {
            Self::ReadEvent | Self::ListInstances | Self::ChangeEvent | Self::DeleteEvent => true,
            Self::ReadCalendar | Self::ListEvents | Self::CreateEvent | Self::ListDomains => false,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReadCalendar => "reading the calendar",
            Self::ReadEvent => "reading an event",
            Self::ListEvents => "listing events",
            Self::ListInstances => "listing the occurrences of a series",
            Self::CreateEvent => "creating an event",
            Self::ChangeEvent => "changing an event",
            Self::DeleteEvent => "deleting an event",
            Self::ListDomains => "listing the tenant's domains",
        })
    }
}

/// Graph answered, and the answer is no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was being done.
    pub operation: Operation,
    /// What it comes down to.
    pub kind: RefusalKind,
    /// The HTTP status.
    pub status: u16,
    /// Graph's code, if it gave one that can be shown.
    pub graph_code: Option<String>,
    /// Graph's name for the request.
    pub request_id: Option<String>,
    /// How long Graph asked to be left alone.
    pub retry_after: Option<Duration>,
}

/// What a refusal comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// 401, also with a new token.
    TokenRefused,
    /// 403: the permission is missing, or an access policy leaves this mailbox out.
    AccessDenied,
    /// 403 of the directory: the permission is missing.
    PermissionMissing,
    /// 404: nobody has that address.
    NoSuchMailbox,
    /// 404: the address has no mailbox in the cloud.
    MailboxNotEnabled,
    /// 404: no such event.
    NotFound,
    /// 409 or 412: it was changed meanwhile.
    Conflict,
    /// 410 where no delta link was involved.
    Gone,
    /// 429.
    Throttled,
    /// 5xx and 408: not now.
    Unavailable,
    /// Any other 4xx, and the 5xx that do not pass: the request itself is wrong.
    Rejected,
    /// A redirection or another status that Graph does not document.
    Unexpected,
}

impl Refusal {
    pub(crate) fn of(operation: Operation, answer: &Answer) -> Self {
        let body = serde_json::from_slice::<ErrorBody>(&answer.body).unwrap_or_default();
        let codes = body.codes();
        let kind = kind(operation, answer.status, &codes);
        Self {
            operation,
            kind,
            status: answer.status,
            // A code that only repeats the status (429 does) tells nothing more.
            graph_code: codes
                .iter()
                .filter(|code| **code != answer.status.to_string())
                .find_map(|code| printable(code))
                .map(str::to_owned),
            request_id: answer.request_id.clone().or_else(|| body.request_id()),
            retry_after: answer.retry_after,
        }
    }

    /// A stable name for scripts and logs.
    pub fn code(&self) -> &'static str {
        match self.kind {
            RefusalKind::TokenRefused => "graph-token-refused",
            RefusalKind::AccessDenied => "graph-access-denied",
            RefusalKind::PermissionMissing => "graph-permission-missing",
            RefusalKind::NoSuchMailbox => "graph-no-such-mailbox",
            RefusalKind::MailboxNotEnabled => "graph-mailbox-not-enabled",
            RefusalKind::NotFound => "graph-not-found",
            RefusalKind::Conflict => "graph-conflict",
            RefusalKind::Gone => "graph-gone",
            RefusalKind::Throttled => "graph-throttled",
            RefusalKind::Unavailable => "graph-unavailable",
            RefusalKind::Rejected => "graph-rejected",
            RefusalKind::Unexpected => "graph-unexpected",
        }
    }

    /// Whether the same request may succeed later without anybody's doing.
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            RefusalKind::Throttled | RefusalKind::Unavailable => true,
            RefusalKind::TokenRefused
            | RefusalKind::AccessDenied
            | RefusalKind::PermissionMissing
            | RefusalKind::NoSuchMailbox
            | RefusalKind::MailboxNotEnabled
            | RefusalKind::NotFound
            | RefusalKind::Conflict
            | RefusalKind::Gone
            | RefusalKind::Rejected
            | RefusalKind::Unexpected => false,
        }
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, status, .. } = self;
        write!(f, "Graph refused {operation} with {status}")?;
        if let Some(code) = &self.graph_code {
            write!(f, " {code}")?;
        }
        f.write_str(&request(&self.request_id))?;
        let permission = operation.permission();
        match self.kind {
            RefusalKind::TokenRefused => f.write_str(
                ": it does not accept the token, also not a new one; check that authority_url and graph_url belong to the same cloud",
            ),
            RefusalKind::AccessDenied => write!(
                f,
                ": the application lacks {permission}, or an access policy leaves this mailbox out; grant it in the Entra admin center under App registrations > API permissions (type Application, with admin consent), or put the mailbox into the policy's group (Exchange: Test-ApplicationAccessPolicy)"
            ),
            RefusalKind::PermissionMissing => write!(
                f,
                ": the application lacks {permission}; grant it in the Entra admin center under App registrations > API permissions (type Application, with admin consent)"
            ),
            RefusalKind::NoSuchMailbox => {
                f.write_str(": the tenant has no such user or room; check the mailbox address and which tenant it belongs to")
            }
            RefusalKind::MailboxNotEnabled => f.write_str(
                ": the address has no mailbox in Exchange Online (no licence, deleted, or still on premises); assign a licence or remove the mailbox here",
            ),
            RefusalKind::NotFound => f.write_str(": there is no such event; it was deleted or moved away"),
            RefusalKind::Conflict => f.write_str(": the event was changed meanwhile; read it again and repeat"),
            RefusalKind::Gone => f.write_str(": what was asked for is no longer kept; read it again from the start"),
            RefusalKind::Throttled => f.write_str(": too many requests; it is asked again after the time that Graph named"),
            RefusalKind::Unavailable => f.write_str(": it cannot answer now; it is asked again later"),
            RefusalKind::Rejected => f.write_str(": it takes the request for wrong; please report this with the request's id"),
            RefusalKind::Unexpected => {
                f.write_str(": this is no answer of Graph's; check that graph_url is the root of Graph, without version")
            }
        }
    }
}

/// Whether `answer` says that the token in a next or delta link is forgotten: any 410, and a 40x that says so by its
/// code (spelled with and without a capital in the documentation).
pub(crate) fn is_forgotten(answer: &Answer) -> bool {
    let told = || {
        let body = serde_json::from_slice::<ErrorBody>(&answer.body).unwrap_or_default();
        body.codes().iter().any(|code| {
            code.eq_ignore_ascii_case("syncStateNotFound") || code.eq_ignore_ascii_case("resyncRequired")
        })
    };
    answer.status == 410 || ((400..410).contains(&answer.status) && told())
}

fn kind(operation: Operation, status: u16, codes: &[&str]) -> RefusalKind {
    let named =
        |names: &[&str]| codes.iter().any(|code| names.iter().any(|name| code.eq_ignore_ascii_case(name)));
    match status {
        400..=499 if named(&["MailboxNotEnabledForRESTAPI", "MailboxNotSupportedForRESTAPI"]) => {
            RefusalKind::MailboxNotEnabled
        }
        401 => RefusalKind::TokenRefused,
        403 if named(&["Authorization_RequestDenied"]) => RefusalKind::PermissionMissing,
        403 => RefusalKind::AccessDenied,
        404 if named(&[
            "ErrorInvalidUser",
            "Request_ResourceNotFound",
            "ResourceNotFound",
            "ErrorNonExistentMailbox",
        ]) =>
        {
            RefusalKind::NoSuchMailbox
        }
        // A 404 without a code is some proxy's: it must not be taken for the end of an event.
        404 if codes.is_empty() => RefusalKind::Unexpected,
        404 if operation.is_about_one_event() => RefusalKind::NotFound,
        409 | 412 => RefusalKind::Conflict,
        410 => RefusalKind::Gone,
        429 => RefusalKind::Throttled,
        // Codes that pass by themselves, whatever status they come with.
        _ if named(&["MailboxInfoStale", "ErrorMailboxInTransit", "ApplicationThrottled"]) => {
            RefusalKind::Unavailable
        }
        408 | 500 | 502..=504 => RefusalKind::Unavailable,
        400..=499 | 501 | 505..=599 => RefusalKind::Rejected,
        _ => RefusalKind::Unexpected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        refusal_of(Operation::ReadCalendar, status, body)
    }

    fn refusal_of(operation: Operation, status: u16, body: &str) -> Refusal {
        let answer = Answer {
            host: "graph.example".into(),
            status,
            retry_after: None,
            request_id: None,
            body: body.as_bytes().to_vec(),
        };
        Refusal::of(operation, &answer)
    }

    fn check(status: u16, code: &str, want: &str, retryable: bool) {
        let refusal = refusal(
            status,
            &format!(r#"{{"error":{{"code":"{code}","message":"canary@contoso.example"}}}}"#),
        );
        assert_eq!((refusal.code(), refusal.is_retryable()), (want, retryable), "{status} {code}");
        assert!(!format!("{refusal} {refusal:?}").contains("canary"), "{refusal}");
    }

    #[test]
    fn statuses_and_codes_have_their_meaning() {
        check(401, "InvalidAuthenticationToken", "graph-token-refused", false);
        check(403, "ErrorAccessDenied", "graph-access-denied", false);
        check(403, "Authorization_RequestDenied", "graph-permission-missing", false);
        check(404, "ErrorItemNotFound", "graph-rejected", false);
        check(404, "ResourceNotFound", "graph-no-such-mailbox", false);
        check(404, "ErrorInvalidUser", "graph-no-such-mailbox", false);
        check(404, "Request_ResourceNotFound", "graph-no-such-mailbox", false);
        check(404, "MailboxNotEnabledForRESTAPI", "graph-mailbox-not-enabled", false);
        check(400, "ErrorInvalidIdMalformed", "graph-rejected", false);
        check(409, "ErrorIrresolvableConflict", "graph-conflict", false);
        check(412, "ErrorIrresolvableConflict", "graph-conflict", false);
        check(410, "resyncRequired", "graph-gone", false);
        check(429, "ApplicationThrottled", "graph-throttled", true);
        for status in [408, 500, 502, 503, 504] {
            check(status, "", "graph-unavailable", true);
        }
        check(400, "MailboxInfoStale", "graph-unavailable", true);
        check(507, "", "graph-rejected", false);
        check(302, "", "graph-unexpected", false);
    }

    #[test]
    fn only_graph_says_that_an_event_is_gone() {
        let check = |operation, body: &str, want| {
            assert_eq!(refusal_of(operation, 404, body).kind, want, "{operation:?} {body}");
        };
        let told = r#"{"error":{"code":"ErrorItemNotFound"}}"#;
        let about_one =
            [Operation::ReadEvent, Operation::ListInstances, Operation::ChangeEvent, Operation::DeleteEvent];
        for operation in about_one {
            check(operation, told, RefusalKind::NotFound);
            check(operation, "<html>not found</html>", RefusalKind::Unexpected);
        }
        check(Operation::ReadCalendar, "", RefusalKind::Unexpected);
    }

    #[test]
    fn the_finest_known_code_counts() {
        let nested = r#"{"error":{"code":"NotFound","innerError":{"code":"Outer","innererror":{"code":"MailboxNotEnabledForRESTAPI","request-id":"r-1"}}}}"#;
        let refusal = refusal(404, nested);
        assert_eq!(refusal.kind, RefusalKind::MailboxNotEnabled);
        assert_eq!(refusal.request_id.as_deref(), Some("r-1"));
    }

    #[test]
    fn a_body_that_is_not_graphs_does_no_harm() {
        for body in [
            "",
            "<html>canary</html>",
            "[]",
            r#"{"error":"x"}"#,
            r#"{"error":{"code":7}}"#,
            r#"{"code":"UnknownError"}"#,
        ] {
            let refusal = refusal(503, body);
            assert_eq!(refusal.kind, RefusalKind::Unavailable, "{body}");
            assert!(!refusal.to_string().contains("canary"));
        }
    }

    #[test]
    fn a_refusal_is_one_sentence_that_says_what_to_do() {
        let refusal = refusal(
            403,
            r#"{"error":{"code":"ErrorAccessDenied","message":"x","innerError":{"request-id":"2f038156-cf40"}}}"#,
        );
        assert_eq!(
            refusal.to_string(),
            "Graph refused reading the calendar with 403 ErrorAccessDenied (request 2f038156-cf40): the application \
             lacks Calendars.Read, or an access policy leaves this mailbox out; grant it in the Entra admin center \
             under App registrations > API permissions (type Application, with admin consent), or put the mailbox \
             into the policy's group (Exchange: Test-ApplicationAccessPolicy)"
        );
    }

    #[test]
    fn a_code_that_repeats_the_status_is_not_told_twice() {
        let body = r#"{"error":{"code":"TooManyRequests","innerError":{"code":"429"}}}"#;
        assert_eq!(refusal(429, body).graph_code.as_deref(), Some("TooManyRequests"));
    }

    #[test]
    fn a_forgotten_link_is_known_by_status_or_code() {
        let check = |status, code: &str, want| {
            let body = format!(r#"{{"error":{{"code":"{code}"}}}}"#).into_bytes();
            let answer = Answer { host: String::new(), status, retry_after: None, request_id: None, body };
            assert_eq!(is_forgotten(&answer), want, "{status} {code}");
        };
        check(410, "", true);
        check(410, "SyncStateNotFound", true);
        check(400, "SyncStateNotFound", true);
        check(404, "resyncRequired", true);
        check(404, "ErrorInvalidUser", false);
        check(500, "syncStateNotFound", false);
    }
}
