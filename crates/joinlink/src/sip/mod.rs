//! Addresses to dial that an invitation prints (policy 5.1 to 5.3). What follows from them and from the link is decided
//! in [`choice`].

pub mod choice;
mod cvi;
mod gateway;
mod labels;

pub use cvi::{Instructions, instructions};

use crate::link::{is_plain_host, is_under, percent_decode, strip_prefix_ignoring_case};
use crate::rank::Source;
use crate::text::Page;

/// An address to dial, `user@host`.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Before the `@`, as printed.
    pub user: String,
    /// Behind it, in lower case; with a port where one is printed.
    pub host: String,
}

impl Address {
    /// Reads the whole of `text` as an address. A scheme's parameters and headers are left out.
    fn parse(text: &str) -> Option<Self> {
        let text = text.split([';', '?']).next().unwrap_or_default();
        let (user, host) = text.split_once('@')?;
        Self::of(user, host)
    }

    fn of(user: &str, host: &str) -> Option<Self> {
        let host = host.to_ascii_lowercase();
        let (name, port) = host.split_once(':').unwrap_or((host.as_str(), "5060"));
        let number_on_top =
            name.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()));
        let sound = is_plain_host(name) && (!number_on_top || gateway::is_ip(name));
        let fits = !user.is_empty() && user.len() <= 128 && user.chars().all(is_user_char);
        let port_fits = port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
        (sound && fits && port_fits).then(|| Self { user: user.to_owned(), host })
    }

    /// As it is handed out: without scheme and parameters.
    pub fn text(&self) -> String {
        format!("{}@{}", self.user, self.host)
    }

    /// The host is `domain` or lies below it.
    pub fn is_under(&self, domain: &str) -> bool {
        is_under(&self.host, domain)
    }

    /// Whose service dials it, where the host tells (policy 5.7).
    pub fn provider(&self) -> Option<&'static str> {
        const HOSTS: &[(&str, &str)] = &[
            ("m.webex.com", "teams"),
            ("t.plcm.vc", "teams"),
            ("teams.bjn.vc", "teams"),
            ("webex.com", "webex"),
            ("webexgov.us", "webex"),
            ("zoomcrc.com", "zoom"),
            ("bjn.vc", "bluejeans"),
            ("call.sl", "starleaf"),
            ("lifesizecloud.com", "lifesize"),
        ];
        HOSTS.iter().find(|(host, _)| self.is_under(host)).map(|(_, provider)| *provider)
    }

    /// The host serves nothing but video, so an address there is no mail address (policy 5.2).
    fn is_pure_video(&self) -> bool {
        ["zoomcrc.com", "bjn.vc", "plcm.vc", "m.webex.com", "lync.webex.com", "call.sl", "lifesizecloud.com"]
            .iter()
            .any(|host| self.is_under(host))
    }

    /// `USER.SITE@lync.webex.com`, the address of a Webex meeting for Skype for Business.
    pub fn is_lync_alias(&self) -> bool {
        self.host == "lync.webex.com"
    }

    /// The address that an alias for Skype for Business stands for.
    pub fn without_lync_alias(&self) -> Self {
        match self.user.rsplit_once('.') {
            Some((user, site)) if self.is_lync_alias() && !user.is_empty() => {
                Self { user: user.to_owned(), host: format!("{}.webex.com", site.to_ascii_lowercase()) }
            }
            _ => self.clone(),
        }
    }
}

fn is_user_char(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, '.' | '_' | '-' | '+' | '%' | '*' | '#' | '~' | '!' | '=' | '&' | '$')
}

/// A printed address that is to be dialled.
#[derive(Clone)]
pub struct Printed {
    /// The address.
    pub address: Address,
    /// In which source.
    pub source: Source,
    /// Where it ends in that source's text.
    pub end: usize,
    /// How it is known to be no mail address.
    pub mark: Mark,
}

/// What tells an address to dial from a mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `sip:` or `sips:`.
    Scheme,
    /// `h323:`.
    H323,
    /// An entry of the location of its own.
    Location,
    /// Words before it that say so.
    Label,
    /// Its host serves nothing but video.
    VideoHost,
}

/// Every address to dial on a page, in order.
pub fn printed(page: &Page, source: Source) -> Vec<Printed> {
    let mut found = in_hrefs(page, source);
    let mut from = 0;
    for (at, _) in page.text.match_indices('@') {
        if at < from || page.is_in_link(at) {
            continue;
        }
        let Some((start, end)) = extent(page, from, at) else { continue };
        from = end;
        let Some(address) = page.text.get(start..end).and_then(Address::parse) else { continue };
        let before = page.text.get(..start).unwrap_or_default();
        if let Some(mark) = mark(before, page.text.get(end..).unwrap_or_default(), source, &address) {
            found.push(Printed { address, source, end, mark });
        }
    }
    found.sort_by_key(|printed| printed.end);
    found
}

