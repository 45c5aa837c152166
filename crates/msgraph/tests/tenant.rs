//! The client and the round together against a strict tenant: whatever happens there, what is known in the end is what
//! Graph tells of each event by itself, and nothing was asked that Graph does not allow.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use joinery_calendar_sync::{ResyncReason, Round, RoundResult, Step, SyncState, Window, diff, meeting};
use joinery_model::{EventId, EventKind, MailboxAddress, Meeting, MeetingStatus};
use joinery_msgraph::{EventPatch, Graph, GraphError, GraphSettings, NewEvent};
use joinery_tenant::{Attendee, MailboxKind, NewMeeting, Options, Order, Response, Sensitivity, Tenant};
use serde_json::json;
use tempfile::NamedTempFile;

const ROOM: &str = "canary.room@contoso.example";
const PAST: Duration = Duration::from_secs(7 * 86_400);
const FUTURE: Duration = Duration::from_secs(31 * 86_400);

/// A tenant with one room, and what is known of the room.
struct Scene {
    tenant: Tenant,
    graph: Graph,
    room: MailboxAddress,
    secret_file: NamedTempFile,
    _ca_file: NamedTempFile,
    state: Option<SyncState>,
    known: BTreeMap<EventId, Meeting>,
}

fn file(contents: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(contents.as_bytes()).unwrap();
    file
}

fn hours(count: i64) -> Timestamp {
    let noon = Window::around(Timestamp::now(), Duration::ZERO, Duration::ZERO).start
        + SignedDuration::from_hours(12);
    noon + SignedDuration::from_hours(count)
}

fn planned(subject: &str, start: i64) -> NewMeeting {
    NewMeeting::new(subject, hours(start), hours(start + 1))
}

fn dana() -> Option<Attendee> {
    Some(Attendee { name: "Dana".into(), address: "dana@contoso.example".into() })
}

fn daily(subject: &str, start: i64, count: u32) -> NewMeeting {
    let recurrence = json!({
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "numbered", "numberOfOccurrences": count},
    });
    NewMeeting { recurrence: Some(recurrence), ..planned(subject, start) }
}

impl Scene {
    async fn new() -> Self {
        let mailboxes = vec![(ROOM.to_owned(), MailboxKind::Room)];
        let tenant = Tenant::start(Options { mailboxes, ..Options::default() }).await.unwrap();
        let ca_file = file(tenant.ca_pem());
        let secret_file = file(&tenant.client_secret());
        let graph = Graph::new(GraphSettings {
            tenant_id: tenant.tenant_id(),
            client_id: tenant.client_id(),
            secret_file: secret_file.path().to_owned(),
            authority_url: tenant.authority_url().parse().unwrap(),
            graph_url: tenant.graph_url().parse().unwrap(),
            ca_file: Some(ca_file.path().to_owned()),
        })
        .unwrap();
        let room = ROOM.parse().unwrap();
        Self { tenant, graph, room, secret_file, _ca_file: ca_file, state: None, known: BTreeMap::new() }
    }

    fn add(&self, meeting: &NewMeeting) -> String {
        self.tenant.create(ROOM, meeting).unwrap().id
    }

    /// One round as the connector runs it, except that it waits for nothing: what may be asked again is.
    async fn round(&self) -> Result<RoundResult, GraphError> {
        let (mut round, mut step) = Round::begin(self.state.clone(), Timestamp::now(), PAST, FUTURE);
        loop {
            step = match step {
                Step::Fetch(request) => {
                    let mut tries = 0;
                    let outcome = loop {
                        match self.graph.page(&self.room, &request).await {
                            Err(error) if error.is_retryable() && tries < 10 => tries += 1,
                            other => break other?,
                        }
                    };
                    round.page(outcome)
                }
                Step::FetchSeries(ids) => round.series(self.graph.series(&self.room, &ids).await?),
                Step::Commit(result) => return Ok(*result),
                Step::GiveUp(error) => panic!("{error}"),
            };
        }
    }

