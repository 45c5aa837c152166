//! Where things are on this machine, told by its environment.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The parts of a process's environment that decide defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Runs as root.
    pub root: bool,
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub config_home: Option<PathBuf>,
    /// `XDG_STATE_HOME`.
    pub state_home: Option<PathBuf>,
    /// `STATE_DIRECTORY`, set by systemd for a service (systemd.exec(5)).
    pub state_directory: Option<PathBuf>,
    /// A desktop's session bus can be reached.
    pub session_bus: bool,
}

impl Surroundings {
    /// Those of this process.
    pub fn of_this_process() -> Self {
        let path = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let bus_socket = path("XDG_RUNTIME_DIR").map(|dir| dir.join("bus"));
        Self {
            root: rustix::process::geteuid().is_root(),
            home: path("HOME"),
            config_home: path("XDG_CONFIG_HOME"),
            state_home: path("XDG_STATE_HOME"),
            state_directory: env::var_os("STATE_DIRECTORY").and_then(first_of_list),
            session_bus: env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some()
                || bus_socket.is_some_and(|socket| socket.exists()),
        }
    }

    /// Configuration files in the order in which they are looked for.
    pub(super) fn config_files(&self) -> Vec<PathBuf> {
        let own = self.config_home.clone().or_else(|| self.home.as_ref().map(|home| home.join(".config")));
        let system = PathBuf::from("/etc/joinery/agent.toml");
        std::iter::once(system).chain(own.map(|dir| dir.join("joinery/agent.toml"))).collect()
    }

    /// Where state is kept unless configured: the service's folder, the system's for root, else the user's own.
    pub(super) fn state_dir(&self) -> Option<PathBuf> {
        if let Some(directory) = &self.state_directory {
            return Some(directory.clone());
        }
        if self.root {
            return Some(PathBuf::from("/var/lib/joinery-agent"));
        }
        let own =
            self.state_home.clone().or_else(|| self.home.as_ref().map(|home| home.join(".local/state")));
        own.map(|dir| dir.join("joinery"))
    }
}

/// systemd separates several folders by colons.
fn first_of_list(list: OsString) -> Option<PathBuf> {
    let list = list.into_string().ok()?;
    list.split(':').next().filter(|first| Path::new(first).is_absolute()).map(PathBuf::from)
}
