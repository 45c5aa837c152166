//! Pexip Infinity, self-hosted.

use super::{Meeting, NOTHING, Provider};
use crate::link::{Link, is_plain_host, param, percent_decode};

/// On any host: `/webapp/home/?conference=`, `/webapp/#/?conference=`, `/webapp/conference/ALIAS`, `/webapp/m/ALIAS`.
pub const PROVIDER: Provider = Provider { id: "pexip", self_hosted: shape, ..NOTHING };

fn shape(link: &Link, segments: &[&str]) -> Option<Meeting> {
    match segments {
        ["webapp", "home"] => by_alias(link, link.param("conference")?),
        ["webapp"] => by_alias(link, param(link.fragment().strip_prefix("/?")?, "conference")?),
        ["webapp", "conference", alias] if !alias.is_empty() => by_alias(link, alias),
        ["webapp", "m", alias] if !alias.is_empty() => Some(named(link, alias)),
        _ => None,
    }
}

fn named(link: &Link, alias: &str) -> Meeting {
    Meeting::named(format!("{}/{}", link.host(), alias.to_ascii_lowercase()))
}

/// An alias with a domain is an address to dial as well.
fn by_alias(link: &Link, alias: &str) -> Option<Meeting> {
    let alias = percent_decode(alias)?;
    let dial = alias.split_once('@').filter(|(user, host)| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        !user.is_empty() && user.chars().all(plain) && is_plain_host(&host.to_ascii_lowercase())
    });
    let dial = dial.map(|(user, host)| format!("{user}@{host}"));
    Some(named(link, &alias).dialled(dial))
}
