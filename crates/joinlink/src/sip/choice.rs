//! Which address a room system dials for the meeting that was found (policy 5.3 to 5.7).

use super::{Address, Instructions, Mark, Printed, cvi, gateway};
use crate::providers::is_webex_site;
use crate::rank::{Candidate, Source};

/// What is known when an address is chosen.
pub struct Known<'a> {
    /// The link that won, if there is one.
    pub link: Option<&'a Candidate>,
    /// Hosts of links to other meetings, ascending.
    pub other_hosts: Vec<&'a str>,
    /// The printed addresses, in the order of their sources.
    pub printed: &'a [Printed],
    /// The pages with dialling instructions.
    pub pages: &'a [Instructions],
    /// The meeting's printed number.
    pub number: Option<&'a str>,
    /// The digits that open the meeting to a room system.
    pub passcode: Option<&'a str>,
    /// The texts of location, body and subject.
    pub location: &'a str,
    /// See `location`.
    pub body: &'a str,
    /// See `location`.
    pub subject: &'a str,
}

/// An address, and whose meeting it dials.
pub struct Choice {
    /// What to dial: `user@host`, or `h323:IP##ID`.
    pub dial: String,
    /// Whose it is, where no link says so.
    pub provider: &'static str,
    /// The source that prints it; `None` where it was derived.
    pub source: Option<Source>,
}

