//! The whole way from a calendar entry to its join target.

use std::fmt;

use joinery_model::{BodyKind, JoinTarget};

use crate::details::{Details, Section};
use crate::keyword::keyword;
use crate::rank::{Candidate, Rule, Source, Winner, winner};
use crate::resolve::{Bare, JoinLink, join_link, unwrap};
use crate::sip::choice::{Choice, Known};
use crate::sip::{Instructions, Printed, instructions, printed};
use crate::text::Page;

/// What a calendar entry says.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    /// Title.
    pub subject: &'a str,
    /// `location.displayName`.
    pub location: &'a str,
    /// How `body` is written.
    pub body_kind: BodyKind,
    /// Text of the invitation.
    pub body: &'a str,
    /// `onlineMeeting.joinUrl`.
    pub online_meeting_url: Option<&'a str>,
    /// Hosts of the organisation's own meeting sites, from the configuration.
    pub own_sites: &'a [String],
}

/// What was found, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where Join leads.
    pub target: Option<JoinTarget>,
    /// Whose meeting it is; the same as the target's.
    pub provider: Option<String>,
    /// The meeting's number or code; the same as the target's.
    pub meeting_id: Option<String>,
    /// What has to be typed to get in; the same as the target's.
    pub passcode: Option<String>,
    /// The location's keyword, in lower case, whether or not there is a target.
    pub keyword: Option<String>,
    /// A sentence that names source and rule and nothing of what the entry says.
    pub why: String,
}

impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Finding({:?}, ..)", self.why)
    }
}

/// Finds the join target of a calendar entry.
pub fn find(input: &Input<'_>) -> Finding {
    let pages = Pages::read(input);
    let eligible = pages.eligible();
    let winner = winner(&eligible, input.own_sites);
    let section = pages.section(winner.as_ref());
    let details = Details::of(&pages.body);
    let in_location = Details::of(&pages.location);
    let whole = Section::whole(pages.location.text.len());
    let number = details.number(&section).or_else(|| in_location.number(&whole));
    let passcode = details.passcode(&section).or_else(|| in_location.passcode(&whole));
    let dial_passcode = details.dial_passcode(&section).or_else(|| in_location.dial_passcode(&whole));
    let choice = Known {
        link: winner.as_ref().map(|winner| winner.link),
        other_hosts: pages.other_hosts(winner.as_ref()),
        printed: &pages.printed,
        pages: &pages.instructions,
        number: number.as_deref(),
        passcode: dial_passcode.as_deref(),
        location: &pages.location.text,
        body: &pages.body.text,
        subject: &pages.subject.text,
    }
    .choose();
    let keyword = keyword(input.location);
    let why = why(winner.as_ref(), choice.as_ref());
    let target = target(winner.as_ref(), choice, number, passcode);
    Finding {
        provider: target.as_ref().map(|target| target.provider.clone()),
        meeting_id: target.as_ref().and_then(|target| target.meeting_id.clone()),
        passcode: target.as_ref().and_then(|target| target.passcode.clone()),
        target,
        keyword,
        why,
    }
}

/// The sources of an entry, read.
struct Pages {
    location: Page,
    body: Page,
    subject: Page,
    /// Join links, in the order of the sources and then of the document.
    candidates: Vec<Candidate>,
    /// Addresses to dial, in the same order.
    printed: Vec<Printed>,
    /// Pages with dialling instructions, in the same order.
    instructions: Vec<Instructions>,
}

impl Pages {
    fn read(input: &Input<'_>) -> Self {
        let location = Page::of_text(input.location);
        let body = Page::of_body(input.body_kind, input.body);
        let subject = Page::of_text(input.subject);
        let mut candidates = Vec::new();
        let mut instructions = Vec::new();
        candidates.append(&mut read_links(&location, Source::Location, &mut instructions));
        if let Some(join) = input.online_meeting_url.and_then(unwrap).and_then(|bare| join_link(&bare)) {
            candidates.push(Candidate { source: Source::OnlineMeeting, at: 0, join });
        }
        candidates.append(&mut read_links(&body, Source::Body, &mut instructions));
        candidates.append(&mut read_links(&subject, Source::Subject, &mut instructions));
        let mut addresses = printed(&location, Source::Location);
        addresses.append(&mut printed(&body, Source::Body));
        addresses.append(&mut printed(&subject, Source::Subject));
        Self { location, body, subject, candidates, printed: addresses, instructions }
    }

    /// The candidates that may win. An address in the location says whose meeting it is, as a link there would: then
    /// other sources are only asked for that provider's links (policy 4.1).
    fn eligible(&self) -> Vec<Candidate> {
        let in_location = |candidate: &Candidate| candidate.source == Source::Location;
        let located = self.printed.iter().find(|printed| printed.source == Source::Location);
        let provider = match located.and_then(|printed| printed.address.provider()) {
            Some(provider) if !self.candidates.iter().any(in_location) => provider,
            _ => return self.candidates.clone(),
        };
        let fits = |candidate: &&Candidate| candidate.join.recognised.provider == provider;
        self.candidates.iter().filter(fits).cloned().collect()
    }

