//! Why Entra gave no token, by the number in its answer (`AADSTS…`), and where to put it right.
//!
//! Microsoft promises only `error`; the numbers say more and are used to say more, never to do something else.

use std::fmt;
use std::time::Duration;

use crate::error::printable;
use crate::exchange::Answer;
use crate::wire::EntraBody;

/// Entra answered, and gave no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntraError {
    /// What it comes down to.
    pub problem: EntraProblem,
    /// The number behind `AADSTS`.
    pub number: Option<u32>,
    /// The HTTP status.
    pub status: u16,
    /// OAuth's `error`, if it can be shown.
    pub error: Option<String>,
    /// Entra's name for the request.
    pub trace_id: Option<String>,
    /// How long it asked to be left alone.
    pub retry_after: Option<Duration>,
}

/// What Entra's refusal comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntraProblem {
    /// The secret is not one of the application's.
    WrongSecret,
    /// The secret was right once.
    ExpiredSecret,
    /// The application expects something else than a secret.
    SecretNotAccepted,
    /// No such tenant.
    UnknownTenant,
    /// No such application in the tenant.
    UnknownApplication,
    /// The application was switched off.
    DisabledApplication,
    /// Nobody consented.
    ConsentMissing,
    /// A conditional access policy forbids it.
    ConditionalAccess,
    /// The tenant does not know the Graph that was asked for.
    WrongGraph,
    /// Not now.
    Unavailable,
    /// Something else.
    Other,
}

impl EntraError {
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = serde_json::from_slice::<EntraBody>(&answer.body).unwrap_or_default();
        let number = body.error_codes.first().copied().or_else(|| number(&body.error_description));
        Self {
            problem: problem(answer.status, &body.error, number),
            number,
            status: answer.status,
            error: printable(&body.error).map(str::to_owned),
            trace_id: body.trace_id.as_deref().and_then(printable).map(str::to_owned),
            retry_after: answer.retry_after,
        }
    }

    /// A stable name for scripts and logs.
    pub fn code(&self) -> &'static str {
        match self.problem {
            EntraProblem::WrongSecret => "entra-wrong-secret",
            EntraProblem::ExpiredSecret => "entra-expired-secret",
            EntraProblem::SecretNotAccepted => "entra-secret-not-accepted",
            EntraProblem::UnknownTenant => "entra-unknown-tenant",
            EntraProblem::UnknownApplication => "entra-unknown-application",
            EntraProblem::DisabledApplication => "entra-disabled-application",
            EntraProblem::ConsentMissing => "entra-consent-missing",
            EntraProblem::ConditionalAccess => "entra-conditional-access",
            EntraProblem::WrongGraph => "entra-wrong-graph",
            EntraProblem::Unavailable => "entra-unavailable",
            EntraProblem::Other => "entra-refused",
        }
    }

    /// Whether the same request may succeed later without anybody's doing.
    pub fn is_retryable(&self) -> bool {
        self.problem == EntraProblem::Unavailable
    }
}

impl std::error::Error for EntraError {}

impl fmt::Display for EntraError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entra gave no token (")?;
        match (self.number, &self.error) {
            (Some(number), _) => write!(f, "AADSTS{number}")?,
            (None, Some(error)) => write!(f, "{} {error}", self.status)?,
            (None, None) => write!(f, "{}", self.status)?,
        }
        if let Some(trace) = &self.trace_id {
            write!(f, ", trace {trace}")?;
        }
        f.write_str("): ")?;
        f.write_str(match self.problem {
            EntraProblem::WrongSecret => {
                "the client secret is wrong; in the Entra admin center, App registrations > Certificates & secrets, make a new client secret and put its value (not its id) into client_secret_file"
            }
            EntraProblem::ExpiredSecret => {
                "the client secret has expired; in the Entra admin center, App registrations > Certificates & secrets, make a new client secret and put its value into client_secret_file"
            }
            EntraProblem::SecretNotAccepted => {
                "the application does not accept a client secret; in the Entra admin center, App registrations > Certificates & secrets, make one, or lift the policy that forbids secrets"
            }
            EntraProblem::UnknownTenant => {
                "there is no such tenant; set the tenant's id to its directory id or a verified domain (Entra admin center, Overview), and cloud to where it lives"
            }
            EntraProblem::UnknownApplication => {
                "the tenant has no such application; set client_id to the application (client) id of the App registration (Entra admin center, App registrations > Overview), and check the tenant's id"
            }
            EntraProblem::DisabledApplication => {
                "the application is disabled; in the Entra admin center, Enterprise applications > Properties, set it to enabled"
            }
            EntraProblem::ConsentMissing => {
                "nobody consented to the application; in the Entra admin center, App registrations > API permissions, grant admin consent"
            }
            EntraProblem::ConditionalAccess => {
                "a conditional access policy for workload identities forbids it from here; in the Entra admin center, Protection > Conditional Access, exclude the application or allow this machine's address"
            }
            EntraProblem::WrongGraph => {
                "the tenant does not know this Graph; check that graph_url and authority_url belong to the tenant's cloud"
            }
            EntraProblem::Unavailable => "it cannot answer now; it is asked again later",
            EntraProblem::Other => {
                "look the number up at https://login.microsoftonline.com/error and check the tenant's id, client_id and client_secret_file"
            }
        })
    }
}

