//! Zoom, its government and German offers included.

use super::{Meeting, NOTHING, Provider, shapes};
use crate::link::{Link, is_under, param, strip_prefix_ignoring_case};

/// `zoom.us`, `zoom.com`, `zoomgov.com`, `zoom-x.de` and below.
pub const PROVIDER: Provider = Provider { id: "zoom", owns, shape, from_app, ..NOTHING };

fn owns(host: &str) -> bool {
    ["zoom.us", "zoom.com", "zoomgov.com", "zoom-x.de"].iter().any(|domain| is_under(host, domain))
}

fn shape(link: &Link, segments: &[&str]) -> Option<Meeting> {
    match segments {
        ["j", id] if is_meeting_number(id) => {
            let dial = link.is_under("zoom.us").then(|| format!("{id}@zoomcrc.com"));
            Some(Meeting::numbered(id).dialled(dial))
        }
        ["w" | "s", id] | ["wc", "join", id] | ["wc", id, "join"] if is_meeting_number(id) => {
            Some(Meeting::numbered(id))
        }
        ["my", name] if !name.is_empty() => Some(Meeting::at(link)),
        ["ejl", _, ..] if link.host() == "events.zoom.us" => Some(Meeting::at(link)),
        _ => None,
    }
}

/// A Zoom meeting's number has 9 to 11 digits.
fn is_meeting_number(text: &str) -> bool {
    shapes::has_digits(text, 9, 11)
}

/// `zoommtg://HOST/join?...confno=N[&pwd=P]` is `https://HOST/j/N[?pwd=P]`.
fn from_app(text: &str) -> Option<String> {
    let (host, rest) = strip_prefix_ignoring_case(text, "zoommtg://")?.split_once('/')?;
    let (action, query) = rest.split_once('?')?;
    let query = query.split('#').next().unwrap_or_default();
    if action.trim_end_matches('/') != "join" {
        return None;
    }
    let number = param(query, "confno")?;
    let passcode = param(query, "pwd").map(|pwd| format!("?pwd={pwd}")).unwrap_or_default();
    Some(format!("https://{host}/j/{number}{passcode}"))
}
