//! Many devices with an open session each, and nothing to say: what each takes of the connector.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use joinery_pki::{ActivationCode, device_request};
use joinery_seal::DeviceSecret;
use joinery_tests::{DeviceKind, ROOM, World, in_minutes, pass, webex};
use joinery_transport::{DeviceTls, FromAgent, Hello, ToAgent, connect, enroll};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;

use crate::calendars::{MEETINGS, fill};
use crate::ingest::per_each;
use crate::process::{Memory, cpu_seconds, idle_share};
use crate::spread::millis;
use crate::table::Table;

/// Devices.
const DEVICES: usize = 200;

/// Where the connector listens.
const HOST: &str = "127.0.0.1";

/// How long the sessions are left alone before they are looked at, and while their idle time is taken.
const SETTLE: Duration = Duration::from_secs(3);
const IDLE: Duration = Duration::from_secs(10);

/// More than all devices need to get their list.
const LIMIT: Duration = Duration::from_secs(60);

/// A device that was enrolled.
struct Device {
    port: u16,
    tls: DeviceTls,
}

/// Measures memory and idle time of sessions.
pub fn measure(table: &mut Table) {
    let world = World::plan()
        .replace("names = [", "enrollments_per_minute = 10000\nnames = [")
        .replace("poll_interval = \"1s\"", "poll_interval = \"300s\"")
        .start();
    fill(&world.tenant, ROOM);
    world.mailbox(ROOM);
    world.connector.wait_for_state(ROOM, "ok");
    let runtime = Runtime::new().expect("a runtime");
    let devices: Vec<Device> =
        (0..DEVICES).map(|number| runtime.block_on(enrolled(&world, number))).collect();
    let connector = world.connector.id();
    pass(SETTLE);
    let before = Memory::of(connector);

    let begun = Instant::now();
    let mut sessions = JoinSet::new();
    let (told, mut synced) = channel(DEVICES);
    for device in devices {
        sessions.spawn_on(hold(device, told.clone()), runtime.handle());
    }
    runtime.block_on(every(&mut synced));
    let opened = begun.elapsed();
    pass(SETTLE);
    let after = Memory::of(connector);

    table.section(
        "Sessions",
        &format!(
            "{DEVICES} room devices from one process, enrolled each, all showing the same {MEETINGS} meetings"
        ),
    );
    table.row(
        "sessions opened and brought up to date",
        DEVICES as f64 / opened.as_secs_f64(),
        "a second",
        "all at once; both sides' handshakes on this machine",
    );
    let on = format!("growth from 0 to {DEVICES} sessions");
    per_each(table, "connector: memory of an idle session", after.since(before, DEVICES), &on);
    table.row(
        "connector: resident memory, no session",
        before.rss_mib(),
        "MiB",
        "all of them enrolled before",
    );
    table.row("connector: resident memory", after.rss_mib(), "MiB", &format!("{DEVICES} sessions"));
    let [share] = idle_share([connector], IDLE);
    let on = format!("of one core, over {} s, {DEVICES} idle sessions, no round", IDLE.as_secs());
    table.row("connector: processor", share, "%", &on);
    push(table, &world, &runtime, &mut synced);
    assert!(sessions.try_join_next().is_none(), "a session ended before its time");
    runtime.block_on(sessions.shutdown());
    world.finish();
}

/// Waits until every device has said once more that it holds its list.
async fn every(synced: &mut Receiver<()>) {
    let all = async {
        for _ in 0..DEVICES {
            synced.recv().await;
        }
    };
    tokio::time::timeout(LIMIT, all).await.expect("every device gets its list");
}

/// One new meeting for all of them.
fn push(table: &mut Table, world: &World, runtime: &Runtime, synced: &mut Receiver<()>) {
    let connector = world.connector.id();
    let cpu = cpu_seconds(connector);
    let created = world.tenant.create(ROOM, &webex("Pushed", in_minutes(30), 30)).unwrap();
    world.connector.call(&["mailbox", "resync", ROOM]).done();
    runtime.block_on(every(synced));
    let shown = Timestamp::now();
    let log = world.tenant.request_log();
    let page = log.iter().rfind(|request| request.kind.starts_with("delta") && request.at >= created.at);
    let page = page.expect("the devices know it from a page").at;
    let time = millis(shown.duration_since(page).unsigned_abs());
    let on = format!("one new meeting, {DEVICES} sessions; 41 meetings read anew before it");
    table.row("from Graph's last page to the last device", time, "ms", &on);
    table.row("connector: processor for it", (cpu_seconds(connector) - cpu) * 1e3, "ms", &on);
}

async fn enrolled(world: &World, number: usize) -> Device {
    let code: ActivationCode = world.connector.invite(ROOM, DeviceKind::Room).code.parse().expect("a code");
    let (key, csr) = device_request().expect("a key and a request");
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number.to_be_bytes());
    let secret = DeviceSecret::from_seed(seed);
    let port = world.connector.enrollment.number();
    let name = format!("panel {number}");
    let enrolled = enroll(HOST, port, &code, &csr, secret.public(), &name).await.expect("an enrollment");
    let tls = DeviceTls { certificate: enrolled.certificate, key, anchors: enrolled.anchors };
    Device { port: enrolled.session_port, tls }
}

/// Holds a session as an agent does, until it ends. Tells `told` when the device holds its list.
async fn hold(device: Device, told: Sender<()>) {
    let client = connect(HOST, device.port, &device.tls).await.expect("a connection");
    let hello = Hello {
        agent_version: "0.1.0".to_owned(),
        have: Vec::new(),
        now: Timestamp::now(),
        drivers: Vec::new(),
    };
    let mut link = client.open(hello).await.expect("a session");
    while let Ok(Some(message)) = link.recv().await {
        if let ToAgent::Synced { mailbox, revision } = message {
            link.send(FromAgent::Ack { mailbox, revision }).await.expect("the connector listens");
            told.send(()).await.expect("somebody waits");
        }
    }
}