    /// A round, its differences, and the proof that they are right. Gives back the round and what changed, by subject.
    async fn sync(&mut self) -> (RoundResult, String) {
        let result = self.round().await.unwrap();
        let meetings = result.upserts.iter().map(|(id, event)| (id.clone(), meeting(event, None)));
        let changes = diff(&self.known, result.full, meetings.collect(), &result.removed);
        let mut told = Vec::new();
        for id in changes.removes {
            told.push(format!("-{}", self.known.remove(&id).unwrap().subject));
        }
        for meeting in changes.upserts {
            told.push(format!("+{}", meeting.subject));
            self.known.insert(meeting.event.clone(), meeting);
        }
        told.sort();
        self.state = Some(result.state.clone());
        self.compare(&result.state.window).await;
        (result, told.join(" "))
    }

    /// What is known must be what Graph tells of each event in the window by itself.
    async fn compare(&self, window: &Window) {
        let mut real = BTreeMap::new();
        for id in self.tenant.view(ROOM, window.start, window.end).unwrap() {
            let event = self.graph.event(&self.room, &EventId::new(id)).await.unwrap().unwrap();
            real.insert(event.id.clone(), meeting(&event, None));
        }
        let lines = |meetings: &BTreeMap<EventId, Meeting>| {
            let line =
                |meeting: &Meeting| format!("{} {} {:?}", meeting.start, meeting.subject, meeting.status);
            let mut lines: Vec<_> = meetings.values().map(line).collect();
            lines.sort();
            lines
        };
        assert_eq!(lines(&self.known), lines(&real));
        assert!(self.known == real);
    }

    fn assert_clean(&self) {
        assert!(self.tenant.violations().is_empty(), "{:?}", self.tenant.violations());
    }
}

#[tokio::test]
async fn what_happens_to_single_meetings_is_followed() {
    let mut scene = Scene::new().await;
    let planning = scene.add(&planned("planning", 2));
    let lunch = scene.add(&NewMeeting { organizer: dana(), ..planned("lunch", 5) });
    scene.add(&NewMeeting {
        all_day: true,
        time_zone: "Pacific Standard Time".into(),
        ..planned("fair", 48)
    });
    scene.add(&NewMeeting { sensitivity: Sensitivity::Private, ..planned("doctor", 20) });
    scene.add(&NewMeeting { time_zone: "Tokyo Standard Time".into(), ..planned("tokyo", 30) });
    scene.add(&planned("long ago", -24 * 20));
    let far = scene.add(&planned("far", 24 * 50));

    let (first, told) = scene.sync().await;
    assert_eq!(
        (first.full, first.skipped, told.as_str()),
        (true, 0, "+doctor +fair +lunch +planning +tokyo")
    );
    let (second, told) = scene.sync().await;
    assert_eq!((second.full, told.as_str()), (false, ""));

    scene.tenant.reschedule(ROOM, &planning, hours(3), hours(5)).unwrap();
    assert_eq!(scene.sync().await.1, "+planning");
    scene.tenant.cancel(ROOM, &lunch).unwrap();
    assert_eq!(scene.sync().await.1, "+Canceled: lunch");
    assert!(scene.known.values().any(|meeting| meeting.status == MeetingStatus::Cancelled));
    scene.tenant.respond(ROOM, &lunch, Response::Declined).unwrap();
    scene.tenant.update(ROOM, &planning, &json!({"subject": "planning 2", "showAs": "free"})).unwrap();
    assert_eq!(scene.sync().await.1, "+Canceled: lunch +planning 2");
    scene.tenant.reschedule(ROOM, &planning, hours(24 * 60), hours(24 * 60 + 1)).unwrap();
    scene.tenant.reschedule(ROOM, &far, hours(24), hours(25)).unwrap();
    assert_eq!(scene.sync().await.1, "+far -planning 2");
    scene.tenant.delete(ROOM, &lunch).unwrap();
    assert_eq!(scene.sync().await.1, "-Canceled: lunch");
    scene.assert_clean();
}

