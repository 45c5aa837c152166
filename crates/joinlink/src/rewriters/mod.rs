//! Links that a mail filter put around another link (policy section 2): one file per filter.
//!
//! Nothing else is unwrapped: no shorteners, and no filter that keeps the target to itself (Mimecast).

mod barracuda;
mod cisco;
mod esvalabs;
mod fireeye;
mod google;
mod proofpoint;
mod safelinks;
mod symantec;
mod trend_micro;

use crate::link::{Link, percent_decode};

/// One kind of wrapping.
pub struct Rewriter {
    /// Its name, for explanations.
    pub name: &'static str,
    /// Whether the (lower-case) host is this filter's.
    pub owns: fn(&str) -> bool,
    /// What it wrapped; `None` where the link is not of its form or cannot be decoded.
    pub target: fn(&Link) -> Option<String>,
}

const REWRITERS: &[&Rewriter] = &[
    &safelinks::OUTLOOK,
    &safelinks::TEAMS,
    &proofpoint::PROOFPOINT,
    &barracuda::BARRACUDA,
    &cisco::CISCO,
    &trend_micro::TREND_MICRO,
    &symantec::SYMANTEC,
    &fireeye::FIREEYE,
    &esvalabs::ESVALABS,
    &google::GOOGLE,
];

/// The filter that a link's host belongs to.
pub fn rewriter_of(host: &str) -> Option<&'static Rewriter> {
    REWRITERS.iter().copied().find(|rewriter| (rewriter.owns)(host))
}

/// The parameter `name`, decoded once.
fn decoded(link: &Link, name: &str) -> Option<String> {
    percent_decode(link.param(name)?)
}
