//! What can go wrong between here and Microsoft.

use std::path::PathBuf;
use std::time::Duration;

use crate::{EntraError, OddEvent, Refusal};

/// Why something was not done. The sentence never holds an address, a subject, a link, a token or the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A setting cannot be used.
    #[error("{setting} {problem}")]
    Settings {
        /// The configuration's key.
        setting: &'static str,
        /// What is wrong and what to set it to.
        problem: &'static str,
    },
    /// The application's secret cannot be read.
    #[error("client_secret_file {} {problem}", path.display())]
    SecretFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// The additional certificate authorities cannot be read.
    #[error("ca_file {} {problem}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// There is nobody to trust.
    #[error(
        "this system has no certificate authorities, so no server can be trusted; install the package ca-certificates or set ca_file"
    )]
    NoAuthorities,
    /// TLS or the HTTP client cannot be set up.
    #[error("cannot set up TLS: {problem}")]
    Setup {
        /// What the library said.
        problem: String,
    },
    /// No connection.
    #[error("cannot reach {host}: {problem}; check the network, the name and the firewall")]
    Unreachable {
        /// The server.
        host: String,
        /// What happened.
        problem: String,
    },
    /// The server's certificate is not trusted.
    #[error(
        "the certificate of {host} is not trusted: {problem}; if a gateway of yours answers there, put its authority into ca_file"
    )]
    Untrusted {
        /// The server.
        host: String,
        /// What is wrong with it.
        problem: String,
    },
    /// No answer in time.
    #[error("{host} did not answer in time; it is asked again later")]
    TimedOut {
        /// The server.
        host: String,
    },
    /// The connection broke before the answer was complete.
    #[error("the connection to {host} broke before its answer was complete; it is asked again later")]
    CutOff {
        /// The server.
        host: String,
    },
    /// The answer is not what Graph's documentation promises.
    #[error(
        "{host} answered with something that is not {expected}{}; it is asked again later",
        request(request_id)
    )]
    Malformed {
        /// The server.
        host: String,
        /// What was expected.
        expected: &'static str,
        /// Graph's name for the request.
        request_id: Option<String>,
    },
    /// The answer is larger than any real one.
    #[error("{host} answered with more than {} MiB, which was not read to the end", limit / 1_048_576)]
    TooLarge {
        /// The server.
        host: String,
        /// The bound, in bytes.
        limit: usize,
    },
    /// A next or delta link leads to another server, which must not see the token.
    #[error(
        "Graph answered with a link to another server than graph_url, which was not followed; set graph_url to the root that the gateway's links begin with"
    )]
    ForeignLink,
    /// Entra gave no token.
    #[error(transparent)]
    Entra(#[from] EntraError),
    /// Graph said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The one event that was asked for cannot be understood.
    #[error(transparent)]
    OddEvent(#[from] OddEvent),
}

impl GraphError {
    /// A stable name for scripts and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Settings { .. } => "graph-settings",
            Self::SecretFile { .. } => "graph-secret-file",
            Self::CaFile { .. } => "graph-ca-file",
            Self::NoAuthorities => "graph-no-authorities",
            Self::Setup { .. } => "graph-setup",
            Self::Unreachable { .. } => "graph-unreachable",
            Self::Untrusted { .. } => "graph-untrusted",
            Self::TimedOut { .. } => "graph-timed-out",
            Self::CutOff { .. } => "graph-cut-off",
            Self::Malformed { .. } => "graph-malformed",
            Self::TooLarge { .. } => "graph-too-large",
            Self::ForeignLink => "graph-foreign-link",
            Self::Entra(error) => error.code(),
            Self::Refused(refusal) => refusal.code(),
            Self::OddEvent(_) => "graph-odd-event",
        }
    }

    /// Whether the same request may succeed later without anybody's doing.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::CutOff { .. }
            | Self::Malformed { .. } => true,
            Self::Settings { .. }
            | Self::SecretFile { .. }
            | Self::CaFile { .. }
            | Self::NoAuthorities
            | Self::Setup { .. }
            | Self::Untrusted { .. }
            | Self::TooLarge { .. }
            | Self::ForeignLink
            | Self::OddEvent(_) => false,
            Self::Entra(error) => error.is_retryable(),
            Self::Refused(refusal) => refusal.is_retryable(),
        }
    }

    /// How long the server asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Entra(error) => error.retry_after,
            Self::Refused(refusal) => refusal.retry_after,
            Self::Settings { .. }
            | Self::SecretFile { .. }
            | Self::CaFile { .. }
            | Self::NoAuthorities
            | Self::Setup { .. }
            | Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::TimedOut { .. }
            | Self::CutOff { .. }
            | Self::Malformed { .. }
            | Self::TooLarge { .. }
            | Self::ForeignLink
            | Self::OddEvent(_) => None,
        }
    }
}

/// `" (request …)"`, where Graph named the request: what its support asks for first.
pub(crate) fn request(id: &Option<String>) -> String {
    id.as_deref().map(|id| format!(" (request {id})")).unwrap_or_default()
}

/// A name from a foreign answer as far as it can be shown: short and made of what codes and ids are made of, so that
/// nothing personal passes for a code.
pub(crate) fn printable(text: &str) -> Option<&str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    ((1..=80).contains(&text.len()) && text.chars().all(fits)).then_some(text)
}