/// Why an address is to be dialled; `None` for a mail address.
fn mark(before: &str, behind: &str, source: Source, address: &Address) -> Option<Mark> {
    let ends_with = |scheme: &str| {
        let start = before.len().checked_sub(scheme.len());
        start.and_then(|start| before.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
    };
    if ends_with("sip:") || ends_with("sips:") {
        Some(Mark::Scheme)
    } else if ends_with("h323:") {
        Some(Mark::H323)
    } else if ends_with("mailto:") {
        // Outlook's copy of an address that stands before it as well.
        None
    } else if source == Source::Location && is_entry(before, behind) {
        Some(Mark::Location)
    } else if address.is_pure_video() {
        Some(Mark::VideoHost)
    } else {
        labels::is_dial_label(before).then_some(Mark::Label)
    }
}

/// Whether nothing but the address stands between the semicolons around it.
fn is_entry(before: &str, behind: &str) -> bool {
    let front = before.trim_end();
    let back = behind.trim_start();
    (front.is_empty() || front.ends_with(';')) && (back.is_empty() || back.starts_with(';'))
}

/// From where to where the address around the `@` at `at` reaches.
fn extent(page: &Page, from: usize, at: usize) -> Option<(usize, usize)> {
    let run = page.run_around(at);
    let front = page.text.get(run.start.max(from)..at)?;
    let user = front.get(front.trim_end_matches(is_user_char).len()..)?;
    let user = user.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    let behind = page.text.get(at + 1..run.end.max(at + 1))?;
    let is_host_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
    let host = behind.get(..behind.find(|c| !is_host_char(c)).unwrap_or(behind.len()))?;
    // A colon with digits is a port, any other one belongs to the sentence.
    let host = match host.split_once(':') {
        Some((_, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some((name, _)) => name,
        None => host,
    };
    let host = host.trim_end_matches(['.', '-']);
    Some((at - user.len(), at + 1 + host.len()))
}

/// Addresses that a click dials.
fn in_hrefs(page: &Page, source: Source) -> Vec<Printed> {
    let read = |href: &str| {
        let schemes = [("sips:", Mark::Scheme), ("sip:", Mark::Scheme), ("h323:", Mark::H323)];
        schemes.into_iter().find_map(|(scheme, mark)| {
            let address = Address::parse(&percent_decode(strip_prefix_ignoring_case(href, scheme)?)?)?;
            Some((address, mark))
        })
    };
    page.links
        .iter()
        .filter(|link| link.at.is_empty())
        .filter_map(|link| {
            let (address, mark) = read(&link.text)?;
            Some(Printed { address, source, end: link.at.start, mark })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, source: Source, want: &[&str]) {
        let found: Vec<String> =
            printed(&Page::of_text(text), source).iter().map(|printed| printed.address.text()).collect();
        assert_eq!(found, want, "{text}");
    }

    #[test]
    fn an_address_to_dial_is_told_from_a_mail_address() {
        check("Call sips:board@v.example;transport=tls.", Source::Body, &["board@v.example"]);
        check("Dial 1@2.3.4.5 now", Source::Body, &["1@2.3.4.5"]);
        check("Dial 1@2.3.4.567 now", Source::Body, &[]);
        check("Join by SIP\r\n\r\n* 1@v.example", Source::Body, &["1@v.example"]);
        check(
            "Join from a video system or application\nDial 1@a.webex.com",
            Source::Body,
            &["1@a.webex.com"],
        );
        check("Join from a video conferencing system or application\n\n1@a.b", Source::Body, &["1@a.b"]);
        check("make video call to test@a.b", Source::Body, &["test@a.b"]);
        check("12@zoomcrc.com and jo@zoom.us", Source::Body, &["12@zoomcrc.com"]);
        check("Cisco devices: 1@a.b<mailto:1@a.b>", Source::Body, &["1@a.b"]);
        check("Room 1 (8); 255@a.webex.com; x", Source::Location, &["255@a.webex.com"]);
        for mail in [
            "Contact jo@a.b",
            "jo@a.webex.com",
            "We join the video call, ask jo@a.b",
            "19:x@thread.v2",
            "@a.b",
        ] {
            check(mail, Source::Body, &[]);
        }
        check("Room 1 jo@a.b; x", Source::Location, &[]);
        check("https://v.example/webapp/home/?conference=1@a.b sip:2@a.b", Source::Body, &["2@a.b"]);
    }

    #[test]
    fn a_lync_alias_names_its_site() {
        let address = Address::parse("test.user.acme@lync.webex.com").unwrap();
        assert_eq!(address.without_lync_alias().text(), "test.user@acme.webex.com");
    }
}
