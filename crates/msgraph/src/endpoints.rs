//! The two servers of a tenant, and every address that is asked there.

use std::path::PathBuf;

use jiff::Timestamp;
use joinery_calendar_sync::Window;
use joinery_model::{EventId, MailboxAddress};
use url::Url;

use crate::GraphError;

/// One tenant, as the configuration describes it.
#[derive(Debug, Clone)]
pub struct GraphSettings {
    /// The tenant's id or verified domain.
    pub tenant_id: String,
    /// The application's id.
    pub client_id: String,
    /// The file that holds the application's secret; it is read anew for each token.
    pub secret_file: PathBuf,
    /// Where tokens come from: `https://login.microsoftonline.com`.
    pub authority_url: Url,
    /// Graph's root, without version: `https://graph.microsoft.com`.
    pub graph_url: Url,
    /// Authorities that are trusted for these two besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// Builds addresses.
pub(crate) struct Endpoints {
    token: Url,
    scope: String,
    graph: Url,
}

impl Endpoints {
    pub fn new(settings: &GraphSettings) -> Result<Self, GraphError> {
        let authority = checked("authority_url", &settings.authority_url)?;
        let graph = checked("graph_url", &settings.graph_url)?;
        if settings.tenant_id.is_empty() {
            return Err(GraphError::Settings {
                setting: "tenant.id",
                problem: "is empty; set it to the tenant's id",
            });
        }
        Ok(Self {
            token: below(&authority, &[&settings.tenant_id, "oauth2", "v2.0", "token"]),
            scope: format!("{}/.default", graph.as_str().trim_end_matches('/')),
            graph: below(&graph, &["v1.0"]),
        })
    }

    pub fn token(&self) -> Url {
        self.token.clone()
    }

    /// The one scope of client credentials: everything that was consented to, for this Graph.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    pub fn delta(&self, mailbox: &MailboxAddress, window: &Window) -> Url {
        self.windowed(&["users", mailbox.as_str(), "calendarView", "delta"], window)
    }

    pub fn events(&self, mailbox: &MailboxAddress) -> Url {
        below(&self.graph, &["users", mailbox.as_str(), "events"])
    }

    pub fn event(&self, mailbox: &MailboxAddress, event: &EventId) -> Url {
        below(&self.graph, &["users", mailbox.as_str(), "events", event.as_str()])
    }

    pub fn instances(&self, mailbox: &MailboxAddress, master: &EventId, window: &Window) -> Url {
        self.windowed(&["users", mailbox.as_str(), "events", master.as_str(), "instances"], window)
    }

    pub fn domains(&self) -> Url {
        below(&self.graph, &["domains"])
    }

    /// A link that Graph gave, to be used as it is; `None` if it leads to another server, which must not be shown the
    /// token.
    pub fn link(&self, link: &str) -> Option<Url> {
        let link = Url::parse(link).ok()?;
        let bare = link.username().is_empty() && link.password().is_none();
        (bare && link.origin() == self.graph.origin()).then_some(link)
    }

    fn windowed(&self, path: &[&str], window: &Window) -> Url {
        let mut url = below(&self.graph, path);
        let second = |time: Timestamp| Timestamp::from_second(time.as_second()).unwrap_or(time).to_string();
        url.query_pairs_mut()
            .append_pair("startDateTime", &second(window.start))
            .append_pair("endDateTime", &second(window.end));
        url
    }
}

fn checked(setting: &'static str, url: &Url) -> Result<Url, GraphError> {
    let refuse = |problem| Err(GraphError::Settings { setting, problem });
    if url.scheme() != "https" {
        return refuse("does not begin with https://; tokens and calendars are sent nowhere else");
    }
    if url.query().is_some()
        || url.fragment().is_some()
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return refuse("holds more than a server and a path; leave out everything behind them");
    }
    Ok(url.clone())
}

/// `base` with further path segments, each escaped.
fn below(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Only addresses without a path refuse this (`mailto:`); ours are https.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(graph: &str) -> GraphSettings {
        GraphSettings {
            tenant_id: "contoso.onmicrosoft.com".into(),
            client_id: "app".into(),
            secret_file: "/nowhere".into(),
            authority_url: "https://login.microsoftonline.com".parse().unwrap(),
            graph_url: graph.parse().unwrap(),
            ca_file: None,
        }
    }

    fn endpoints(graph: &str) -> Endpoints {
        Endpoints::new(&settings(graph)).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn addresses_are_built_as_documented() {
        let microsoft = endpoints("https://graph.microsoft.com");
        let mailbox = "o'room+1@contoso.example".parse().unwrap();
        let window = Window {
            start: "2026-11-17T00:00:00Z".parse().unwrap(),
            end: "2026-12-26T00:00:00Z".parse().unwrap(),
        };
        let check = |url: Url, want: &str| assert_eq!(url.as_str(), want);
        check(
            microsoft.token(),
            "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token",
        );
        check(
            microsoft.delta(&mailbox, &window),
            "https://graph.microsoft.com/v1.0/users/o'room+1@contoso.example/calendarView/delta?startDateTime=2026-11-17T00%3A00%3A00Z&endDateTime=2026-12-26T00%3A00%3A00Z",
        );
        check(
            microsoft.event(&mailbox, &EventId::new("AA/k?#%=-_")),
            "https://graph.microsoft.com/v1.0/users/o'room+1@contoso.example/events/AA%2Fk%3F%23%25=-_",
        );
        check(microsoft.domains(), "https://graph.microsoft.com/v1.0/domains");
        assert_eq!(microsoft.scope(), "https://graph.microsoft.com/.default");
        let gateway = endpoints("https://gateway.example:8443/graph/");
        check(gateway.domains(), "https://gateway.example:8443/graph/v1.0/domains");
        assert_eq!(gateway.scope(), "https://gateway.example:8443/graph/.default");
    }

    #[test]
    fn only_links_to_the_configured_server_are_used_and_as_they_are() {
        let endpoints = endpoints("https://graph.microsoft.com");
        let check = |link: &str, ours: bool| {
            assert_eq!(endpoints.link(link).map(String::from).as_deref(), ours.then_some(link), "{link}");
        };
        check(
            "https://graph.microsoft.com/v1.0/users/x/calendarView/delta?$deltatoken=a%2Bb+c_-&$x=%20",
            true,
        );
        check(
            "https://graph.microsoft.com/v1.0/users('a@b.example')/calendarView/delta?$skiptoken=R0us",
            true,
        );
        check("https://graph.microsoft.com.evil.example/v1.0/x", false);
        check("https://graph.microsoft.com:444/v1.0/x", false);
        check("http://graph.microsoft.com/v1.0/x", false);
        check("https://graph.microsoft.us/v1.0/x", false);
        check("https://user@graph.microsoft.com/v1.0/x", false);
        check("/v1.0/x", false);
        check("", false);
    }

    #[test]
    fn only_https_addresses_are_taken() {
        let check = |graph: &str, want: &str| {
            let error =
                Endpoints::new(&settings(graph)).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.starts_with("graph_url ") && error.contains(want), "{graph}: {error}");
        };
        check("http://graph.microsoft.com", "https://");
        check("https://graph.microsoft.com/?x=1", "leave out");
        check("https://me:pw@graph.microsoft.com/", "leave out");
    }
}
