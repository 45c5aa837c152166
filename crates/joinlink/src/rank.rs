//! Which of several join links is the meeting's (policy section 4).

use crate::link::Link;
use crate::resolve::JoinLink;

/// Where something was found. In the order in which sources are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// `location.displayName`.
    Location,
    /// `onlineMeeting.joinUrl`.
    OnlineMeeting,
    /// The body.
    Body,
    /// The subject.
    Subject,
}

impl Source {
    /// The source's name in a sentence.
    pub fn name(self) -> &'static str {
        match self {
            Self::Location => "location",
            Self::OnlineMeeting => "online meeting field",
            Self::Body => "body",
            Self::Subject => "subject",
        }
    }
}

/// A join link and where it stands.
#[derive(Clone)]
pub struct Candidate {
    /// In which source.
    pub source: Source,
    /// Where in that source's text.
    pub at: usize,
    /// What it is.
    pub join: JoinLink,
}

impl Candidate {
    /// The link itself.
    pub fn link(&self) -> &Link {
        &self.join.bare.link
    }

    /// Leads to the same meeting as `other`.
    pub fn is_same_meeting(&self, other: &Self) -> bool {
        let (own, other) = (&self.join.recognised, &other.join.recognised);
        own.provider == other.provider && own.meeting.name == other.meeting.name
    }

    /// A link that opens the meeting without asking for the passcode.
    fn has_passcode(&self) -> bool {
        const NAMES: &[&str] = &[
            "pwd",
            "pw",
            "p",
            "tk",
            "token",
            "passcode",
            "password",
            "pin",
            "secret",
            "wpk",
            "mtid",
            "meetingpassword",
        ];
        self.join.recognised.meeting.passcode.is_some()
            || NAMES.iter().any(|name| self.link().param(name).is_some())
    }

    /// The Skype Web App's form of a Skype for Business link.
    fn is_web_app_form(&self) -> bool {
        self.join.recognised.provider == "skypeforbusiness" && self.link().param("sl") == Some("1")
    }
}

/// The rule by which a link won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It stands in the location.
    Location,
    /// It leads to one of the organisation's own sites.
    OwnSite,
    /// No better source has one.
    FirstSource,
}

/// The link that won.
pub struct Winner<'a> {
    /// The link to open: the winner's, or the form of it that carries the passcode.
    pub link: &'a Candidate,
    /// Where the winner was found.
    pub source: Source,
    /// Why it won.
    pub rule: Rule,
    /// Another form of the same meeting's link was taken.
    pub other_form: bool,
}

/// Picks the winner among `candidates`, which stand in the order of their sources and then of the document.
pub fn winner<'a>(candidates: &'a [Candidate], own_sites: &[String]) -> Option<Winner<'a>> {
    let is_own = |candidate: &&Candidate| {
        own_sites.iter().any(|site| candidate.link().host().eq_ignore_ascii_case(site))
    };
    let in_location = || candidates.iter().filter(|candidate| candidate.source == Source::Location);
    let (first, rule) = None
        .or_else(|| in_location().find(is_own).map(|found| (found, Rule::Location)))
        .or_else(|| in_location().next().map(|found| (found, Rule::Location)))
        .or_else(|| candidates.iter().find(is_own).map(|found| (found, Rule::OwnSite)))
        .or_else(|| candidates.first().map(|found| (found, Rule::FirstSource)))?;
    let better = |candidate: &&Candidate| {
        candidate.is_same_meeting(first)
            && if first.is_web_app_form() {
                !candidate.is_web_app_form()
            } else {
                !first.has_passcode() && candidate.has_passcode()
            }
    };
    let other = candidates.iter().find(better);
    Some(Winner { link: other.unwrap_or(first), source: first.source, rule, other_form: other.is_some() })
}
