//! How a tenant is started.

use std::net::SocketAddr;
use std::time::Duration;

use crate::mailbox::MailboxKind;

/// How to start a tenant.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where HTTPS listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the control interface listens, if it is wanted.
    pub control: Option<SocketAddr>,
    /// Names and addresses in the server certificate; the first one stands in the URLs.
    pub names: Vec<String>,
    /// Verified domains, the default one first.
    pub domains: Vec<String>,
    /// Mailboxes to begin with.
    pub mailboxes: Vec<(String, MailboxKind)>,
    /// Application permissions with consent.
    pub roles: Vec<String>,
    /// How long access tokens live.
    pub token_lifetime: Duration,
    /// The client secret; a random one by default.
    pub client_secret: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        let roles = [
            "Calendars.ReadWrite",
            "MailboxSettings.Read",
            "User.Read.All",
            "Domain.Read.All",
            "Place.Read.All",
        ];
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            control: None,
            names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
            domains: vec!["contoso.example".to_owned(), "contoso.onmicrosoft.com".to_owned()],
            mailboxes: Vec::new(),
            roles: roles.map(str::to_owned).to_vec(),
            token_lifetime: Duration::from_secs(3599),
            client_secret: None,
        }
    }
}
