//! The table of the design's section 6, line by line, and what must hold for any list.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Entry, PRIVATE_SUBJECT, Policy, Shown, Transition, agenda, lit, next_change, transitions};
use jiff::Timestamp;
use joinery_model::{EventId, JoinTarget, Meeting, MeetingStatus, Person, Response, RowId};
use proptest::prelude::*;

const DAY: Duration = Duration::from_secs(86_400);
const MINUTE: Duration = Duration::from_secs(60);

fn policy() -> Policy {
    Policy { shared: false, lead: 5 * MINUTE, past: 7 * DAY, future: 31 * DAY }
}

/// `09:30` on the day of the tests, or a whole date and time.
fn at(time: &str) -> Timestamp {
    let whole = if time.contains('T') { time.to_owned() } else { format!("2026-11-24T{time}:00Z") };
    whole.parse().unwrap()
}

fn row(name: char) -> RowId {
    RowId::from_bytes([name as u8; 16])
}

/// A meeting from one line: `a 09:00..10:00 declined private`. Without words: accepted, confirmed, with a join target.
fn meeting(line: &str) -> (RowId, Meeting) {
    let mut words = line.split_whitespace();
    let name = words.next().unwrap();
    let (start, end) = words.next().unwrap().split_once("..").unwrap();
    let mut meeting = Meeting {
        event: EventId::new(name),
        subject: format!("about {name}"),
        start: at(start),
        end: at(end),
        all_day: false,
        location: String::new(),
        organizer: Some(Person { name: "Dana".into(), address: "dana@contoso.example".into() }),
        private: false,
        free: false,
        status: MeetingStatus::Confirmed,
        response: Response::Accepted,
        join: Some(JoinTarget {
            url: Some(format!("https://zoom.us/j/{name}")),
            sip: None,
            provider: "zoom".into(),
            meeting_id: None,
            passcode: None,
        }),
    };
    for word in words {
        match word {
            "organizer" => meeting.response = Response::Organizer,
            "tentative" => {
                (meeting.status, meeting.response) = (MeetingStatus::Tentative, Response::Tentative)
            }
            "unanswered" => (meeting.status, meeting.response) = (MeetingStatus::Tentative, Response::None),
            "declined" => meeting.response = Response::Declined,
            "cancelled" => meeting.status = MeetingStatus::Cancelled,
            "all-day" => meeting.all_day = true,
            "free" => meeting.free = true,
            "private" => meeting.private = true,
            "linkless" => meeting.join = None,
            "renamed" => meeting.subject.push_str(", renamed"),
            "retargeted" => meeting.join.as_mut().unwrap().url = Some("https://zoom.us/j/other".into()),
            other => panic!("unknown word {other}"),
        }
    }
    (row(name.chars().next().unwrap()), meeting)
}

fn meetings(lines: &[&str]) -> BTreeMap<RowId, Meeting> {
    lines.iter().map(|line| meeting(line)).collect()
}

fn name(id: RowId) -> char {
    char::from(id.as_bytes()[0])
}

fn time(at: Timestamp) -> String {
    at.strftime("%H:%M").to_string()
}

/// One entry as a word: its name, `?` where it is marked, `*` where its button is on, `-` where it has none.
fn word(entry: &Entry, now: Timestamp) -> String {
    let mark = if entry.is_tentative() { "?" } else { "" };
    let button = match entry.button {
        None => "-",
        Some(button) if button.is_on(now) => "*",
        Some(_) => "",
    };
    format!("{}{mark}{button}", name(entry.id))
}

/// The list at `now`, then after `|` the buttons that are on.
#[track_caller]
fn check(now: &str, lines: &[&str], want: &str) {
    let now = at(now);
    let entries = agenda(&meetings(lines), &policy(), now);
    let list: Vec<String> = entries.iter().map(|entry| word(entry, now)).collect();
    let buttons: String = lit(&entries, now).into_iter().map(name).collect();
    assert_eq!(format!("{} | {buttons}", list.join(" ")), want, "{lines:?} at {now}");
}

