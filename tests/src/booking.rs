//! Meetings as scenarios book them.

use jiff::{SignedDuration, Timestamp};
use joinery_tenant::NewMeeting;

/// A meeting without a join target.
pub fn plain(subject: &str, start: Timestamp, minutes: i64) -> NewMeeting {
    NewMeeting::new(subject, start, start + SignedDuration::from_mins(minutes))
}

/// A meeting with a Webex room in its location. The room's name is made of the subject.
pub fn webex(subject: &str, start: Timestamp, minutes: i64) -> NewMeeting {
    NewMeeting { location: webex_url(subject), ..plain(subject, start, minutes) }
}

/// Where Join leads in a meeting of [`webex`].
pub fn webex_url(subject: &str) -> String {
    let room: String = subject.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("https://contoso.webex.com/meet/{}", room.to_lowercase())
}

/// The whole second that lies so many seconds from now.
pub fn in_seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second() + seconds).expect("now is not at the end of time")
}

/// The whole second that lies so many minutes from now.
pub fn in_minutes(minutes: i64) -> Timestamp {
    in_seconds(minutes * 60)
}
