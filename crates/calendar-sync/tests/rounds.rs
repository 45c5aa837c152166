//! Rounds as a table: what came, and what the round wants next.
//!
//! A page is written as its entries and its link: `a` is a single event, `a:x` one with the title x, `a!` one outside
//! the window, `~a<m` an exception of the series m, `a<m` a bare occurrence of it, `*m:x` the series itself, `-a` a
//! removal, `?2` two entries that could not be understood; `>p2` leads on, `=d1` ends the round. `gone` is a forgotten
//! link, `series m:x n` answers with the series m and says that n does not exist.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use joinery_calendar_sync::{
    DeltaLink, Item, Link, MAX_PAGES, NextLink, OccurrenceStub, Page, PageOutcome, PageRequest, ResyncReason,
    Round, Step, SyncState, Window,
};
use joinery_model::{Body, Event, EventId, EventKind, Response, Sensitivity, ShowAs};

const DAY: Duration = Duration::from_secs(86_400);
const NOW: &str = "2026-11-24T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn around(now: &str) -> Window {
    Window::around(at(now), DAY * 7, DAY * 31)
}

fn event(text: &str, kind: EventKind) -> Event {
    let (head, title) = text.split_once(':').unwrap_or((text, ""));
    let (head, master) = head.split_once('<').map_or((head, None), |(head, master)| (head, Some(master)));
    let (id, day) = head.strip_suffix('!').map_or((head, "2026-11-25"), |id| (id, "2027-03-01"));
    Event {
        id: EventId::new(id),
        kind,
        series_master: master.map(EventId::new),
        subject: if title.is_empty() { id } else { title }.to_owned(),
        body: Body::default(),
        location: String::new(),
        online_meeting_url: None,
        start: at(&format!("{day}T09:00:00Z")),
        end: at(&format!("{day}T10:00:00Z")),
        all_day: title == "all-day",
        cancelled: false,
        organizer: None,
        response: Response::Accepted,
        sensitivity: Sensitivity::Normal,
        show_as: ShowAs::Busy,
    }
}

fn item(text: &str) -> Item {
    if let Some(id) = text.strip_prefix('-') {
        return Item::Removed(EventId::new(id));
    }
    if let Some(text) = text.strip_prefix('*') {
        return Item::Event(Box::new(event(text, EventKind::SeriesMaster)));
    }
    if let Some(text) = text.strip_prefix('~') {
        return Item::Event(Box::new(event(text, EventKind::Exception)));
    }
    let event = event(text, EventKind::Single);
    match event.series_master {
        Some(series_master) => Item::Stub(OccurrenceStub {
            id: event.id,
            series_master,
            start: event.start,
            end: event.end,
            first_day: "2026-11-25".parse().unwrap(),
            after_last_day: "2026-11-26".parse().unwrap(),
        }),
        None => Item::Event(Box::new(event)),
    }
}

fn page(text: &str) -> PageOutcome {
    let mut items = Vec::new();
    let mut link = None;
    let mut skipped = 0;
    for word in text.split_whitespace() {
        if let Some(next) = word.strip_prefix('>') {
            link = Some(Link::Next(NextLink::new(next)));
        } else if let Some(delta) = word.strip_prefix('=') {
            link = Some(Link::Delta(DeltaLink::new(delta)));
        } else if let Some(count) = word.strip_prefix('?') {
            skipped = count.parse().unwrap();
        } else {
            items.push(item(word));
        }
    }
    PageOutcome::Page(Page { items, link: link.unwrap(), skipped })
}

fn answers(text: &str) -> BTreeMap<EventId, Option<Event>> {
    let answer = |word: &str| {
        let event = event(word, EventKind::SeriesMaster);
        (event.id.clone(), word.contains(':').then_some(event))
    };
    text.split_whitespace().map(answer).collect()
}