#[tokio::test]
async fn series_are_followed_occurrence_by_occurrence() {
    let mut scene = Scene::new().await;
    let standup = scene.add(&NewMeeting {
        organizer: dana(),
        time_zone: "W. Europe Standard Time".into(),
        body: "Join at https://zoom.us/j/123456789".into(),
        ..daily("standup", 1, 5)
    });
    // It began before the window, so that only its occurrences come.
    let old = scene.add(&daily("old", -24 * 20, 30));
    scene.add(&NewMeeting { all_day: true, ..daily("course", 0, 2) });
    let (first, _) = scene.sync().await;
    let count = |scene: &Scene, subject: &str| {
        scene.known.values().filter(|meeting| meeting.subject == subject).count()
    };
    assert_eq!((count(&scene, "standup"), count(&scene, "course")), (5, 2));
    assert!(count(&scene, "old") >= 16);
    assert!(first.upserts.values().all(|event| event.kind != EventKind::SeriesMaster));
    let bodies = first.upserts.values().filter(|event| event.body.content.contains("123456789"));
    assert_eq!(bodies.count(), 5, "an occurrence came without its series' body");

    let window = Window { start: hours(-24), end: hours(24 * 10) };
    let master = EventId::new(standup.clone());
    let instances = scene.graph.instances(&scene.room, &master, &window).await.unwrap();
    let [first, second, third, ..] = &instances[..] else { panic!("{}", instances.len()) };
    let later = second.start + SignedDuration::from_mins(30);
    scene.tenant.reschedule(ROOM, second.id.as_str(), later, later + SignedDuration::from_mins(15)).unwrap();
    scene.tenant.delete(ROOM, third.id.as_str()).unwrap();
    scene.tenant.update(ROOM, first.id.as_str(), &json!({"subject": "special"})).unwrap();
    assert_eq!(scene.sync().await.1, "+special +standup -standup");

    scene.tenant.update(ROOM, &old, &json!({"subject": "renamed"})).unwrap();
    scene.sync().await;
    assert_eq!(count(&scene, "old"), 0);
    assert!(count(&scene, "renamed") >= 16);
    scene.tenant.delete(ROOM, &standup).unwrap();
    scene.sync().await;
    assert_eq!(count(&scene, "standup") + count(&scene, "special"), 0);
    scene.assert_clean();
}

#[tokio::test]
async fn faults_lose_nothing_and_repeat_nothing() {
    let mut scene = Scene::new().await;
    let ids: Vec<_> = (0..12).map(|number| scene.add(&planned(&format!("m{number}"), number))).collect();
    scene.add(&daily("series", -24 * 15, 20));
    scene.tenant.page_size(3).unwrap();
    scene.tenant.replay(true).unwrap();
    scene.tenant.empty_pages(true).unwrap();
    scene.tenant.cut_pages(ROOM, 2).unwrap();
    scene.tenant.throttle(ROOM, Some(0.01), 2).unwrap();
    scene.tenant.fail(ROOM, 503, 2).unwrap();
    assert!(scene.sync().await.0.full);

    scene.tenant.expire_delta(ROOM).unwrap();
    scene.tenant.update(ROOM, ids.first().unwrap(), &json!({"subject": "changed"})).unwrap();
    let (result, told) = scene.sync().await;
    assert_eq!(
        (result.full, result.resync, told.as_str()),
        (true, Some(ResyncReason::LinkExpired), "+changed")
    );

    for id in ids.iter().skip(1).take(8) {
        scene.tenant.update(ROOM, id, &json!({"location": {"displayName": "elsewhere"}})).unwrap();
    }
    scene.tenant.expire_delta_mid_round(ROOM).unwrap();
    scene.tenant.cut_pages(ROOM, 1).unwrap();
    let (result, told) = scene.sync().await;
    assert_eq!((result.full, result.resync), (true, Some(ResyncReason::LinkExpired)));
    assert_eq!(told.split(' ').count(), 8, "{told}");
    assert_eq!(scene.sync().await.1, "");
    scene.assert_clean();
}