impl<'a> Known<'a> {
    fn text_of(&self, source: Source) -> &'a str {
        match source {
            Source::Location => self.location,
            Source::OnlineMeeting => "",
            Source::Body => self.body,
            Source::Subject => self.subject,
        }
    }

    /// The address to dial for the link that won; without a link, for the meeting that only an address names.
    pub fn choose(&self) -> Option<Choice> {
        match self.link {
            Some(link) => self.for_link(link),
            None => self.alone(),
        }
    }

    fn for_link(&self, link: &Candidate) -> Option<Choice> {
        let provider = link.join.recognised.provider;
        let (dial, source) = match provider {
            "teams" => (cvi::dial(self.printed, self.pages, |source| self.text_of(source))?, None),
            "zoom" => self.zoom(link)?,
            "webex" => self.webex(link)?,
            _ => self.other(link)?,
        };
        Some(Choice { dial, provider, source })
    }

    /// The number comes from the link, whatever else is printed.
    fn zoom(&self, link: &Candidate) -> Option<(String, Option<Source>)> {
        let meeting = &link.join.recognised.meeting;
        let printed = self.printed.iter().filter(|printed| printed.address.is_under("zoomcrc.com"));
        let number_of = |printed: &Printed| printed.address.user.split('.').next().map(str::to_owned);
        let same = printed.clone().find(|printed| meeting.id.is_none() || number_of(printed) == meeting.id);
        if let Some(found) = same {
            return Some((self.with_passcode(&found.address), Some(found.source)));
        }
        // A number that is printed wrongly still says that the meeting can be dialled.
        let derived = meeting.dial.clone().or_else(|| {
            let number = meeting.id.as_ref()?;
            printed.clone().next().map(|_| format!("{number}@zoomcrc.com"))
        });
        let dial = derived.and_then(|dial| Address::parse(&dial)).map(|address| self.with_passcode(&address));
        dial.or_else(|| self.gateway(meeting.id.as_deref())).map(|dial| (dial, None))
    }

    /// `ID.PASSCODE@zoomcrc.com`, where the passcode is known and missing.
    fn with_passcode(&self, address: &Address) -> String {
        match self.passcode {
            Some(passcode) if address.is_under("zoomcrc.com") && !address.user.contains('.') => {
                format!("{}.{passcode}@{}", address.user, address.host)
            }
            _ => address.text(),
        }
    }

    /// An address on the link's own site first; one on another site only if no other meeting's link leads there.
    fn webex(&self, link: &Candidate) -> Option<(String, Option<Source>)> {
        let host = link.link().host();
        let own = || self.printed.iter().filter(|printed| printed.address.provider() == Some("webex"));
        let sites = || own().filter(|printed| !printed.address.is_lync_alias());
        let same_number =
            |printed: &&Printed| self.number.is_some_and(|number| printed.address.user == number);
        let on_site = |printed: &&Printed| printed.address.host == host;
        let elsewhere = |printed: &&Printed| !self.is_elsewhere(&printed.address);
        let found = None
            .or_else(|| sites().filter(on_site).find(same_number))
            .or_else(|| sites().find(on_site))
            .or_else(|| sites().find(elsewhere));
        if let Some(found) = found {
            return Some((found.address.text(), Some(found.source)));
        }
        let alias = own().map(|printed| (printed, printed.address.without_lync_alias()));
        if let Some((found, address)) = alias.into_iter().find(|(_, address)| !self.is_elsewhere(address)) {
            return Some((address.text(), Some(found.source)));
        }
        let by_name = link.join.recognised.meeting.dial.clone();
        let by_number =
            || self.number.filter(|_| is_webex_site(host)).map(|number| format!("{number}@{host}"));
        by_name.or_else(by_number).or_else(|| self.gateway(self.number)).map(|dial| (dial, None))
    }

    /// Everybody else: a printed address that is not another provider's, then what follows from the link.
    fn other(&self, link: &Candidate) -> Option<(String, Option<Source>)> {
        let recognised = &link.join.recognised;
        let has_own_hosts = matches!(recognised.provider, "bluejeans" | "lifesize" | "starleaf");
        let fits = |printed: &&Printed| {
            let user = printed.address.user.split('.').next().unwrap_or_default();
            printed.mark != Mark::H323
                && match printed.address.provider() {
                    Some(provider) => {
                        provider == recognised.provider
                            && recognised.meeting.id.as_deref().is_none_or(|number| number == user)
                    }
                    // Where the service has hosts of its own, an address elsewhere is somebody's, not the meeting's.
                    None => !has_own_hosts,
                }
        };
        if let Some(found) = self.printed.iter().find(fits) {
            return Some((found.address.text(), Some(found.source)));
        }
        let number = recognised.meeting.id.as_deref().or(self.number);
        // Google Meet has no gateway of its own.
        let gateway = || if recognised.provider == "meet" { None } else { self.gateway(number) };
        recognised.meeting.dial.clone().or_else(gateway).map(|dial| (dial, None))
    }

    /// Another meeting's link leads to the address's host.
    fn is_elsewhere(&self, address: &Address) -> bool {
        self.other_hosts.binary_search(&address.host.as_str()).is_ok()
    }

    fn gateway(&self, number: Option<&str>) -> Option<String> {
        [self.location, self.body].into_iter().find_map(|text| gateway::dial(text, number))
    }

    /// No link: the first address that is printed, a site's before its alias.
    fn alone(&self) -> Option<Choice> {
        if let Some(page) = self.pages.first()
            && self.printed.iter().all(|printed| printed.source != Source::Location)
        {
            let dial = cvi::dial(self.printed, self.pages, |source| self.text_of(source))
                .unwrap_or_else(|| page.address().text());
            return Some(Choice { dial, provider: "teams", source: Some(Source::Body) });
        }
        let dialled = || self.printed.iter().filter(|printed| printed.mark != Mark::H323);
        let first = dialled().next();
        let site = first
            .filter(|first| first.address.is_lync_alias())
            .and_then(|_| dialled().find(|printed| is_webex_site(&printed.address.host)));
        if let Some(found) = site.or(first) {
            let address = found.address.without_lync_alias();
            let provider = address.provider().unwrap_or("sip");
            let dial = match provider {
                "teams" => cvi::dial(self.printed, self.pages, |source| self.text_of(source))?,
                "zoom" => self.with_passcode(&address),
                _ => address.text(),
            };
            return Some(Choice { dial, provider, source: Some(found.source) });
        }
        let h323 = self.printed.iter().find(|printed| printed.mark == Mark::H323);
        let dial = h323.map(|printed| format!("h323:{}", printed.address.text()));
        let dial = dial.or_else(|| self.gateway(self.number))?;
        Some(Choice { dial, provider: "sip", source: h323.map(|printed| printed.source) })
    }
}
