//! Cloud video interop: dialling into a Teams meeting through somebody's gateway (policy 5.6).

use std::sync::LazyLock;

use regex::Regex;

use super::{Address, Mark, Printed};
use crate::link::{Link, is_plain_host, percent_decode};
use crate::rank::Source;

/// What a page with dialling instructions says. The page itself is no join link.
#[derive(Clone, PartialEq, Eq)]
pub enum Instructions {
    /// Pexip's page: the whole address.
    Pexip(Address),
    /// A gateway's own short form of the same.
    PexipMe(Address),
    /// Webex's page, which only repeats what is printed.
    Webex(Address),
}

impl Instructions {
    /// The address to dial.
    pub fn address(&self) -> &Address {
        match self {
            Self::Pexip(address) | Self::PexipMe(address) | Self::Webex(address) => address,
        }
    }
}

/// Reads a link as a page of dialling instructions for a Teams meeting.
pub fn instructions(link: &Link) -> Option<Instructions> {
    let param = |name| link.param(name).and_then(percent_decode);
    match (link.host(), link.segments().as_slice()) {
        ("www.webex.com", ["msteams"]) => {
            let domain = param("domain").filter(|domain| domain == "m.webex.com")?;
            let user = format!("{}.{}", param("confid")?, param("tenantkey")?);
            Some(Instructions::Webex(Address::of(&user, &domain)?))
        }
        ("pexip.me", ["teams", domain, id]) => {
            is_plain_host(domain).then(|| Address::of(id, domain)).flatten().map(Instructions::PexipMe)
        }
        (_, ["teams"]) => {
            let user = format!("{}{}", param("prefix").unwrap_or_default(), param("conf")?);
            Some(Instructions::Pexip(Address::of(&user, &param("d")?)?))
        }
        _ => None,
    }
}

/// The number behind a gateway's address, whatever its label is called: on the same line or on the two that follow.
static CONFERENCE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^[^\d+@\n]{0,80}(?:\n[^\d+@\n]{0,80}){0,4}?(?P<id>\d(?:[ \u{a0}\u{202f}-]?\d){5,15})(?:\D|$)",
    )
    .ok()
});

/// The conference's number, as printed behind an address that ends at `end`.
fn conference(text: &str, end: usize) -> Option<String> {
    let behind = text.get(end..)?;
    let reach = behind.char_indices().nth(400).map_or(behind.len(), |(at, _)| at);
    let mut behind = behind.get(..reach)?;
    // Outlook's copy of the address stands between the two.
    if let Some((_, rest)) = behind.strip_prefix("<mailto:").and_then(|copy| copy.split_once('>')) {
        behind = rest;
    }
    let id = CONFERENCE.as_ref()?.captures(behind)?.name("id")?.as_str();
    Some(id.chars().filter(char::is_ascii_digit).collect())
}

/// How to dial into the Teams meeting by what the invitation prints and links to. `text_of` gives a source's text.
pub fn dial<'a>(
    printed: &[Printed],
    pages: &[Instructions],
    text_of: impl Fn(Source) -> &'a str,
) -> Option<String> {
    let pexip = pages.iter().find(|page| matches!(page, Instructions::Pexip(_) | Instructions::PexipMe(_)));
    if let Some(page) = pexip {
        return Some(page.address().text());
    }
    let known = printed.iter().find(|printed| printed.address.provider() == Some("teams"));
    if let Some(Printed { address, source, end, .. }) = known {
        let conference = conference(text_of(*source), *end);
        let with_conference = conference.map(|conference| match address.host.as_str() {
            "m.webex.com" => format!("{conference}.{}", address.user),
            _ => format!("{}.{conference}", address.user),
        });
        // The webpage repeats the number, where the text has lost it.
        let by_page = || pages.first().map(|page| page.address().user.clone());
        let complete =
            address.user.rsplit_once('.').is_some_and(|(_, end)| end.bytes().all(|b| b.is_ascii_digit()));
        let user = if complete { None } else { with_conference.or_else(by_page) };
        return Some(format!("{}@{}", user.unwrap_or_else(|| address.user.clone()), address.host));
    }
    if let Some(page) = pages.first() {
        return Some(page.address().text());
    }
    // Another gateway's: an address under a label, with the number to key in behind it.
    let other = printed.iter().find(|printed| {
        let labelled =
            matches!(printed.mark, Mark::Label | Mark::Scheme) && printed.address.provider().is_none();
        labelled && conference(text_of(printed.source), printed.end).is_some()
    });
    other.map(|printed| printed.address.text())
}
