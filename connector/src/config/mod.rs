//! The configuration: as written in [`file`], as used here. Only checked values leave this module.

mod file;
mod values;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use joinery_model::TenantName;

pub use joinery_daemon::ConfigError;
pub use values::duration as read_duration;

/// Everything that the connector is told, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where agents come.
    pub server: ServerConfig,
    /// Where the command line comes.
    pub admin: AdminConfig,
    /// Path of the SQLite database.
    pub database: PathBuf,
    /// Who holds the key of keys.
    pub keys: KeysConfig,
    /// Office 365 tenants, at least one, with different names.
    pub tenants: Vec<TenantConfig>,
    /// What is synced and how often.
    pub sync: SyncConfig,
    /// How long before the start the Join button appears.
    pub button_lead: Duration,
    /// Location keyword to provider of join details.
    pub keywords: BTreeMap<String, String>,
    /// Hosts of the organization's own meeting sites.
    pub own_sites: Vec<String>,
    /// How often rows outside the window are looked for.
    pub enforce_every: Duration,
}

/// `[server]`.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Sessions; a client certificate is demanded in the handshake.
    pub listen: SocketAddr,
    /// Enrollment; reachable without a certificate.
    pub enrollment_listen: SocketAddr,
    /// Runs of enrollment that may begin in a minute, half of them from one address.
    pub enrollments_per_minute: u16,
    /// Names and addresses in the server certificate; the first is told to devices.
    pub names: Vec<String>,
}

/// `[admin]`.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// Unix socket of the command line.
    pub socket: PathBuf,
    /// The console in the browser, which this version does not have: said once at start.
    pub console: Option<SocketAddr>,
}

/// `[keys]`.
#[derive(Debug, Clone)]
pub struct KeysConfig {
    /// The embedded key manager's key file.
    pub file: PathBuf,
    /// How long an unwrapped content key stays in memory.
    pub max_age: Duration,
}

/// `[[tenant]]`.
#[derive(Debug, Clone)]
pub struct TenantConfig {
    /// Its name here.
    pub name: TenantName,
    /// Its id or verified domain at Microsoft.
    pub id: String,
    /// Mailbox domains that belong to it, lower case; empty: asked of Graph.
    pub domains: Vec<String>,
    /// The application.
    pub client_id: String,
    /// File of the application's secret.
    pub client_secret_file: PathBuf,
    /// Where tokens come from.
    pub authority_url: url::Url,
    /// Root of Graph, without version.
    pub graph_url: url::Url,
    /// Trusted for these two besides the system's authorities.
    pub ca_file: Option<PathBuf>,
}

/// `[sync]`.
#[derive(Debug, Clone)]
pub struct SyncConfig {
    /// How far back.
    pub past: Duration,
    /// How far ahead.
    pub future: Duration,
    /// Pause between two rounds of a mailbox.
    pub poll_interval: Duration,
}

