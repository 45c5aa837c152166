//! Where log lines go: to the journal with their fields when systemd started us, else to standard error for a person.

use std::io::{self, IsTerminal};

use tracing_subscriber::filter::{Directive, EnvFilter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

/// Libraries that see requests, addresses and tokens. Below `info` they would write them down, so they never go there,
/// whatever `RUST_LOG` says.
const DISCREET: [&str; 11] = [
    "h2=info",
    "html5ever=info",
    "hyper=info",
    "hyper_util=info",
    "reqwest=info",
    "rustls=info",
    "tokio_rustls=info",
    "tonic=info",
    "tower=info",
    "zbus=info",
    "rusqlite=info",
];

/// Logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoggingError {
    /// `RUST_LOG`, or the configured level, is no filter.
    #[error("the log level {0:?} is not understood; use error, warn, info, debug, trace or TARGET=LEVEL,…")]
    Level(String),
    /// Something in this process has already set up logging.
    #[error("logging has already been started in this process")]
    Started(#[source] TryInitError),
}

impl LoggingError {
    /// A stable name for logs and scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Level(_) => "log-level",
            Self::Started(_) => "log-started",
        }
    }
}

/// Starts logging for `program` (the name in the journal) at `level`, for example `"info"`; `RUST_LOG` overrides it.
///
/// # Errors
/// When the level is not understood or logging has already been started.
pub fn start_logging(program: &str, level: &str) -> Result<(), LoggingError> {
    let wanted = std::env::var("RUST_LOG").ok().filter(|wanted| !wanted.trim().is_empty());
    let filter = filter(wanted.as_deref().unwrap_or(level))?;
    let registry = tracing_subscriber::registry().with(filter);
    // A journal that cannot be reached is no reason to be silent.
    let journal = if stderr_is_the_journal() { tracing_journald::layer().ok() } else { None };
    match journal {
        Some(journal) => registry
            .with(
                journal
                    .with_syslog_identifier(program.to_owned())
                    .with_field_prefix(Some("JOINERY".to_owned())),
            )
            .try_init(),
        None => registry
            .with(
                tracing_subscriber::fmt::layer()
                    .with_writer(io::stderr)
                    .with_ansi(io::stderr().is_terminal())
                    .with_target(false),
            )
            .try_init(),
    }
    .map_err(LoggingError::Started)
}

fn filter(wanted: &str) -> Result<EnvFilter, LoggingError> {
    let refuse = || LoggingError::Level(wanted.to_owned());
    // The filter's own parser takes a misspelt level for the name of a target and then logs nothing.
    let known = |level: &str| matches!(level, "off" | "error" | "warn" | "info" | "debug" | "trace");
    if !wanted.contains(['=', ',', '[']) && !known(&wanted.to_ascii_lowercase()) {
        return Err(refuse());
    }
    let mut filter = EnvFilter::try_new(wanted).map_err(|_| refuse())?;
    for directive in DISCREET {
        let directive: Directive = directive.parse().map_err(|_| refuse())?;
        filter = filter.add_directive(directive);
    }
    Ok(filter)
}

/// systemd puts device and inode of the journal's socket into `JOURNAL_STREAM`. It is inherited by everything that the
/// service starts, so it counts only while standard error still is that socket (systemd.exec(5)).
fn stderr_is_the_journal() -> bool {
    let Ok(named) = std::env::var("JOURNAL_STREAM") else { return false };
    let Ok(stderr) = rustix::fs::fstat(io::stderr()) else { return false };
    named == format!("{}:{}", stderr.st_dev, stderr.st_ino)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, understood: bool) {
        assert_eq!(filter(wanted).is_ok(), understood, "{wanted}");
    }

    #[test]
    fn levels_and_targets() {
        for good in ["info", "WARN", "off", "debug,joinery_connector=trace", "joinery_transport=debug"] {
            check(good, true);
        }
        for bad in ["loud", "joinery=loud", "information"] {
            check(bad, false);
        }
    }

    #[test]
    fn what_sees_requests_is_never_asked_for_more_than_info() {
        for wanted in ["trace", "hyper=trace,debug", "reqwest=trace"] {
            let text = filter(wanted).unwrap().to_string();
            for directive in DISCREET {
                assert!(text.split(',').any(|part| part == directive), "{directive} in {text}");
            }
            assert!(!text.contains("hyper=trace") && !text.contains("reqwest=trace"), "{text}");
        }
    }
}