#[test]
fn what_is_listed_and_what_has_a_button() {
    check("09:00", &["a 09:00..10:00"], "a* | a");
    check("09:00", &["a 09:00..10:00 organizer"], "a* | a");
    check("09:00", &["a 09:00..10:00 tentative"], "a?* | a");
    check("09:00", &["a 09:00..10:00 unanswered"], "a?* | a");
    check("09:00", &["a 09:00..10:00 declined"], " | ");
    check("09:00", &["a 09:00..10:00 cancelled"], " | ");
    check("09:00", &["a 09:00..10:00 cancelled declined"], " | ");
    check("09:00", &["a 09:00..10:00 private"], "a* | a");
    check("09:00", &["a 09:00..10:00 linkless"], "a- | ");
    check("09:00", &["a 09:00..10:00 free"], "a- | ");
    check("09:00", &["a 2026-11-24T00:00:00Z..2026-11-25T00:00:00Z all-day"], "a- | ");
    check("09:00", &["a 2026-11-24T00:00:00Z..2026-11-25T00:00:00Z all-day free tentative"], "a?- | ");
    check("09:00", &[], " | ");
}

#[test]
fn a_button_is_on_from_its_lead_to_its_end() {
    let check_at = |now: &str, want: &str| check(now, &["a 09:30..10:00"], want);
    check_at("2026-11-24T09:24:59.999Z", "a | ");
    check_at("2026-11-24T09:25:00Z", "a* | a");
    check_at("09:30", "a* | a");
    check_at("2026-11-24T09:59:59.999Z", "a* | a");
    check_at("10:00", "a | ");
}

#[test]
fn the_list_runs_from_what_is_over_to_what_comes() {
    check("09:00", &["a 12:00..13:00", "b 10:00..11:00", "c 07:00..08:00", "d 06:00..07:00"], "d c b a | ");
    check(
        "09:00",
        &["a 08:00..10:00 linkless", "b 08:30..09:30 linkless", "c 10:00..11:00", "d 07:00..08:00"],
        "d b- a- c | ",
    );
}

#[test]
fn of_overlapping_meetings_the_one_that_started_last_comes_first() {
    let lines = ["a 09:00..11:00", "b 09:30..10:00", "c 09:40..12:00"];
    check("09:10", &lines, "a* b c | a");
    check("09:26", &lines, "b* a* c | ba");
    check("09:45", &lines, "c* b* a* | cba");
    check("10:00", &lines, "b c* a* | ca");
    check("11:00", &lines, "a b c* | c");
    check("09:10", &["b 09:00..10:00", "a 09:00..11:00"], "b* a* | ba");
    check("09:10", &["b 09:00..10:00", "a 09:00..10:00"], "a* b* | ab");
}

#[test]
fn back_to_back_buttons_do_not_wait_for_each_other() {
    let lines = ["a 09:00..09:30", "b 09:30..10:00"];
    check("09:24", &lines, "a* b | a");
    check("09:25", &lines, "b* a* | ba");
    check("09:30", &lines, "a b* | b");
}

#[test]
fn whole_days_and_free_time_stand_apart() {
    check(
        "09:00",
        &[
            "a 2026-11-24T00:00:00Z..2026-11-25T00:00:00Z all-day",
            "b 08:00..10:00 free",
            "c 15:00..16:00",
            "d 08:30..09:30",
        ],
        "d* c a- b- | d",
    );
}

#[test]
fn the_window_is_kept_by_the_own_clock() {
    let lines = ["a 09:00..10:00"];
    check("2026-12-01T09:59:59Z", &lines, "a | ");
    check("2026-12-01T10:00:00Z", &lines, " | ");
    check("2026-10-24T08:59:59Z", &lines, " | ");
    check("2026-10-24T09:00:00Z", &lines, "a | ");
}

#[test]
fn odd_times_do_no_harm() {
    check("09:28", &["a 09:30..09:30"], "a* | a");
    check("09:30", &["a 09:30..09:30"], "a | ");
    check("09:28", &["a 09:30..08:00"], "a* | a");
    check("09:30", &["a 09:30..08:00"], "a | ");
    let mut rows = meetings(&["a 09:00..10:00"]);
    for meeting in rows.values_mut() {
        (meeting.start, meeting.end) = (Timestamp::MIN, Timestamp::MAX);
    }
    let endless = Policy { lead: Duration::MAX, past: Duration::MAX, future: Duration::MAX, ..policy() };
    assert_eq!(lit(&agenda(&rows, &endless, at("09:00")), at("09:00")), [row('a')]);
}

#[test]
fn a_private_title_is_hidden_where_others_read() {
    let check = |shared: bool, line: &str, want: &str| {
        let entries = agenda(&meetings(&[line]), &Policy { shared, ..policy() }, at("09:00"));
        let entry = &entries[0];
        assert_eq!(entry.subject, want, "{line}");
        assert!(entry.button.is_some() && entry.join.is_some() && entry.organizer.is_some());
    };
    check(true, "a 09:00..10:00 private", PRIVATE_SUBJECT);
    check(true, "a 09:00..10:00", "about a");
    check(false, "a 09:00..10:00 private", "about a");
}

