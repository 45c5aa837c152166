//! One room with one device: what the agent takes while nothing happens, and how long a change takes from the calendar to
//! the device's screen.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use joinery_tenant::Change;
use joinery_tests::{Agent, DeviceKind, Happening, PATIENCE, ROOM, World, in_minutes, pass, program, webex};

use crate::calendars::{MEETINGS, fill};
use crate::process::{Memory, idle_share};
use crate::spread::{Spread, millis};
use crate::table::Table;

/// Meetings that are created, moved and cancelled.
const MEASURED: usize = 20;

/// How long both programs are left alone before they are looked at, and while their idle time is taken.
const SETTLE: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(10);

/// Measures the agent and the way to it.
pub fn measure(table: &mut Table) {
    let world = World::plan().start();
    fill(&world.tenant, ROOM);
    world.mailbox(ROOM);
    let panel = world.agent("panel", ROOM, DeviceKind::Room);
    panel.wait_for_list("the whole calendar", |list| list.meetings.len() == MEETINGS);
    footprint(table, &world, &panel);
    way(table, &world, &panel);
    drop(panel);
    world.finish();
}

fn footprint(table: &mut Table, world: &World, panel: &Agent) {
    table.section(
        "Idle",
        "a room agent with a list of 40 meetings and no driver; its connector reads one mailbox every second",
    );
    pass(SETTLE);
    let (agent, connector) = (panel.id(), world.connector.id());
    let [agent_share, connector_share] = idle_share([agent, connector], IDLE);
    let memory = Memory::of(agent);
    table.row("agent: resident memory (RSS)", memory.rss_mib(), "MiB", "40 meetings listed");
    if let Some(pss) = memory.pss_mib() {
        table.row("agent: resident memory (PSS)", pss, "MiB", "40 meetings listed");
    }
    let over = format!("of one core, over {} s", IDLE.as_secs());
    let before = Memory::of(connector).rss_mib();
    table.row("connector: resident memory", before, "MiB", "one mailbox, one session");
    table.row("agent: processor", agent_share, "%", &over);
    table.row("connector: processor", connector_share, "%", &format!("{over}, one empty round a second"));
    for name in ["joinery-agent", "joinery-connector"] {
        let size = fs::metadata(program(name)).expect("the program is there").len() as f64;
        let on = if cfg!(debug_assertions) { "with symbols" } else { "stripped" };
        table.row(&format!("{name}: size of the program"), size / (1024.0 * 1024.0), "MiB", on);
    }
}

/// One change and what became of it.
struct Travel {
    /// From the calendar to Graph's page that tells of it.
    poll: Duration,
    /// From there to the line about the list.
    after: Duration,
    /// From the calendar to the line about the list.
    list: Duration,
    /// From the calendar to the line about the button, where it goes on or off.
    button: Option<Duration>,
}

fn way(table: &mut Table, world: &World, panel: &Agent) {
    table.section(
        "From the calendar to the device",
        "poll_interval = \"1s\"; from the change in the tenant to the line of `joinery-agent watch --json`",
    );
    let mut screen = Screen::follow(panel);
    let mut travels = Vec::new();
    for number in 0..MEASURED {
        let subject = format!("Measured {number}");
        let start = in_minutes(3);
        screen.pause();
        let created = world.tenant.create(ROOM, &webex(&subject, start, 30)).unwrap();
        travels.push(screen.travel(world, &created, &subject, "added", Some("button_shown")));

        // Three hours later its button is not on yet.
        let later = start + SignedDuration::from_hours(3);
        let end = later + SignedDuration::from_mins(30);
        screen.pause();
        let moved = world.tenant.reschedule(ROOM, &created.id, later, end).unwrap();
        travels.push(screen.travel(world, &moved, &subject, "changed", Some("button_hidden")));

        screen.pause();
        let cancelled = world.tenant.cancel(ROOM, &created.id).unwrap();
        travels.push(screen.travel(world, &cancelled, &subject, "removed", None));
    }
    let changes = format!("{MEASURED} meetings created, moved, cancelled: {} changes", travels.len());
    print(table, "change to list", &changes, travels.iter().map(|travel| travel.list));
    let buttons = travels.iter().filter_map(|travel| travel.button);
    print(
        table,
        "change to Join button on or off",
        &format!("{MEASURED} switched on by a new meeting, {MEASURED} off by a move"),
        buttons,
    );
    print(table, "of that, the wait for the poll", &changes, travels.iter().map(|travel| travel.poll));
    print(table, "of that, from Graph's page to list", &changes, travels.iter().map(|travel| travel.after));
    for (name, id) in [("agent", panel.id()), ("connector", world.connector.id())] {
        let memory = Memory::of(id).rss_mib();
        table.row(&format!("{name}: resident memory afterwards"), memory, "MiB", &changes);
    }
}

fn print(table: &mut Table, name: &str, on: &str, times: impl Iterator<Item = Duration>) {
    let spread = Spread::of(times);
    for hundredths in [50, 99] {
        let time = millis(spread.percentile(hundredths));
        table.row(&format!("{name}, p{hundredths}"), time, "ms", on);
    }
}

/// The device's screen: what `watch --json` prints, each line with the instant at which it came.
struct Screen {
    child: Child,
    lines: Receiver<(Timestamp, Happening)>,
    pauses: f64,
}

impl Screen {
    fn follow(panel: &Agent) -> Self {
        let mut command = panel.command(&["watch", "--json"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("watch does not start");
        let out = child.stdout.take().expect("its output is piped");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let at = Timestamp::now();
                let happening = serde_json::from_str(&line).expect("a line of JSON");
                if sender.send((at, happening)).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, pauses: 0.0 }
    }

    /// Lets the next change meet the poll at another moment: the pauses are spread evenly over a second.
    fn pause(&mut self) {
        const GOLDEN: f64 = 0.618_033_988_749_895;
        self.pauses = (self.pauses + GOLDEN).fract();
        pass(Duration::from_secs_f64(self.pauses));
    }

    /// Waits for the lines about one change.
    fn travel(
        &mut self,
        world: &World,
        change: &Change,
        subject: &str,
        in_list: &str,
        button: Option<&str>,
    ) -> Travel {
        let (mut listed, mut pressed) = (None, None);
        while listed.is_none() || (button.is_some() && pressed.is_none()) {
            let (at, line) = self.lines.recv_timeout(PATIENCE).expect("the device says nothing");
            if !line.subject().ends_with(subject) || line.already {
                continue;
            }
            if line.kind == "meetings_changed" && line.change.as_deref() == Some(in_list) {
                listed = listed.or(Some(at));
            }
            if Some(&*line.kind) == button {
                pressed = pressed.or(Some(at));
            }
        }
        let log = world.tenant.request_log();
        let page = log.iter().find(|request| request.kind == "delta.since" && request.at >= change.at);
        let page = page.expect("the device knows it from a page").at;
        let between = |from: Timestamp, to: Timestamp| to.duration_since(from).unsigned_abs();
        let listed = listed.unwrap_or(page);
        Travel {
            poll: between(change.at, page),
            after: between(page, listed),
            list: between(change.at, listed),
            button: pressed.map(|at| between(change.at, at)),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}