fn shown(step: &Step) -> String {
    match step {
        Step::Fetch(PageRequest::First(window)) => format!("first {}", window.start.strftime("%m-%d")),
        Step::Fetch(PageRequest::Next(link)) => format!("next {}", link.as_str()),
        Step::Fetch(PageRequest::Delta(link)) => format!("delta {}", link.as_str()),
        Step::FetchSeries(ids) => {
            let ids: Vec<_> = ids.iter().map(EventId::as_str).collect();
            format!("series {}", ids.join(" "))
        }
        Step::Commit(result) => {
            let mut words = vec![if result.full { "all" } else { "changes" }.to_owned()];
            words.extend(
                result.upserts.values().map(|event| format!("{}:{}", event.id.as_str(), event.subject)),
            );
            words.extend(result.removed.iter().map(|id| format!("-{}", id.as_str())));
            words.push(format!("={}", result.state.delta.as_str()));
            words.extend((result.skipped > 0).then(|| format!("?{}", result.skipped)));
            words.extend(result.resync.map(|reason| format!("{reason:?}")));
            words.join(" ")
        }
        Step::GiveUp(error) => format!("give up {}", error.code()),
    }
}

/// Runs a round from the delta link `d0`, or a full one, over `script`, and compares each step with `want`.
fn check(link: Option<&str>, script: &[&str], want: &[&str]) {
    let state = link.map(|link| SyncState { window: around(NOW), delta: DeltaLink::new(link) });
    let (mut round, first) = Round::begin(state, at(NOW), DAY * 7, DAY * 31);
    let mut steps = vec![shown(&first)];
    for outcome in script {
        let step = match outcome.strip_prefix("series ") {
            Some(text) => round.series(answers(text)),
            None if *outcome == "gone" => round.page(PageOutcome::Gone),
            None => round.page(page(outcome)),
        };
        steps.push(shown(&step));
    }
    assert_eq!(steps, want, "{script:?}");
}

#[test]
fn a_first_round_reads_everything() {
    check(None, &["=d1"], &["first 11-17", "all =d1"]);
    check(None, &["a b >p2", ">p3", "c =d1"], &["first 11-17", "next p2", "next p3", "all a:a b:b c:c =d1"]);
}

#[test]
fn a_later_round_reads_what_changed() {
    check(Some("d0"), &["=d1"], &["delta d0", "changes =d1"]);
    check(Some("d0"), &["a -b >p2", "c =d1"], &["delta d0", "next p2", "changes a:a c:c -b =d1"]);
}

#[test]
fn of_repeated_entries_the_last_one_counts() {
    check(Some("d0"), &["a:x a:y >p2", "a:z =d1"], &["delta d0", "next p2", "changes a:z =d1"]);
    check(Some("d0"), &["a:x >p2", "-a =d1"], &["delta d0", "next p2", "changes -a =d1"]);
    check(Some("d0"), &["-a >p2", "a:x =d1"], &["delta d0", "next p2", "changes a:x =d1"]);
    check(Some("d0"), &["a<m *m:x >p2", "~a<m:y =d1"], &["delta d0", "next p2", "changes a:y -m =d1"]);
    check(Some("d0"), &["~a<m:y *m:x >p2", "a<m =d1"], &["delta d0", "next p2", "changes a:x -m =d1"]);
    check(Some("d0"), &["*m:x a<m >p2", "*m:y =d1"], &["delta d0", "next p2", "changes a:y -m =d1"]);
}

#[test]
fn what_is_outside_the_window_is_gone() {
    check(None, &["a! b =d1"], &["first 11-17", "all b:b -a =d1"]);
    check(Some("d0"), &["a! *m!:x b<m c!<m =d1"], &["delta d0", "changes b:x -a -c -m =d1"]);
}

#[test]
fn occurrences_are_completed_from_their_series() {
    check(None, &["*m:x a<m b<m ~c<m:y =d1"], &["first 11-17", "all a:x b:x c:y -m =d1"]);
    check(None, &["a<m >p2", "*m:x =d1"], &["first 11-17", "next p2", "all a:x -m =d1"]);
}

