//! Which meeting a person means.

use jiff::Timestamp;
use joinery_agenda::{Entry, lit_entries};

/// The word for "the one whose turn it is".
pub const NEXT: &str = "next";

/// The fewest digits of an id that name a meeting.
const LEAST_DIGITS: usize = 4;

/// Why no meeting was found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// Nothing to join is listed.
    #[error("no meeting that can be joined is running or listed for later; see `joinery-agent meetings`")]
    NothingNext,
    /// No meeting has this id.
    #[error("no listed meeting has the id {0}; see `joinery-agent meetings`")]
    Unknown(String),
    /// Several have.
    #[error("the id {0} fits several meetings; give more of its digits")]
    Ambiguous(String),
    /// It cannot be an id.
    #[error(
        "`{0}` is no meeting id; give `next`, or at least {LEAST_DIGITS} digits of an id from `joinery-agent meetings`"
    )]
    NotAnId(String),
    /// It cannot be joined.
    #[error("this meeting has nothing to join: no address was found in it")]
    NotJoinable,
    /// It has ended.
    #[error("this meeting is over")]
    Over,
}

impl ChoiceError {
    /// A stable name for scripts.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NothingNext => "nothing-next",
            Self::Unknown(_) => "meeting-unknown",
            Self::Ambiguous(_) => "meeting-ambiguous",
            Self::NotAnId(_) => "meeting-not-an-id",
            Self::NotJoinable => "meeting-not-joinable",
            Self::Over => "meeting-over",
        }
    }

    /// Never without anybody changing anything.
    pub const fn is_retryable(&self) -> bool {
        false
    }

    /// Whether the call cannot be meant like this.
    pub const fn is_wrong_call(&self) -> bool {
        matches!(self, Self::NotAnId(_) | Self::Ambiguous(_))
    }
}

/// Finds the meeting to join: of `next` the first whose button is on, or else the soonest that will have one; of an id, or
/// the beginning of one, the meeting that has it.
///
/// # Errors
/// When there is none, or none that can be joined.
pub fn choose<'a>(entries: &'a [Entry], which: &str, now: Timestamp) -> Result<&'a Entry, ChoiceError> {
    if which == NEXT {
        let comes = || {
            let later = entries.iter().filter(|entry| entry.button.is_some_and(|button| button.from > now));
            later.min_by_key(|entry| (entry.start, entry.id))
        };
        return lit_entries(entries, now).into_iter().next().or_else(comes).ok_or(ChoiceError::NothingNext);
    }
    let digits = which.to_ascii_lowercase();
    if digits.len() < LEAST_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ChoiceError::NotAnId(which.to_owned()));
    }
    let mut fitting = entries.iter().filter(|entry| entry.id.to_string().starts_with(&digits));
    let entry = fitting.next().ok_or(ChoiceError::Unknown(digits.clone()))?;
    if fitting.next().is_some() {
        return Err(ChoiceError::Ambiguous(digits));
    }
    if entry.join.is_none() {
        return Err(ChoiceError::NotJoinable);
    }
    if entry.end <= now {
        return Err(ChoiceError::Over);
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use joinery_agenda::{Policy, agenda};
    use joinery_model::RowId;

    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-24T{time}:00Z").parse().unwrap()
    }

    /// Meetings written as `first-byte-of-id start end`, with `-` behind for one that cannot be joined.
    #[track_caller]
    fn check(now: &str, lines: &[&str], which: &str, want: &str) {
        let meeting = |line: &&str| {
            let words: Vec<&str> = line.split(' ').collect();
            let join = if words.len() > 3 {
                ""
            } else {
                r#","join":{"url":"https://zoom.us/j/1","provider":"zoom"}"#
            };
            let text = format!(
                r#"{{"event":"E","subject":"","start":"{}","end":"{}","status":"confirmed","response":"accepted"{join}}}"#,
                at(words[1]),
                at(words[2])
            );
            let mut id = [0x11; 16];
            id[0] = u8::from_str_radix(words[0], 16).unwrap();
            (RowId::from_bytes(id), serde_json::from_str(&text).unwrap())
        };
        let day = Duration::from_secs(86_400);
        let policy = Policy { shared: false, lead: Duration::from_secs(300), past: day, future: day };
        let entries = agenda(&lines.iter().map(meeting).collect::<BTreeMap<_, _>>(), &policy, at(now));
        let got = match choose(&entries, which, at(now)) {
            Ok(entry) => entry.id.to_string()[..2].to_owned(),
            Err(error) => error.code().to_owned(),
        };
        assert_eq!(got, want, "{which} of {lines:?} at {now}");
    }

    #[test]
    fn next() {
        let lines =
            ["aa 09:00 10:00", "bb 09:30 10:30", "cc 14:00 15:00", "dd 13:00 14:00", "ee 12:00 13:00 -"];
        check("08:00", &lines, "next", "aa");
        check("09:10", &lines, "next", "aa");
        check("09:30", &lines, "next", "bb");
        check("10:10", &lines, "next", "bb");
        check("11:00", &lines, "next", "dd");
        check("15:00", &lines, "next", "nothing-next");
        check("09:00", &[], "next", "nothing-next");
    }

    #[test]
    fn ids() {
        let lines = ["aa 09:00 10:00", "ab 09:30 10:30", "ee 12:00 13:00 -"];
        check("08:00", &lines, "aa111111111111111111111111111111", "aa");
        check("08:00", &lines, "AB11", "ab");
        check("08:00", &lines, "ee11", "meeting-not-joinable");
        check("10:00", &lines, "aa11", "meeting-over");
        check("08:00", &lines, "ff11", "meeting-unknown");
        for wrong in ["", "aa", "nxt", "aa1x", "aa11 "] {
            check("08:00", &lines, wrong, "meeting-not-an-id");
        }
        check("08:00", &["aa 09:00 10:00", "aa 09:00 10:00"], "aa11", "aa");
    }
}
