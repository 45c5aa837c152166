//! One line of a meeting list, as its device may show it.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use joinery_model::{JoinTarget, Meeting, MeetingStatus, Person, Response, RowId};

/// Stands for the title of a private meeting where others can read the screen.
pub const PRIVATE_SUBJECT: &str = "Private meeting";

/// What the operator decided for a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Others can read the screen: titles of private meetings are hidden.
    pub shared: bool,
    /// How long before its start a meeting's button appears.
    pub lead: Duration,
    /// How long after its end a meeting stays listed.
    pub past: Duration,
    /// How long before its start a meeting becomes listed.
    pub future: Duration,
}

/// A listed meeting.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The row's id: stays the same when the meeting is moved or renamed.
    pub id: RowId,
    /// Title, may be empty; [`PRIVATE_SUBJECT`] where the title is hidden.
    pub subject: String,
    /// Start in UTC; of an all-day meeting midnight UTC of its first day.
    pub start: Timestamp,
    /// End in UTC, exclusive.
    pub end: Timestamp,
    /// Whole days: only the date parts of `start` and `end` count.
    pub all_day: bool,
    /// The owner's time stays free during it.
    pub free: bool,
    /// Who called it.
    pub organizer: Option<Person>,
    /// The owner marked it private.
    pub private: bool,
    /// Never [`MeetingStatus::Cancelled`]: those are not listed.
    pub status: MeetingStatus,
    /// What this mailbox answered; never [`Response::Declined`].
    pub response: Response,
    /// Where Join leads.
    pub join: Option<JoinTarget>,
    /// When its Join button is on. `None`: it has none.
    pub button: Option<Button>,
}

/// When a Join button is on: `from` to before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Button {
    /// Start of the meeting less the device's lead.
    pub from: Timestamp,
    /// End of the meeting.
    pub until: Timestamp,
}

impl Button {
    /// Whether it is on.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

impl Entry {
    /// The entry of a meeting that is listed, `None` for one that is not: declined, cancelled or outside the window.
    pub(crate) fn of(id: RowId, meeting: &Meeting, policy: &Policy, now: Timestamp) -> Option<Self> {
        let stands = match (meeting.status, meeting.response) {
            (MeetingStatus::Cancelled, _) | (_, Response::Declined) => false,
            (
                MeetingStatus::Confirmed | MeetingStatus::Tentative,
                Response::Organizer | Response::Accepted | Response::Tentative | Response::None,
            ) => true,
        };
        // An end before its start is nonsense that must not make a button flicker: such a meeting takes no time.
        let end = meeting.end.max(meeting.start);
        let in_window = later(end, policy.past) > now && earlier(meeting.start, policy.future) <= now;
        if !stands || !in_window {
            return None;
        }
        let has_button = !meeting.all_day && !meeting.free && meeting.join.is_some();
        Some(Self {
            id,
            subject: if policy.shared && meeting.private {
                PRIVATE_SUBJECT.to_owned()
            } else {
                meeting.subject.clone()
            },
            start: meeting.start,
            end,
            all_day: meeting.all_day,
            free: meeting.free,
            organizer: meeting.organizer.clone(),
            private: meeting.private,
            status: meeting.status,
            response: meeting.response,
            join: meeting.join.clone(),
            button: has_button.then(|| Button { from: earlier(meeting.start, policy.lead), until: end }),
        })
    }

    /// Listed after the others: it takes whole days, or nobody's time.
    pub fn is_apart(&self) -> bool {
        self.all_day || self.free
    }

    /// Listed with a mark: this mailbox has not said yes.
    pub fn is_tentative(&self) -> bool {
        self.status == MeetingStatus::Tentative
    }

    /// Whether it takes place now.
    pub fn is_running(&self, now: Timestamp) -> bool {
        self.start <= now && now < self.end
    }

    /// Whether its Join button is on now.
    pub fn is_lit(&self, now: Timestamp) -> bool {
        self.button.is_some_and(|button| button.is_on(now))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entry({}, {:?}, ..)", self.id, self.button)
    }
}

/// `at` less `by`; the earliest instant there is where that does not exist.
fn earlier(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// `at` and `by` more; the latest instant there is where that does not exist.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
