//! The agent's configuration: as written in [`file`], as used here. Only checked values leave this module.

mod file;
mod place;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use joinery_daemon::ConfigError;
pub use place::Surroundings;

/// Everything that the agent is told, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the identity, the sealed cache and the control socket are kept.
    pub state_dir: PathBuf,
    /// What opens a meeting's address: a program and its arguments; the address is added as the last one.
    pub opener: Vec<String>,
    /// What dials a SIP address, given as `sip:user@host`. `None`: nothing does.
    pub sip_opener: Option<Vec<String>>,
    /// Pop-ups on a desktop.
    pub desktop: Option<DesktopConfig>,
    /// The operator's own programs.
    pub command: Option<CommandConfig>,
}

/// `[driver.desktop]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DesktopConfig {
    /// How much of a meeting a pop-up tells.
    pub details: Details,
    /// The pop-up becomes urgent when the meeting starts: it stays, also where "do not disturb" is on.
    pub urgent_at_start: bool,
}

impl Default for DesktopConfig {
    fn default() -> Self {
        Self { details: Details::Full, urgent_at_start: true }
    }
}

/// How much of a meeting a pop-up tells: it may be read on a locked screen, and in the desktop's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Details {
    /// Title, time and who called it.
    Full,
    /// The time only.
    TimeOnly,
}

/// `[driver.command]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandConfig {
    /// Run when a button goes on or changes: a program and its arguments.
    pub on_show: Option<Vec<String>>,
    /// Run when a button goes off.
    pub on_hide: Option<Vec<String>>,
    /// How long either may run before it is killed.
    pub timeout: Duration,
}

impl Config {
    /// Reads the configuration: `named` (from `--config` or `JOINERY_AGENT_CONFIG`) if there is one, else the system's
    /// file, else the user's, else the defaults.
    ///
    /// # Errors
    /// One sentence that names the file, the line and the key.
    pub fn find(named: Option<&Path>, surroundings: &Surroundings) -> Result<Self, ConfigError> {
        let candidates = surroundings.config_files();
        let found = match named {
            Some(named) => Some(named),
            // `exists` is false as well for what may not be looked at: such a file is somebody else's.
            None => candidates.iter().map(PathBuf::as_path).find(|path| path.exists()),
        };
        match found {
            Some(path) => Self::load(path, surroundings),
            None => Self::without_file(surroundings),
        }
    }

    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// One sentence that names the file, the line and the key.
    pub fn load(path: &Path, surroundings: &Surroundings) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(&text, surroundings).map_err(|error| error.in_file(path))
    }

    /// Checks a configuration text.
    ///
    /// # Errors
    /// One sentence that names the line and the key.
    pub fn parse(text: &str, surroundings: &Surroundings) -> Result<Self, ConfigError> {
        let file: file::ConfigFile =
            toml::from_str(text).map_err(|error| ConfigError::of_toml(text, &error))?;
        file.check(text, surroundings)
    }

    /// What holds where nothing is configured: a pop-up if there is a desktop session.
    ///
    /// # Errors
    /// When it cannot be told where state belongs.
    pub fn without_file(surroundings: &Surroundings) -> Result<Self, ConfigError> {
        let config = Self::parse("", surroundings)?;
        Ok(Self { desktop: surroundings.session_bus.then(DesktopConfig::default), ..config })
    }

    /// The socket that the command line uses to talk to the daemon.
    pub fn socket(&self) -> PathBuf {
        self.state_dir.join("agent.sock")
    }
}

#[cfg(test)]
mod tests;
