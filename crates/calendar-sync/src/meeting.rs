//! What a device may be told of an event.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use joinery_model::{Event, JoinTarget, Meeting, MeetingStatus, Response, Sensitivity, ShowAs};

/// The meeting that stands for `event`, with the `join` target that was found in it. Nothing is decided here about what
/// is listed: declined and cancelled ones are meetings too.
pub fn meeting(event: &Event, join: Option<JoinTarget>) -> Meeting {
    Meeting {
        event: event.id.clone(),
        subject: event.subject.clone(),
        start: event.start,
        end: event.end,
        all_day: event.all_day,
        location: event.location.clone(),
        organizer: event.organizer.clone(),
        private: is_private(event.sensitivity),
        free: is_free(event.show_as),
        status: status(event),
        response: event.response,
        join,
    }
}

/// Tentative is what this mailbox has not answered with yes or no. What its owner called is never tentative, however
/// the time is marked; what was declined stands all the same, for the others.
fn status(event: &Event) -> MeetingStatus {
    if event.cancelled {
        return MeetingStatus::Cancelled;
    }
    match event.response {
        Response::Tentative | Response::None => MeetingStatus::Tentative,
        Response::Organizer | Response::Accepted | Response::Declined => MeetingStatus::Confirmed,
    }
}

/// An application with permission gets the contents of private events as well; hiding them is our duty.
fn is_private(sensitivity: Sensitivity) -> bool {
    match sensitivity {
        Sensitivity::Normal => false,
        Sensitivity::Personal | Sensitivity::Private | Sensitivity::Confidential => true,
    }
}

fn is_free(show_as: ShowAs) -> bool {
    match show_as {
        ShowAs::Free => true,
        ShowAs::Tentative
        | ShowAs::Busy
        | ShowAs::OutOfOffice
        | ShowAs::WorkingElsewhere
        | ShowAs::Unknown => false,
    }
}

/// The day after which the meeting's row is erased, in days since 1970-01-01 (UTC): the one on which its last instant
/// plus `past` falls. Of an all-day meeting only the dates are known, and the day ends up to twelve hours later west of
/// Greenwich, which is waited for.
pub fn erase_after(meeting: &Meeting, past: Duration) -> i32 {
    const SECONDS_PER_DAY: i64 = 86_400;
    let past = SignedDuration::try_from(past).unwrap_or(SignedDuration::MAX);
    let slack = if meeting.all_day { SignedDuration::from_hours(12) } else { SignedDuration::ZERO };
    let end = meeting.end.max(meeting.start);
    let over = end.checked_add(past).and_then(|end| end.checked_add(slack)).unwrap_or(Timestamp::MAX);
    // The end is exclusive: what is over at midnight is over for the day that begins there.
    let day =
        over.as_second().saturating_sub(i64::from(over.subsec_nanosecond() == 0)).div_euclid(SECONDS_PER_DAY);
    i32::try_from(day).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use joinery_model::{Body, EventId, EventKind};

    use super::*;

    fn event() -> Event {
        Event {
            id: EventId::new("E"),
            kind: EventKind::Single,
            series_master: None,
            subject: "Plan".into(),
            body: Body::default(),
            location: "Room 1".into(),
            online_meeting_url: None,
            start: "2026-11-24T09:00:00Z".parse().unwrap(),
            end: "2026-11-24T09:30:00Z".parse().unwrap(),
            all_day: false,
            cancelled: false,
            organizer: None,
            response: Response::Accepted,
            sensitivity: Sensitivity::Normal,
            show_as: ShowAs::Busy,
        }
    }

    #[test]
    fn the_status_follows_the_answer_and_the_cancellation() {
        let check = |response, cancelled, show_as, want| {
            let event = Event { response, cancelled, show_as, ..event() };
            assert_eq!(meeting(&event, None).status, want, "{response:?} {cancelled} {show_as:?}");
        };
        use MeetingStatus::{Cancelled, Confirmed, Tentative};
        check(Response::Accepted, false, ShowAs::Busy, Confirmed);
        check(Response::Organizer, false, ShowAs::Busy, Confirmed);
        check(Response::Organizer, false, ShowAs::Tentative, Confirmed);
        check(Response::Accepted, false, ShowAs::Tentative, Confirmed);
        check(Response::Tentative, false, ShowAs::Tentative, Tentative);
        check(Response::None, false, ShowAs::Busy, Tentative);
        check(Response::Declined, false, ShowAs::Free, Confirmed);
        for response in [Response::Accepted, Response::None, Response::Declined, Response::Organizer] {
            check(response, true, ShowAs::Busy, Cancelled);
        }
    }

    #[test]
    fn all_but_normal_is_private() {
        let check = |sensitivity, want| {
            assert_eq!(meeting(&Event { sensitivity, ..event() }, None).private, want, "{sensitivity:?}");
        };
        check(Sensitivity::Normal, false);
        check(Sensitivity::Personal, true);
        check(Sensitivity::Private, true);
        check(Sensitivity::Confidential, true);
    }

    #[test]
    fn only_free_is_free() {
        let check = |show_as, want| {
            assert_eq!(meeting(&Event { show_as, ..event() }, None).free, want, "{show_as:?}");
        };
        check(ShowAs::Free, true);
        for show_as in
            [ShowAs::Tentative, ShowAs::Busy, ShowAs::OutOfOffice, ShowAs::WorkingElsewhere, ShowAs::Unknown]
        {
            check(show_as, false);
        }
    }

    #[test]
    fn a_row_is_erased_on_the_day_after_it_left_the_window() {
        let check = |start: &str, end: &str, all_day, past_hours: u64, want: &str| {
            let event =
                Event { start: start.parse().unwrap(), end: end.parse().unwrap(), all_day, ..event() };
            let day = erase_after(&meeting(&event, None), Duration::from_secs(past_hours * 3600));
            let midnight: Timestamp = format!("{want}T00:00:00Z").parse().unwrap();
            assert_eq!(i64::from(day), midnight.as_second() / 86_400, "{start} {end} {all_day} {past_hours}");
        };
        check("2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z", false, 7 * 24, "2026-12-01");
        check("2026-11-24T09:00:00Z", "2026-11-24T09:30:00Z", false, 0, "2026-11-24");
        check("2026-11-24T23:00:00Z", "2026-11-25T00:00:00Z", false, 0, "2026-11-24");
        check("2026-11-24T23:00:00Z", "2026-11-25T00:00:00.5Z", false, 0, "2026-11-25");
        check("2026-11-24T23:00:00Z", "2026-11-25T00:30:00Z", false, 24, "2026-11-26");
        check("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", true, 0, "2026-11-25");
        check("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", true, 7 * 24, "2026-12-02");
        check("2026-11-24T09:00:00Z", "2026-11-24T08:00:00Z", false, 0, "2026-11-24");
    }

    #[test]
    fn an_endless_retention_does_not_overflow() {
        assert!(erase_after(&meeting(&event(), None), Duration::MAX) > 2_000_000);
    }
}