#[test]
fn a_series_that_did_not_come_is_asked_for() {
    check(
        Some("d0"),
        &["a<m b<n c<n >p2", "*n:y d<o =d1", "series m:x o:z"],
        &["delta d0", "next p2", "series m o", "changes a:x b:y c:y d:z -n =d1"],
    );
    // An exception says everything itself.
    check(Some("d0"), &["~a<m:y =d1"], &["delta d0", "changes a:y =d1"]);
    // A stub that was overtaken needs nothing.
    check(Some("d0"), &["a<m -a =d1"], &["delta d0", "changes -a =d1"]);
}

#[test]
fn occurrences_of_a_series_that_is_gone_are_gone() {
    check(Some("d0"), &["a<m b<n =d1", "series m n:y"], &["delta d0", "series m n", "changes b:y -a =d1"]);
    check(None, &["a<m =d1", "series m"], &["first 11-17", "series m", "all -a =d1"]);
}

#[test]
fn a_removed_series_is_asked_for_before_its_occurrences_are_believed() {
    check(Some("d0"), &["*m:x -m a<m =d1", "series m:y"], &["delta d0", "series m", "changes a:y -m =d1"]);
    check(Some("d0"), &["-m a<m =d1", "series m"], &["delta d0", "series m", "changes -a -m =d1"]);
}

#[test]
fn a_series_that_was_not_told_ends_the_round() {
    check(
        Some("d0"),
        &["a<m b<n =d1", "series m:x"],
        &["delta d0", "series m n", "give up sync-series-missing"],
    );
}

#[test]
fn a_single_event_that_became_a_series_is_gone_itself() {
    check(Some("d0"), &["*a:x a1<a =d1"], &["delta d0", "changes a1:x -a =d1"]);
}

#[test]
fn a_forgotten_link_leads_to_a_full_round() {
    check(Some("d0"), &["gone", "a =d1"], &["delta d0", "first 11-17", "all a:a =d1 LinkExpired"]);
    // What came before counts no more.
    check(
        Some("d0"),
        &["a -b ?1 >p2", "gone", "c >p2", "=d1"],
        &["delta d0", "next p2", "first 11-17", "next p2", "all c:c =d1 LinkExpired"],
    );
    check(
        None,
        &["a >p2", "gone", "gone", "b =d1"],
        &["first 11-17", "next p2", "first 11-17", "first 11-17", "all b:b =d1 LinkExpired"],
    );
    check(
        Some("d0"),
        &["gone", "gone", "gone"],
        &["delta d0", "first 11-17", "first 11-17", "give up sync-link-expired"],
    );
}

#[test]
fn next_links_that_lead_in_a_circle_end() {
    check(
        Some("d0"),
        &["a >p2", "b >p2", "c >p3", "d >p2", "e >p3", "f >p2", "g >p3", "h >p3"],
        &[
            "delta d0",
            "next p2",
            "first 11-17",
            "next p3",
            "next p2",
            "first 11-17",
            "next p2",
            "next p3",
            "give up sync-link-repeated",
        ],
    );
}

#[test]
fn endless_next_links_end_in_a_resync_and_then_give_up() {
    let (mut round, mut step) = Round::begin(None, at(NOW), DAY * 7, DAY * 31);
    let mut starts = 0;
    let mut fetched = 0_u32;
    let error = loop {
        match step {
            Step::Fetch(request) => {
                starts += u32::from(matches!(request, PageRequest::First(_)));
                fetched += 1;
                step = round.page(page(&format!(">p{fetched}")));
            }
            Step::GiveUp(error) => break error,
            Step::Commit(_) | Step::FetchSeries(_) => panic!("{step:?}"),
        }
    };
    assert_eq!((error.code(), starts, fetched), ("sync-round-too-long", 3, 3 * MAX_PAGES));
    assert!(error.is_retryable() && error.to_string().contains("1000"), "{error}");
}