#[test]
fn an_entry_does_not_print_its_contents() {
    let entries = agenda(&meetings(&["a 09:00..10:00"]), &policy(), at("09:00"));
    let shown = Shown::at(&entries, at("09:00"));
    let printed = format!("{entries:?} {shown:?} {:?}", transitions(&Shown::default(), &shown));
    for secret in ["about", "zoom.us", "Dana", "dana@"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// Every instant at which something changes on the day, found by asking again and again.
#[track_caller]
fn check_changes(lines: &[&str], want: &str) {
    let (mut now, mut found) = (at("00:00"), Vec::new());
    while let Some(next) = next_change(&agenda(&meetings(lines), &policy(), now), now) {
        found.push(time(next));
        now = next;
    }
    assert_eq!(found.join(" "), want, "{lines:?}");
}

#[test]
fn the_next_change_is_known() {
    check_changes(&[], "");
    check_changes(&["a 09:00..10:00"], "08:55 09:00 10:00");
    check_changes(&["a 09:00..10:00 linkless"], "");
    check_changes(&["a 09:00..10:00 declined", "b 09:00..10:00 free"], "");
    check_changes(&["a 09:00..10:00", "b 09:30..10:30"], "08:55 09:00 09:25 09:30 10:00 10:30");
}

/// The steps from the buttons at `before` to those at `after`, as words: `+a` show, `~a` replace, `!a` start, `-a` hide.
#[track_caller]
fn check_steps(before: (&str, &[&str]), after: (&str, &[&str]), want: &str) {
    let shown = |(now, lines): (&str, &[&str])| {
        let now = at(now);
        Shown::at(&agenda(&meetings(lines), &policy(), now), now)
    };
    let steps = transitions(&shown(before), &shown(after));
    let words: Vec<String> = steps
        .iter()
        .map(|step| {
            let sign = match step {
                Transition::Hide(_) => '-',
                Transition::Replace(_) => '~',
                Transition::Start(_) => '!',
                Transition::Show(_) => '+',
            };
            format!("{sign}{}", name(step.id()))
        })
        .collect();
    assert_eq!(words.join(" "), want, "{before:?} to {after:?}");
}

#[test]
fn a_driver_is_told_the_difference() {
    let a = &["a 09:00..10:00"][..];
    check_steps(("08:00", a), ("08:54", a), "");
    check_steps(("08:54", a), ("08:55", a), "+a");
    check_steps(("08:55", a), ("08:59", a), "");
    check_steps(("08:59", a), ("09:00", a), "!a");
    check_steps(("09:00", a), ("09:59", a), "");
    check_steps(("09:59", a), ("10:00", a), "-a");
    // The clock jumps over the whole meeting, there and back: resume after sleep, a wrong clock put right.
    check_steps(("08:00", a), ("09:30", a), "+a");
    check_steps(("08:00", a), ("11:00", a), "");
    check_steps(("11:00", a), ("09:30", a), "+a");
    check_steps(("09:30", a), ("08:57", a), "");
}

#[test]
fn a_changed_meeting_keeps_its_button() {
    let a = ("09:05", &["a 09:00..10:00"][..]);
    check_steps(a, ("09:05", &["a 09:02..10:00"]), "~a");
    check_steps(a, ("09:05", &["a 09:07..10:00"]), "~a");
    check_steps(a, ("09:05", &["a 09:00..09:30"]), "~a");
    check_steps(a, ("09:05", &["a 09:00..10:00 renamed"]), "~a");
    check_steps(a, ("09:05", &["a 09:00..10:00 retargeted"]), "~a");
    check_steps(a, ("09:05", &["a 09:00..10:00 tentative"]), "~a");
    check_steps(("08:56", &["a 09:00..10:00"]), ("09:05", &["a 09:01..10:00"]), "~a");
}

#[test]
fn a_button_that_may_not_stay_goes_at_once() {
    let a = ("09:05", &["a 09:00..10:00", "b 09:01..10:00"][..]);
    check_steps(a, ("09:05", &["b 09:01..10:00"]), "-a");
    check_steps(a, ("09:05", &["a 09:00..10:00 cancelled", "b 09:01..10:00"]), "-a");
    check_steps(a, ("09:05", &["a 09:00..10:00 declined", "b 09:01..10:00"]), "-a");
    check_steps(a, ("09:05", &["a 09:00..10:00 linkless", "b 09:01..10:00"]), "-a");
    check_steps(a, ("09:05", &["a 09:00..10:00 free", "b 09:01..10:00"]), "-a");
    check_steps(a, ("09:05", &["a 14:00..15:00", "b 09:01..10:00"]), "-a");
    check_steps(a, ("09:05", &["a 09:00..09:05", "b 09:01..10:00"]), "-a");
    check_steps(a, ("09:05", &["b 09:01..10:00 renamed", "c 09:02..10:00"]), "-a +c ~b");
    check_steps(a, ("09:05", &[]), "-b -a");
}

prop_compose! {
    /// Any meeting within a few hours of noon, on a grid of minutes so that times often coincide.
    fn any_meeting()(start in 0i64..600, minutes in -5i64..120, flags in 0u8..64, response in 0u8..5) -> Meeting {
        let (_, mut meeting) = meeting("x 09:00..10:00");
        meeting.start = at("07:00") + Duration::from_secs(u64::try_from(start).unwrap() * 60);
        meeting.end = meeting.start + jiff::SignedDuration::from_mins(minutes);
        meeting.all_day = flags & 1 != 0 && flags & 2 != 0;
        meeting.free = flags & 4 != 0 && flags & 8 != 0;
        meeting.private = flags & 16 != 0;
        if flags & 32 != 0 && flags & 1 != 0 {
            meeting.join = None;
        }
        (meeting.response, meeting.status) = match response {
            0 => (Response::Organizer, MeetingStatus::Confirmed),
            1 => (Response::Accepted, MeetingStatus::Confirmed),
            2 => (Response::Tentative, MeetingStatus::Tentative),
            3 => (Response::Declined, MeetingStatus::Confirmed),
            _ => (Response::None, MeetingStatus::Cancelled),
        };
        meeting
    }
}

fn any_list() -> impl Strategy<Value = BTreeMap<RowId, Meeting>> {
    prop::collection::btree_map((0u8..12).prop_map(|n| RowId::from_bytes([n; 16])), any_meeting(), 0..12)
}

proptest! {
    #[test]
    fn a_button_is_on_exactly_for_what_is_joinable_and_near(rows in any_list(), minute in 0i64..720) {
        let now = at("06:00") + jiff::SignedDuration::from_mins(minute);
        let entries = agenda(&rows, &policy(), now);
        for (id, meeting) in &rows {
            let near = meeting.start - 5 * MINUTE <= now && now < meeting.end.max(meeting.start);
            let stands = meeting.response != Response::Declined && meeting.status != MeetingStatus::Cancelled;
            let may = stands && !meeting.all_day && !meeting.free && meeting.join.is_some();
            prop_assert_eq!(lit(&entries, now).contains(id), near && may);
            prop_assert_eq!(entries.iter().any(|entry| entry.id == *id), stands);
        }
    }

    #[test]
    fn nothing_happens_before_the_next_change(rows in any_list(), minute in 0i64..720) {
        let now = at("06:00") + jiff::SignedDuration::from_mins(minute);
        let entries = agenda(&rows, &policy(), now);
        let before = Shown::at(&entries, now);
        let next = next_change(&entries, now);
        let just_before = next.map_or(now + DAY, |next| next - Duration::from_nanos(1));
        prop_assert_eq!(&before, &Shown::at(&agenda(&rows, &policy(), just_before), just_before));
        if let Some(next) = next {
            prop_assert!(next > now);
        }
    }

    /// A driver that obeys the steps shows in the end what it should, from any list to any other.
    #[test]
    fn obeying_the_steps_leads_to_the_goal(from in any_list(), to in any_list(), m1 in 0i64..720, m2 in 0i64..720) {
        let shown = |rows: &BTreeMap<RowId, Meeting>, minute| {
            let now = at("06:00") + jiff::SignedDuration::from_mins(minute);
            Shown::at(&agenda(rows, &policy(), now), now)
        };
        let (before, after) = (shown(&from, m1), shown(&to, m2));
        let mut screen: BTreeMap<RowId, Entry> = before.entries().map(|entry| (entry.id, entry.clone())).collect();
        for step in transitions(&before, &after) {
            let id = step.id();
            match step {
                Transition::Hide(_) => prop_assert!(screen.remove(&id).is_some()),
                Transition::Replace(entry) | Transition::Start(entry) => prop_assert!(screen.insert(id, entry).is_some()),
                Transition::Show(entry) => prop_assert!(screen.insert(id, entry).is_none()),
            }
        }
        let goal: BTreeMap<RowId, Entry> = after.entries().map(|entry| (entry.id, entry.clone())).collect();
        prop_assert_eq!(screen, goal);
        prop_assert!(transitions(&after, &after).is_empty());
    }
}
