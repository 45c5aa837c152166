//! The configuration as written. Unknown keys are refused.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::{CommandConfig, Config, ConfigError, DesktopConfig, Details, Surroundings};

/// What opens an address on a freedesktop system.
const OPENER: &str = "xdg-open";

/// How long a command may take unless configured. It sets a lamp or calls a web service; longer is a hang.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest that may be configured: the next button waits behind it.
const MAX_COMMAND_TIMEOUT: Duration = Duration::from_secs(600);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    #[serde(default)]
    agent: AgentFile,
    #[serde(default)]
    driver: DriverFile,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct AgentFile {
    state_dir: Option<Spanned<PathBuf>>,
    opener: Option<Spanned<Vec<String>>>,
    sip_opener: Option<Spanned<Vec<String>>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct DriverFile {
    desktop: Option<DesktopFile>,
    command: Option<Spanned<CommandFile>>,
    // Read so that they are refused by name, not as unknown keys.
    panel: Option<Spanned<toml::Table>>,
    roomos: Option<Spanned<toml::Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DesktopFile {
    details: Option<Spanned<String>>,
    urgent_at_start: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandFile {
    on_show: Option<Spanned<Vec<String>>>,
    on_hide: Option<Spanned<Vec<String>>>,
    timeout: Option<Spanned<String>>,
}

impl ConfigFile {
    /// Checks every value; `text` is the source, for line numbers.
    pub(super) fn check(self, text: &str, surroundings: &Surroundings) -> Result<Config, ConfigError> {
        for (key, table) in [("driver.panel", &self.driver.panel), ("driver.roomos", &self.driver.roomos)] {
            if let Some(table) = table {
                let message = "this version has no such driver yet; remove the table, or use driver.desktop or driver.command";
                return Err(ConfigError::at(text, key, table, message));
            }
        }
        Ok(Config {
            state_dir: state_dir(text, self.agent.state_dir, surroundings)?,
            opener: argv(text, "opener", self.agent.opener)?.unwrap_or_else(|| vec![OPENER.to_owned()]),
            sip_opener: argv(text, "sip_opener", self.agent.sip_opener)?,
            desktop: self.driver.desktop.map(|table| desktop(text, table)).transpose()?,
            command: self.driver.command.map(|table| command(text, table)).transpose()?,
        })
    }
}

fn state_dir(
    text: &str,
    written: Option<Spanned<PathBuf>>,
    surroundings: &Surroundings,
) -> Result<PathBuf, ConfigError> {
    match written {
        Some(path) if path.get_ref().is_absolute() => Ok(path.into_inner()),
        Some(path) => Err(ConfigError::at(
            text,
            "state_dir",
            &path,
            "must be an absolute path, like /var/lib/joinery-agent",
        )),
        None => surroundings.state_dir().ok_or_else(|| {
            let message = "is not set and HOME is not known; set it in the configuration's [agent] table";
            ConfigError::missing("state_dir", message)
        }),
    }
}

fn argv(
    text: &str,
    key: &str,
    written: Option<Spanned<Vec<String>>>,
) -> Result<Option<Vec<String>>, ConfigError> {
    match written {
        Some(argv) if argv.get_ref().first().is_none_or(|program| program.is_empty()) => {
            Err(ConfigError::at(
                text,
                key,
                &argv,
                "must name a program, like [\"/usr/bin/program\", \"--option\"]",
            ))
        }
        Some(argv) if argv.get_ref().iter().any(|argument| argument.contains('\0')) => {
            Err(ConfigError::at(text, key, &argv, "must not hold a zero byte"))
        }
        Some(argv) => Ok(Some(argv.into_inner())),
        None => Ok(None),
    }
}

fn desktop(text: &str, table: DesktopFile) -> Result<DesktopConfig, ConfigError> {
    let default = DesktopConfig::default();
    let details = match table.details {
        None => default.details,
        Some(details) => match details.get_ref().as_str() {
            "full" => Details::Full,
            "time-only" => Details::TimeOnly,
            _ => {
                return Err(ConfigError::at(
                    text,
                    "details",
                    &details,
                    "set it to \"full\" or \"time-only\"",
                ));
            }
        },
    };
    Ok(DesktopConfig { details, urgent_at_start: table.urgent_at_start.unwrap_or(default.urgent_at_start) })
}

fn command(text: &str, table: Spanned<CommandFile>) -> Result<CommandConfig, ConfigError> {
    if table.get_ref().on_show.is_none() && table.get_ref().on_hide.is_none() {
        let message = "does nothing; set on_show, on_hide or both";
        return Err(ConfigError::at(text, "driver.command", &table, message));
    }
    let table = table.into_inner();
    let timeout = match table.timeout {
        None => COMMAND_TIMEOUT,
        Some(timeout) => seconds(timeout.get_ref())
            .filter(|wanted| !wanted.is_zero() && *wanted <= MAX_COMMAND_TIMEOUT)
            .ok_or_else(|| {
                ConfigError::at(text, "timeout", &timeout, "set it to 1s to 10m, written like 30s or 2m")
            })?,
    };
    Ok(CommandConfig {
        on_show: argv(text, "on_show", table.on_show)?,
        on_hide: argv(text, "on_hide", table.on_hide)?,
        timeout,
    })
}

/// Reads `30s` or `2m`.
fn seconds(text: &str) -> Option<Duration> {
    let (number, factor) = match text.trim().strip_suffix('m') {
        Some(minutes) => (minutes, 60),
        None => (text.trim().strip_suffix('s')?, 1),
    };
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    number.parse::<u64>().ok()?.checked_mul(factor).map(Duration::from_secs)
}
