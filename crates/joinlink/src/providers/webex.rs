//! Webex, its FedRAMP domain included.

use super::{Meeting, NOTHING, Provider, shapes};
use crate::link::{Link, is_under};

/// `*.webex.com`, `*.webexgov.us`: personal rooms, scheduled meetings and what the Webex apps hand out.
pub const PROVIDER: Provider = Provider {
    id: "webex",
    owns: |host| is_under(host, "webex.com") || is_under(host, "webexgov.us"),
    shape,
    ..NOTHING
};

fn shape(link: &Link, segments: &[&str]) -> Option<Meeting> {
    if matches!(link.host(), "www.webex.com" | "help.webex.com") {
        return None;
    }
    match segments {
        ["meet" | "join", name] if !name.is_empty() => {
            let dial = is_site(link.host()).then(|| format!("{name}@{}", link.host()));
            let room = format!("{}/{}", link.host(), name.to_ascii_lowercase());
            Some(Meeting::named(room).dialled(dial))
        }
        [_, "j.php"] | [_, "k2", "j.php"] => link.param("MTID").map(Meeting::named),
        [_, "e.php"] if link.param("AT") == Some("MI") => {
            Some(Meeting::named(link.param("EventID").unwrap_or(link.as_str())))
        }
        ["wbxmjs", "joinservice", _, ..] => Some(Meeting::at(link)),
        ["webappng", "sites", _, "meeting", "download", id] if !id.is_empty() => Some(Meeting::at(link)),
        ["m", id] if shapes::is_uuid(id) => Some(Meeting::at(link)),
        _ => None,
    }
}

/// An organisation's own site, where `NAME@host` and `NUMBER@host` can be dialled.
pub fn is_site(host: &str) -> bool {
    host.strip_suffix(".webex.com").is_some_and(|site| !matches!(site, "www" | "help" | "m" | "lync"))
}