impl Config {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// One sentence that names the file, the line and the key.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::unreadable(path, &error))?;
        Self::parse(&text).map_err(|error| error.in_file(path))
    }

    /// Checks a configuration text.
    ///
    /// # Errors
    /// One sentence that names the line and the key.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let file: file::ConfigFile =
            toml::from_str(text).map_err(|error| ConfigError::of_toml(text, &error))?;
        file.check(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
[server]
names = ["connector.example.com"]
[keys.embedded]
file = "/var/lib/joinery/kek"
[[tenant]]
name = "contoso"
id = "contoso.onmicrosoft.com"
domains = ["Contoso.example"]
client_id = "11111111-1111-1111-1111-111111111111"
client_secret_file = "/etc/joinery/contoso.secret"
"#;

    #[test]
    fn defaults_are_those_of_the_reference() {
        let config = Config::parse(GOOD).unwrap();
        assert_eq!(config.server.listen.to_string(), "[::]:8443");
        assert_eq!(config.server.enrollment_listen.to_string(), "[::]:8442");
        assert_eq!(config.admin.socket, Path::new("/run/joinery/admin.sock"));
        assert_eq!(config.database, Path::new("/var/lib/joinery/connector.db"));
        assert_eq!(config.sync.past, Duration::from_secs(7 * 86_400));
        assert_eq!(config.sync.future, Duration::from_secs(31 * 86_400));
        assert_eq!(config.sync.poll_interval, Duration::from_secs(60));
        assert_eq!(config.button_lead, Duration::from_secs(300));
        let tenant = config.tenants.first().unwrap();
        assert_eq!(tenant.graph_url.as_str(), "https://graph.microsoft.com/");
        assert_eq!(tenant.domains, ["contoso.example"]);
    }

    /// `find` is replaced by `put` in the good text; the error must contain every word of `want`.
    fn check(find: &str, put: &str, want: &[&str]) {
        let text = GOOD.replacen(find, put, 1);
        assert_ne!(text, GOOD, "{find} does not occur");
        let error = Config::parse(&text).unwrap_err().to_string();
        for word in want {
            assert!(error.contains(word), "{error:?} lacks {word:?}");
        }
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_key() {
        check("names =", "nmaes = 1\nnames =", &["line 3", "nmaes", "names"]);
        check("names = [\"connector.example.com\"]", "", &["line 2", "names"]);
        check(
            "[keys.embedded]",
            "[admin]\nlisten = \"x\"\n[keys.embedded]",
            &["line 5", "listen", "127.0.0.1:8080"],
        );
        check(
            "[keys.embedded]",
            "[sync]\npoll_interval = \"soon\"\n[keys.embedded]",
            &["line 5", "poll_interval", "60s"],
        );
        check(
            "[keys.embedded]",
            "[sync]\npoll_interval = \"1ms\"\n[keys.embedded]",
            &["line 5", "poll_interval", "1s"],
        );
        check("[keys.embedded]", "[button]\nlead = \"4h\"\n[keys.embedded]", &["line 5", "lead", "180"]);
        check(
            "[keys.embedded]",
            "[store]\nurl = \"postgres://x\"\n[keys.embedded]",
            &["line 5", "url", "sqlite:"],
        );
        check(
            "[keys.embedded]",
            "[keys]\nprovider = \"vault\"\n[keys.embedded]",
            &["line 5", "provider", "embedded"],
        );
        check(
            "[keys.embedded]",
            "[notifications]\nmode = \"webhook\"\n[keys.embedded]",
            &["line 5", "mode", "off"],
        );
        check("[keys.embedded]", "[keywords]\nwebex = \"webex\"\n[keys.embedded]", &["webex", "@"]);
        check(
            "name = \"contoso\"",
            "name = \"contoso\"\ncloud = \"china\"",
            &["line 8", "cloud", "china", "worldwide"],
        );
        check(
            "name = \"contoso\"",
            "name = \"contoso\"\ngraph_url = \"http://x\"",
            &["line 8", "graph_url", "https"],
        );
        check(
            "name = \"contoso\"",
            "name = \"contoso\"\nclient_secret = \"hunter2\"",
            &["line 8", "client_secret"],
        );
        check("client_secret_file = \"/etc/joinery/contoso.secret\"", "", &["client_secret_file"]);
        check("names = [\"connector.example.com\"]", "names = []", &["line 3", "names"]);
        check("names = [\"connector.example.com\"]", "names = [\"a b\"]", &["line 3", "names"]);
        check(
            "names =",
            "enrollments_per_minute = 0\nnames =",
            &["line 3", "enrollments_per_minute", "10000"],
        );
        check("names =", "listen = \"8443\"\nnames =", &["line 3", "listen", "[::]:8443"]);
    }

    #[test]
    fn a_mistake_never_shows_a_value_that_may_be_secret() {
        let text = GOOD.replace("name = \"contoso\"", "name = \"contoso\"\nclient_secret = \"hunter2\"");
        assert!(!Config::parse(&text).unwrap_err().to_string().contains("hunter2"));
    }

    #[test]
    fn the_key_file_stands_beside_the_database() {
        let text = GOOD.replace(
            "[keys.embedded]\nfile = \"/var/lib/joinery/kek\"",
            "[store]\nurl = \"sqlite:/srv/x/connector.db\"",
        );
        let config = Config::parse(&text).unwrap();
        assert_eq!(
            (config.keys.file.to_str(), config.database.to_str()),
            (Some("/srv/x/kek"), Some("/srv/x/connector.db"))
        );
    }

    #[test]
    fn two_tenants_need_two_names() {
        let twice = format!(
            "{GOOD}{}",
            GOOD.split_once("[[tenant]]").map(|(_, t)| format!("[[tenant]]{t}")).unwrap()
        );
        assert!(Config::parse(&twice).unwrap_err().to_string().contains("contoso"));
        let none = GOOD.split_once("[[tenant]]").unwrap().0;
        assert!(Config::parse(none).unwrap_err().to_string().contains("[[tenant]]"));
    }
}