fn problem(status: u16, error: &str, number: Option<u32>) -> EntraProblem {
    match number {
        Some(7_000_215) => EntraProblem::WrongSecret,
        Some(7_000_222) => EntraProblem::ExpiredSecret,
        Some(7_000_218 | 700_027 | 50_012 | 7_000_221) => EntraProblem::SecretNotAccepted,
        Some(90_002 | 900_023 | 50_059 | 50_128) => EntraProblem::UnknownTenant,
        Some(700_016) => EntraProblem::UnknownApplication,
        Some(7_000_112 | 7_000_113) => EntraProblem::DisabledApplication,
        Some(65_001 | 65_004 | 90_094) => EntraProblem::ConsentMissing,
        Some(53_003 | 530_003 | 530_035 | 53_000) => EntraProblem::ConditionalAccess,
        Some(500_011 | 70_011 | 1_002_012) => EntraProblem::WrongGraph,
        Some(90_033 | 90_006 | 90_012 | 50_196 | 90_055) => EntraProblem::Unavailable,
        _ if status == 429
            || status >= 500
            || error == "temporarily_unavailable"
            || error == "server_error" =>
        {
            EntraProblem::Unavailable
        }
        _ if error == "invalid_client" => EntraProblem::WrongSecret,
        _ if error == "unauthorized_client" => EntraProblem::UnknownApplication,
        _ if error == "consent_required" => EntraProblem::ConsentMissing,
        _ if error == "invalid_resource" || error == "invalid_scope" => EntraProblem::WrongGraph,
        _ => EntraProblem::Other,
    }
}

/// The digits behind `AADSTS` in a description.
fn number(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, body: &str) -> EntraError {
        let body = body.as_bytes().to_vec();
        EntraError::of(&Answer { host: String::new(), status, retry_after: None, request_id: None, body })
    }

    fn check(number: u32, error: &str, want: &str) {
        let body = format!(
            r#"{{"error":"{error}","error_description":"AADSTS{number}: canary. Trace ID: x","error_codes":[{number}],"trace_id":"t-1"}}"#
        );
        let found = refused(401, &body);
        assert_eq!(found.code(), want, "{number}");
        assert!(
            found.to_string().starts_with(&format!("Entra gave no token (AADSTS{number}, trace t-1): ")),
            "{found}"
        );
        assert!(!format!("{found} {found:?}").contains("canary"));
        let without_codes = body.replace(&format!("[{number}]"), "[]");
        assert_eq!(refused(401, &without_codes).code(), want, "{number} by its description");
    }

    #[test]
    fn each_number_says_what_to_fix() {
        check(7_000_215, "invalid_client", "entra-wrong-secret");
        check(7_000_222, "invalid_client", "entra-expired-secret");
        check(7_000_218, "invalid_client", "entra-secret-not-accepted");
        check(90_002, "invalid_request", "entra-unknown-tenant");
        check(900_023, "invalid_request", "entra-unknown-tenant");
        check(700_016, "unauthorized_client", "entra-unknown-application");
        check(7_000_112, "unauthorized_client", "entra-disabled-application");
        check(65_001, "invalid_grant", "entra-consent-missing");
        check(53_003, "invalid_grant", "entra-conditional-access");
        check(500_011, "invalid_resource", "entra-wrong-graph");
        check(1_002_012, "invalid_scope", "entra-wrong-graph");
        check(90_033, "temporarily_unavailable", "entra-unavailable");
        check(900_144, "invalid_request", "entra-refused");
    }

    #[test]
    fn an_unknown_number_is_told_by_its_error() {
        let check = |status, error: &str, want: &str, retryable| {
            let found = refused(status, &format!(r#"{{"error":"{error}","error_codes":[1]}}"#));
            assert_eq!((found.code(), found.is_retryable()), (want, retryable), "{status} {error}");
        };
        check(401, "invalid_client", "entra-wrong-secret", false);
        check(400, "unauthorized_client", "entra-unknown-application", false);
        check(400, "temporarily_unavailable", "entra-unavailable", true);
        check(400, "something_new", "entra-refused", false);
        check(503, "", "entra-unavailable", true);
        check(429, "", "entra-unavailable", true);
    }

    #[test]
    fn an_answer_that_is_not_entras_does_no_harm() {
        for body in ["", "<html>canary</html>", "[]", r#"{"error_codes":"x"}"#] {
            let found = refused(502, body);
            assert_eq!(found.problem, EntraProblem::Unavailable, "{body}");
            assert!(!format!("{found} {found:?}").contains("canary"));
        }
        assert_eq!(
            refused(502, "").to_string(),
            "Entra gave no token (502): it cannot answer now; it is asked again later"
        );
    }
}
