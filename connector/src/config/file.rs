//! The configuration as written. Unknown keys are refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use joinery_model::TenantName;
use serde::Deserialize;
use toml::Spanned;

use super::{AdminConfig, Config, ConfigError, KeysConfig, ServerConfig, SyncConfig, TenantConfig, values};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConfigFile {
    server: ServerFile,
    #[serde(default)]
    admin: AdminFile,
    #[serde(default)]
    store: StoreFile,
    #[serde(default)]
    keys: KeysFile,
    #[serde(default)]
    tenant: Vec<TenantFile>,
    #[serde(default)]
    sync: SyncFile,
    #[serde(default)]
    notifications: NotificationsFile,
    #[serde(default)]
    button: ButtonFile,
    #[serde(default)]
    keywords: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    meetings: MeetingsFile,
    #[serde(default)]
    retention: RetentionFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServerFile {
    listen: Option<Spanned<String>>,
    enrollment_listen: Option<Spanned<String>>,
    enrollments_per_minute: Option<Spanned<u16>>,
    names: Spanned<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct AdminFile {
    socket: Option<PathBuf>,
    listen: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct StoreFile {
    url: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct KeysFile {
    provider: Option<Spanned<String>>,
    max_age: Option<Spanned<String>>,
    #[serde(default)]
    embedded: EmbeddedFile,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct EmbeddedFile {
    file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TenantFile {
    name: Spanned<String>,
    id: Spanned<String>,
    cloud: Option<Spanned<String>>,
    #[serde(default)]
    domains: Vec<String>,
    client_id: Spanned<String>,
    client_secret_file: Option<PathBuf>,
    certificate_file: Option<Spanned<PathBuf>>,
    private_key_file: Option<Spanned<PathBuf>>,
    authority_url: Option<Spanned<String>>,
    graph_url: Option<Spanned<String>>,
    ca_file: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct SyncFile {
    past: Option<Spanned<String>>,
    future: Option<Spanned<String>>,
    poll_interval: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct NotificationsFile {
    mode: Option<Spanned<String>>,
    // Read so that a configuration that names them is understood; used where `mode` is `webhook`.
    #[serde(rename = "public_url")]
    _public_url: Option<String>,
    #[serde(rename = "listen")]
    _listen: Option<String>,
    #[serde(rename = "certificate_file")]
    _certificate_file: Option<PathBuf>,
    #[serde(rename = "private_key_file")]
    _private_key_file: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ButtonFile {
    lead: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct MeetingsFile {
    #[serde(default)]
    own_sites: Vec<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RetentionFile {
    enforce_every: Option<Spanned<String>>,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl ConfigFile {
    /// Checks every value; `text` is the source, for line numbers.
    pub(super) fn check(self, text: &str) -> Result<Config, ConfigError> {
        let check = Check { text };
        if let Some(mode) = self.notifications.mode.filter(|mode| mode.get_ref() != "off") {
            return Err(check.refuse(
                "mode",
                &mode,
                "this version reads calendars by polling only; set it to \"off\"",
            ));
        }
        let database = check.database(self.store)?;
        Ok(Config {
            server: check.server(self.server)?,
            admin: check.admin(self.admin)?,
            keys: check.keys(self.keys, &database)?,
            database,
            tenants: check.tenants(self.tenant)?,
            sync: check.sync(&self.sync)?,
            button_lead: check.duration("lead", self.button.lead.as_ref(), "5m", 0..=180 * MINUTE)?,
            keywords: check.keywords(self.keywords)?,
            own_sites: check.own_sites(self.meetings.own_sites)?,
            enforce_every: check.duration(
                "enforce_every",
                self.retention.enforce_every.as_ref(),
                "1h",
                1..=DAY,
            )?,
        })
    }
}

/// The checks, with the source text for line numbers.
struct Check<'a> {
    text: &'a str,
}

impl Check<'_> {
    fn refuse<T>(&self, key: &str, value: &Spanned<T>, message: impl Into<String>) -> ConfigError {
        ConfigError::at(self.text, key, value, message)
    }

    /// A duration between two bounds, both in seconds.
    fn duration(
        &self,
        key: &str,
        value: Option<&Spanned<String>>,
        default: &str,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Result<Duration, ConfigError> {
        let Some(value) = value else {
            return values::duration(default).map_err(|message| ConfigError::missing(key, message));
        };
        let duration =
            values::duration(value.get_ref()).map_err(|message| self.refuse(key, value, message))?;
        let (least, most) = (Duration::from_secs(*bounds.start()), Duration::from_secs(*bounds.end()));
        if duration < least || duration > most {
            let message =
                format!("is out of bounds; set it to {} to {}", spell(*bounds.start()), spell(*bounds.end()));
            return Err(self.refuse(key, value, message));
        }
        Ok(duration)
    }

    fn server(&self, file: ServerFile) -> Result<ServerConfig, ConfigError> {
        let listen = |key: &str, value: Option<Spanned<String>>, default: &str| match value {
            Some(value) => {
                values::socket_address(value.get_ref(), default).map_err(|m| self.refuse(key, &value, m))
            }
            None => values::socket_address(default, default).map_err(|m| ConfigError::missing(key, m)),
        };
        if file.names.get_ref().is_empty() {
            let message = "is empty; list the names and addresses by which devices reach this connector";
            return Err(self.refuse("names", &file.names, message));
        }
        for name in file.names.get_ref() {
            values::server_name(name).map_err(|message| self.refuse("names", &file.names, message))?;
        }
        let rate = file.enrollments_per_minute.as_ref();
        if let Some(rate) = rate.filter(|rate| !(1..=10_000).contains(rate.get_ref())) {
            return Err(self.refuse(
                "enrollments_per_minute",
                rate,
                "is out of bounds; set it to 1 to 10000",
            ));
        }
        Ok(ServerConfig {
            enrollments_per_minute: rate.map_or(20, |rate| *rate.get_ref()),
            listen: listen("listen", file.listen, "[::]:8443")?,
            enrollment_listen: listen("enrollment_listen", file.enrollment_listen, "[::]:8442")?,
            names: file.names.into_inner(),
        })
    }

    fn admin(&self, file: AdminFile) -> Result<AdminConfig, ConfigError> {
        let console = match file.listen.filter(|listen| !listen.get_ref().is_empty()) {
            Some(listen) => Some(
                values::socket_address(listen.get_ref(), "127.0.0.1:8080")
                    .map_err(|message| self.refuse("listen", &listen, message))?,
            ),
            None => None,
        };
        Ok(AdminConfig { socket: file.socket.unwrap_or_else(|| "/run/joinery/admin.sock".into()), console })
    }

    fn database(&self, file: StoreFile) -> Result<PathBuf, ConfigError> {
        let Some(url) = file.url else { return Ok("/var/lib/joinery/connector.db".into()) };
        match url.get_ref().strip_prefix("sqlite:") {
            Some(path) if path.starts_with('/') => Ok(path.into()),
            Some(_) | None => {
                let message = "this version stores in SQLite only; write it as sqlite:/absolute/path";
                Err(self.refuse("url", &url, message))
            }
        }
    }

    /// The key file stands beside the database unless it is put elsewhere.
    fn keys(&self, file: KeysFile, database: &Path) -> Result<KeysConfig, ConfigError> {
        if let Some(provider) = file.provider.filter(|provider| provider.get_ref() != "embedded") {
            let message = "this version has the embedded key manager only; set it to \"embedded\"";
            return Err(self.refuse("provider", &provider, message));
        }
        Ok(KeysConfig {
            file: file.embedded.file.unwrap_or_else(|| database.with_file_name("kek")),
            max_age: self.duration("max_age", file.max_age.as_ref(), "15m", MINUTE..=DAY)?,
        })
    }

    fn tenants(&self, files: Vec<TenantFile>) -> Result<Vec<TenantConfig>, ConfigError> {
        if files.is_empty() {
            return Err(ConfigError::missing(
                "tenant",
                "is missing; add a [[tenant]] table for your Office 365 tenant",
            ));
        }
        let mut tenants: Vec<TenantConfig> = Vec::new();
        for file in files {
            if tenants.iter().any(|tenant| tenant.name.as_str() == file.name.get_ref()) {
                let message = format!("another [[tenant]] is called {} already", file.name.get_ref());
                return Err(self.refuse("name", &file.name, message));
            }
            tenants.push(self.tenant(file)?);
        }
        Ok(tenants)
    }

    fn tenant(&self, file: TenantFile) -> Result<TenantConfig, ConfigError> {
        for (key, value) in [("name", &file.name), ("id", &file.id), ("client_id", &file.client_id)] {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if value.get_ref().is_empty() || !value.get_ref().chars().all(plain) {
                return Err(self.refuse(key, value, "must be letters, digits, dots and dashes"));
            }
        }
        for (key, value) in
            [("certificate_file", &file.certificate_file), ("private_key_file", &file.private_key_file)]
        {
            if let Some(value) = value {
                let message = "this version signs in with a secret only; use client_secret_file";
                return Err(self.refuse(key, value, message));
            }
        }
        let (authority, graph) = self.cloud(file.cloud.as_ref())?;
        let service = |key: &str, value: Option<Spanned<String>>, default: &str| match value {
            Some(value) => values::service_url(value.get_ref()).map_err(|m| self.refuse(key, &value, m)),
            None => values::service_url(default).map_err(|m| ConfigError::missing(key, m)),
        };
        let name = file.name.get_ref().clone();
        Ok(TenantConfig {
            client_secret_file: file.client_secret_file.ok_or_else(|| {
                let message = "is missing; name the file that holds the application's secret";
                self.refuse("client_secret_file", &file.name, message)
            })?,
            name: TenantName::new(name),
            id: file.id.into_inner(),
            domains: file.domains.iter().map(|domain| domain.to_lowercase()).collect(),
            client_id: file.client_id.into_inner(),
            authority_url: service("authority_url", file.authority_url, authority)?,
            graph_url: service("graph_url", file.graph_url, graph)?,
            ca_file: file.ca_file,
        })
    }

    /// Authority and Graph root of a cloud (Graph documentation, national cloud deployments).
    fn cloud(&self, cloud: Option<&Spanned<String>>) -> Result<(&'static str, &'static str), ConfigError> {
        let worldwide = ("https://login.microsoftonline.com", "https://graph.microsoft.com");
        let Some(cloud) = cloud else { return Ok(worldwide) };
        match cloud.get_ref().as_str() {
            "worldwide" | "gcc" => Ok(worldwide),
            "gcc-high" => Ok(("https://login.microsoftonline.us", "https://graph.microsoft.us")),
            other => {
                let message = format!("{other} is not supported; set it to worldwide, gcc or gcc-high");
                Err(self.refuse("cloud", cloud, message))
            }
        }
    }

    fn sync(&self, file: &SyncFile) -> Result<SyncConfig, ConfigError> {
        Ok(SyncConfig {
            past: self.duration("past", file.past.as_ref(), "7d", 0..=365 * DAY)?,
            future: self.duration("future", file.future.as_ref(), "31d", DAY..=365 * DAY)?,
            poll_interval: self.duration("poll_interval", file.poll_interval.as_ref(), "60s", 1..=DAY)?,
        })
    }

    fn keywords(
        &self,
        keywords: BTreeMap<String, Spanned<String>>,
    ) -> Result<BTreeMap<String, String>, ConfigError> {
        for (keyword, provider) in &keywords {
            if !keyword.starts_with('@') || keyword.len() < 2 {
                return Err(self.refuse(keyword, provider, "a keyword starts with @, like \"@meet\""));
            }
        }
        Ok(keywords.into_iter().map(|(keyword, provider)| (keyword, provider.into_inner())).collect())
    }

    fn own_sites(&self, sites: Vec<Spanned<String>>) -> Result<Vec<String>, ConfigError> {
        for site in &sites {
            values::server_name(site.get_ref()).map_err(|message| self.refuse("own_sites", site, message))?;
        }
        Ok(sites.into_iter().map(|site| site.into_inner().to_lowercase()).collect())
    }
}

fn spell(seconds: u64) -> String {
    match seconds {
        s if s >= DAY && s % DAY == 0 => format!("{}d", s / DAY),
        s if s >= 60 && s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}
