//! Microsoft Teams: work, personal and the US government clouds.

use super::{Meeting, NOTHING, Provider, shapes};
use crate::link::{Link, param, percent_decode, strip_prefix_ignoring_case};

/// The Teams hosts, each by its full name: `*.microsoft.com` holds many other things.
pub const PROVIDER: Provider = Provider { id: "teams", owns, shape, from_app, behind_launcher, ..NOTHING };

fn owns(host: &str) -> bool {
    matches!(
        host,
        "teams.microsoft.com"
            | "teams.live.com"
            | "gov.teams.microsoft.us"
            | "dod.teams.microsoft.us"
            | "gov.teams.microsoft.com"
            | "teams.microsoft.us"
    )
}

fn shape(_: &Link, segments: &[&str]) -> Option<Meeting> {
    match segments {
        ["l", "meetup-join", thread, ..] if !thread.is_empty() => {
            Some(Meeting::named(percent_decode(thread).unwrap_or_else(|| (*thread).to_owned())))
        }
        ["meet", id] if shapes::is_number(id) => Some(Meeting::numbered(id)),
        _ => None,
    }
}

/// `msteams:/PATH` is `https://teams.microsoft.com/PATH`.
fn from_app(text: &str) -> Option<String> {
    let path = strip_prefix_ignoring_case(text, "msteams:/")?;
    Some(format!("https://teams.microsoft.com/{path}"))
}

/// `/dl/launcher/launcher.html?url=/_#/PATH` and `/v2/?meetingjoin=true#/PATH` lead to `/PATH` on the same host.
fn behind_launcher(link: &Link) -> Option<String> {
    let path = match link.segments().as_slice() {
        ["dl", "launcher", "launcher.html"] => {
            let path = percent_decode(link.param("url")?)?;
            path.strip_prefix("/_#").map(str::to_owned).unwrap_or(path)
        }
        ["v2"] if param(link.query(), "meetingjoin") == Some("true") => link.fragment().to_owned(),
        _ => return None,
    };
    path.starts_with('/').then(|| format!("https://{}{path}", original_host(link)))
}

/// The host as it was written.
fn original_host(link: &Link) -> &str {
    link.origin().split_once("//").map_or(link.host(), |(_, host)| host)
}