    /// The part of the body that is about the meeting.
    fn section(&self, winner: Option<&Winner<'_>>) -> Section {
        let Some(winner) = winner else { return Section::whole(self.body.text.len()) };
        let in_body = self.candidates.iter().filter(|candidate| candidate.source == Source::Body);
        let (own, others): (Vec<&Candidate>, Vec<&Candidate>) =
            in_body.partition(|candidate| candidate.is_same_meeting(winner.link));
        let places =
            |found: Vec<&Candidate>| found.into_iter().map(|candidate| candidate.at).collect::<Vec<_>>();
        Section::around(&places(own), &places(others), self.body.text.len())
    }

    fn other_hosts(&self, winner: Option<&Winner<'_>>) -> Vec<&str> {
        let other = |candidate: &&Candidate| {
            winner.is_some_and(|winner| {
                !candidate.is_same_meeting(winner.link)
                    && candidate.link().host() != winner.link.link().host()
            })
        };
        let mut hosts: Vec<&str> =
            self.candidates.iter().filter(other).map(|candidate| candidate.link().host()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }
}

/// The join links of a page; pages with dialling instructions go to `pages`.
fn read_links(page: &Page, source: Source, pages: &mut Vec<Instructions>) -> Vec<Candidate> {
    let mut found = Vec::new();
    for written in page.links.iter().filter(|written| written.followed) {
        if let Some(join) = read_link(&written.text, source, pages) {
            found.push(Candidate { source, at: written.at.start, join });
        }
    }
    found
}

fn read_link(written: &str, source: Source, pages: &mut Vec<Instructions>) -> Option<JoinLink> {
    let bare = unwrap(written);
    if let Some(join) = bare.as_ref().and_then(join_link) {
        return Some(join);
    }
    if let Some(page) = bare.as_ref().and_then(|Bare { link, .. }| instructions(link)) {
        pages.push(page);
        return None;
    }
    // A location is a list: its next entry may be glued to the link.
    let (first, _) = written.split_once(';').filter(|_| source == Source::Location)?;
    join_link(&unwrap(first)?)
}

fn target(
    winner: Option<&Winner<'_>>,
    choice: Option<Choice>,
    number: Option<String>,
    passcode: Option<String>,
) -> Option<JoinTarget> {
    let dialled = choice.as_ref().and_then(dialled_number);
    let Some(winner) = winner else {
        let Choice { dial, provider, .. } = choice?;
        let meeting_id = number.or(dialled);
        return Some(JoinTarget {
            url: None,
            sip: Some(dial),
            provider: provider.to_owned(),
            meeting_id,
            passcode,
        });
    };
    let recognised = &winner.link.join.recognised;
    Some(JoinTarget {
        url: Some(winner.link.link().as_str().to_owned()),
        sip: choice.map(|choice| choice.dial),
        provider: recognised.provider.to_owned(),
        meeting_id: recognised.meeting.id.clone().or(number).or(dialled),
        passcode: recognised.meeting.passcode.clone().or(passcode),
    })
}

/// The meeting's number in an address of Webex or Zoom (policy 6.1).
fn dialled_number(choice: &Choice) -> Option<String> {
    let user = choice.dial.split(['.', '@']).next().unwrap_or_default();
    let numeric = user.len() >= 6 && user.bytes().all(|b| b.is_ascii_digit());
    (matches!(choice.provider, "webex" | "zoom") && numeric).then(|| user.to_owned())
}

/// The sentence that explains the answer.
fn why(winner: Option<&Winner<'_>>, choice: Option<&Choice>) -> String {
    let Some(winner) = winner else {
        return match choice {
            Some(Choice { source: Some(source), provider, .. }) => {
                format!(
                    "No join link; the {} prints a {provider} address to dial (policy 5.2).",
                    source.name()
                )
            }
            Some(Choice { source: None, .. }) => {
                "No join link; a gateway and the meeting's number are printed (policy 5.1).".to_owned()
            }
            None => "Neither a join link nor an address to dial was found in any source (policy 3.3, 5.2)."
                .to_owned(),
        };
    };
    let source = winner.source.name();
    let provider = winner.link.join.recognised.provider;
    let mut why = match winner.rule {
        Rule::Location => format!("The location holds a {provider} link and decides (policy 4.1)"),
        Rule::OwnSite => format!("The {source} holds a {provider} link to one of the own sites (policy 4.1)"),
        Rule::FirstSource => {
            format!("The {source} is the first source with a {provider} link (policy 4.1, 4.2)")
        }
    };
    if winner.other_form {
        let form = winner.link.source.name();
        why.push_str(&format!("; the form of it in the {form} was taken (policy 4.4)"));
    }
    if let Some(filter) = winner.link.join.bare.unwrapped_from {
        why.push_str(&format!("; it was unwrapped from {filter} (policy 2)"));
    }
    match choice {
        Some(Choice { source: Some(source), .. }) => {
            why.push_str(&format!("; the {} prints the address to dial (policy 5.3)", source.name()));
        }
        Some(Choice { source: None, .. }) => {
            why.push_str("; the address to dial was derived (policy 5.4 to 5.6)")
        }
        None => {}
    }
    why.push('.');
    why
}