#[tokio::test]
async fn events_are_created_changed_and_deleted() {
    let scene = Scene::new().await;
    let new = NewEvent {
        subject: "test".into(),
        text: "goes away".into(),
        start: hours(1),
        end: hours(2),
        free: true,
        transaction: "7e163156".into(),
    };
    let created = scene.graph.create_event(&scene.room, &new).await.unwrap();
    assert_eq!((created.subject.as_str(), created.start, created.end), ("test", hours(1), hours(2)));
    let patch = EventPatch { subject: Some("moved".into()), start: Some(hours(3)), end: Some(hours(4)) };
    let changed = scene.graph.update_event(&scene.room, &created.id, &patch).await.unwrap();
    assert_eq!((changed.id == created.id, changed.start), (true, hours(3)));
    let listed = scene.graph.events(&scene.room, 10).await.unwrap();
    assert_eq!(listed.iter().map(|event| event.subject.as_str()).collect::<Vec<_>>(), ["moved"]);
    assert_eq!(scene.graph.delete_event(&scene.room, &created.id).await, Ok(true));
    assert_eq!(scene.graph.delete_event(&scene.room, &created.id).await, Ok(false));
    assert!(scene.graph.event(&scene.room, &created.id).await.unwrap().is_none());
    let mut domains = scene.graph.domains().await.unwrap();
    domains.sort();
    assert_eq!(domains, ["contoso.example", "contoso.onmicrosoft.com"]);
    scene.assert_clean();
}

#[tokio::test]
async fn what_an_administrator_broke_is_told_by_name() {
    let scene = Scene::new().await;
    let check = async |want: &str| {
        let error = scene.round().await.err();
        assert_eq!(error.as_ref().map_or("none", GraphError::code), want, "{error:?}");
        let shown = error.map(|error| format!("{error} {error:?}")).unwrap_or_default();
        assert!(!shown.contains("canary") && !shown.contains(&scene.tenant.client_secret()), "{shown}");
    };
    check("none").await;
    scene.tenant.deny_access(ROOM, true).unwrap();
    check("graph-access-denied").await;
    scene.tenant.deny_access(ROOM, false).unwrap();
    scene.tenant.order(Order::Unlicensed { mailbox: ROOM.to_owned(), on: true }).unwrap();
    check("graph-mailbox-not-enabled").await;
    scene.tenant.order(Order::Unlicensed { mailbox: ROOM.to_owned(), on: false }).unwrap();
    // Refused tokens are replaced without a word; so is a rotated secret, as soon as it is in the file.
    scene.tenant.revoke_tokens().unwrap();
    check("none").await;
    let secret = "another~secret";
    scene.tenant.order(Order::ChangeSecret { secret: secret.to_owned() }).unwrap();
    scene.tenant.revoke_tokens().unwrap();
    check("entra-wrong-secret").await;
    std::fs::write(scene.secret_file.path(), secret).unwrap();
    check("none").await;
    let nobody = "nobody@contoso.example".parse().unwrap();
    let error = scene.graph.events(&nobody, 1).await.unwrap_err();
    assert_eq!(error.code(), "graph-no-such-mailbox");
}

#[tokio::test]
async fn each_reason_for_no_token_is_told_by_name() {
    for (order, want) in [
        (Order::SecretExpired { on: true }, "entra-expired-secret"),
        (Order::AppDisabled { on: true }, "entra-disabled-application"),
        (Order::ChangeSecret { secret: "x".to_owned() }, "entra-wrong-secret"),
    ] {
        let scene = Scene::new().await;
        scene.tenant.order(order).unwrap();
        assert_eq!(scene.graph.authenticate().await.unwrap_err().code(), want);
    }
    let scene = Scene::new().await;
    scene.tenant.fail_token(503, 1).unwrap();
    assert!(scene.graph.authenticate().await.unwrap_err().is_retryable());
}