#[test]
fn the_longest_round_still_completes() {
    let (mut round, mut step) = Round::begin(None, at(NOW), DAY * 7, DAY * 31);
    for number in 1..MAX_PAGES {
        step = round.page(page(&format!("a >p{number}")));
    }
    assert_eq!(shown(&step), format!("next p{}", MAX_PAGES - 1));
    assert_eq!(shown(&round.page(page("=d1"))), "all a:a =d1");
}

#[test]
fn entries_that_could_not_be_understood_are_counted() {
    check(Some("d0"), &["?2 -x >p2", "?1 =d1"], &["delta d0", "next p2", "changes -x =d1 ?3"]);
}

#[test]
fn the_window_slides_once_a_day() {
    let check = |state: &str, now: &str, past: Duration, want: &str| {
        let state = SyncState { window: around(state), delta: DeltaLink::new("d0") };
        let (_, step) = Round::begin(Some(state), at(now), past, DAY * 31);
        assert_eq!(shown(&step), want, "{now}");
    };
    check("2026-11-24T00:00:00Z", "2026-11-24T23:59:59Z", DAY * 7, "delta d0");
    check("2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z", DAY * 7, "first 11-18");
    check("2026-11-24T00:00:00Z", "2026-12-24T00:00:00Z", DAY * 7, "first 12-17");
    // Also backwards, after a clock was put right, and when the configuration changed.
    check("2026-11-24T00:00:00Z", "2026-11-23T12:00:00Z", DAY * 7, "first 11-16");
    check("2026-11-24T00:00:00Z", "2026-11-24T12:00:00Z", DAY * 8, "first 11-16");
}

#[test]
fn an_all_day_series_counts_by_its_dates() {
    let (mut round, _) = Round::begin(None, at(NOW), DAY * 7, DAY * 31);
    let Step::Commit(result) = round.page(page("*m:all-day a<m =d1")) else { panic!() };
    let event = result.upserts.get(&EventId::new("a")).unwrap();
    assert_eq!((event.start, event.end), (at("2026-11-25T00:00:00Z"), at("2026-11-26T00:00:00Z")));
    assert!(event.all_day && event.kind == EventKind::Occurrence);
    assert_eq!(event.series_master, Some(EventId::new("m")));
}

#[test]
fn series_that_nobody_asked_for_do_not_confuse_a_round() {
    check(Some("d0"), &["series m:x", "a<m =d1"], &["delta d0", "delta d0", "changes a:x =d1"]);
}

/// The stored shape: a later version must still read it.
#[test]
fn the_state_between_rounds_has_a_known_shape_and_does_not_print_its_link() {
    let state = SyncState { window: around(NOW), delta: DeltaLink::new("https://graph.example/v1.0/canary") };
    let text = serde_json::to_string(&state).unwrap();
    assert_eq!(
        text,
        r#"{"window":{"start":"2026-11-17T00:00:00Z","end":"2026-12-26T00:00:00Z"},"delta":"https://graph.example/v1.0/canary"}"#
    );
    assert_eq!(serde_json::from_str::<SyncState>(&text).unwrap(), state);
    let newer = text.replacen('{', r#"{"hint":1,"#, 1);
    assert_eq!(serde_json::from_str::<SyncState>(&newer).unwrap(), state);
    let (round, step) = Round::begin(Some(state), at(NOW), DAY * 7, DAY * 31);
    assert!(!format!("{round:?} {step:?} {:?}", NextLink::new("canary")).contains("canary"));
    let stub = item("canary<m");
    assert!(!format!("{stub:?}").contains("canary"));
}

#[test]
fn each_reason_has_its_sentence() {
    for reason in [ResyncReason::LinkExpired, ResyncReason::LinkRepeated, ResyncReason::RoundTooLong] {
        assert!(!reason.to_string().is_empty(), "{reason:?}");
    }
}
