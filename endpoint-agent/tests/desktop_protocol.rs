//! What the desktop driver says to a notification server, word by word: a server of the test's own on a private bus.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod desk;

use std::collections::HashMap;
use std::time::Duration;

use desk::{Parts, TestBus, board, row};
use futures::StreamExt;
use joinery_agent::drivers::desktop;
use joinery_daemon::Shutdown;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use zbus::message::Type;
use zbus::{Connection, MessageStream, OwnedVariant, connection};

const SERVICE: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// What the driver asked for.
#[derive(Debug, PartialEq)]
enum Call {
    /// Replaced id, summary, body, actions, urgency, expiry.
    Notify(u32, String, String, Vec<String>, u8, i32),
    Close(u32),
}

/// A server that writes down what it is asked and shows nothing. Its ids begin at 100.
struct Server {
    connection: Connection,
    calls: mpsc::UnboundedReceiver<Call>,
    serving: JoinHandle<()>,
}

type NotifyBody = (String, u32, String, String, String, Vec<String>, HashMap<String, OwnedVariant>, i32);

impl Server {
    async fn start(address: &str, capabilities: &[&str]) -> Self {
        let connection = connection::Builder::address(address).build().await.unwrap();
        let mut messages = MessageStream::from(&connection);
        let (heard, calls) = mpsc::unbounded_channel();
        let capabilities: Vec<String> = capabilities.iter().map(|word| (*word).to_owned()).collect();
        let answering = connection.clone();
        let serving = tokio::spawn(async move {
            let mut next = 99;
            while let Some(Ok(message)) = messages.next().await {
                let header = message.header();
                if header.message_type() != Type::MethodCall {
                    continue;
                }
                let body = message.body();
                match header.member().map(|member| member.as_str()) {
                    Some("GetCapabilities") => answering.reply(&header, &capabilities).await.unwrap(),
                    Some("GetServerInformation") => {
                        answering.reply(&header, &("test", "Joinery", "1", "1.2")).await.unwrap();
                    }
                    Some("Notify") => {
                        let (app, replaces, _, summary, body, actions, hints, expire): NotifyBody =
                            body.deserialize().unwrap();
                        assert_eq!(app, "Joinery");
                        let urgency = u8::try_from(&hints["urgency"]).unwrap();
                        next += u32::from(replaces == 0);
                        let id = if replaces == 0 { next } else { replaces };
                        let _ = heard.send(Call::Notify(replaces, summary, body, actions, urgency, expire));
                        answering.reply(&header, &id).await.unwrap();
                    }
                    Some("CloseNotification") => {
                        let _ = heard.send(Call::Close(body.deserialize().unwrap()));
                        answering.reply(&header, &()).await.unwrap();
                    }
                    _ => {}
                }
            }
        });
        connection.request_name(SERVICE).await.unwrap();
        Self { connection, calls, serving }
    }

    async fn call(&mut self) -> Call {
        timeout(Duration::from_secs(20), self.calls.recv()).await.expect("no call within 20 s").unwrap()
    }

    /// The next pop-up: replaced id, title, urgency.
    async fn notified(&mut self) -> (u32, String, u8) {
        match self.call().await {
            Call::Notify(replaces, summary, _, _, urgency, _) => (replaces, summary, urgency),
            Call::Close(id) => panic!("{id} was closed instead"),
        }
    }

    async fn signal<B: serde::Serialize + zbus::Type>(&self, member: &str, body: &B) {
        self.connection.emit_signal(None::<&str>, PATH, SERVICE, member, body).await.unwrap();
    }

    /// Everything that this server was asked and has not told is none; it then ends.
    async fn end(mut self) {
        self.serving.abort();
        assert_eq!(self.calls.try_recv().ok(), None);
        self.connection.close().await.unwrap();
    }
}

struct Stage {
    bus: TestBus,
    parts: Parts,
    stop: Shutdown,
    running: JoinHandle<()>,
}

impl Stage {
    fn start() -> Self {
        let bus = TestBus::start();
        let parts = Parts::new(bus.folder.path());
        let stop = Shutdown::new();
        let running = tokio::spawn(desktop::run(parts.driver(&bus.address), stop.clone()));
        Self { bus, parts, stop, running }
    }

    async fn opened(&self, want: &str) {
        let waiting = async {
            while self.parts.opened() != want {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let seen = timeout(Duration::from_secs(20), waiting).await;
        assert!(seen.is_ok(), "opened {:?}, not {want:?}", self.parts.opened());
    }

    async fn end(self) {
        self.stop.trigger();
        self.running.await.unwrap();
    }
}

const ALL: [&str; 3] = ["actions", "body", "body-markup"];

#[tokio::test]
async fn a_button_keeps_its_id_from_first_to_last() {
    let stage = Stage::start();
    let mut server = Server::start(&stage.bus.address, &ALL).await;
    stage.parts.board.send_replace(board(&[(1, "Plan & <b>", 4, 34)]));
    let Call::Notify(replaces, summary, body, actions, urgency, expire) = server.call().await else {
        panic!()
    };
    assert_eq!((replaces, summary.as_str(), urgency, expire), (0, "Plan & <b>", 1, 0));
    assert!(body.ends_with("Dana &lt;Lee&gt;") && !body.contains("canary"), "{body}");
    assert_eq!(actions, ["default", "Join", "join", "Join"]);

    stage.parts.board.send_replace(board(&[(1, "Moved", 2, 32)]));
    assert_eq!(server.notified().await, (100, "Moved".into(), 1));
    stage.parts.board.send_replace(board(&[(1, "Moved", -1, 29), (2, "Second", 1, 31)]));
    assert_eq!(server.notified().await, (0, "Second".into(), 1));
    assert_eq!(server.notified().await, (100, "Moved".into(), 2));
    stage.parts.board.send_replace(board(&[]));
    assert_eq!((server.call().await, server.call().await), (Call::Close(101), Call::Close(100)));
    server.end().await;
    stage.end().await;
}

#[tokio::test]
async fn only_presses_on_our_own_pop_ups_by_the_server_itself_count() {
    let stage = Stage::start();
    let mut server = Server::start(&stage.bus.address, &ALL).await;
    stage.parts.board.send_replace(board(&[(1, "One", 1, 31), (2, "Two", 2, 32)]));
    server.notified().await;
    server.notified().await;
    // Another program of the session pretends to be the server.
    let stranger = connection::Builder::address(stage.bus.address.as_str()).build().await.unwrap();
    stranger.emit_signal(None::<&str>, PATH, SERVICE, "ActionInvoked", &(100_u32, "join")).await.unwrap();
    // Another program's pop-up, and a key that is not ours.
    server.signal("ActionInvoked", &(7_u32, "join")).await;
    server.signal("ActionInvoked", &(100_u32, "snooze")).await;
    // Ours, with a token for the window.
    server.signal("ActivationToken", &(101_u32, "token-1")).await;
    server.signal("ActionInvoked", &(101_u32, "default")).await;
    stage.opened("https://zoom.us/j/1?pwd=canary token-1\n").await;
    server.signal("ActionInvoked", &(101_u32, "join")).await;
    stage.opened("https://zoom.us/j/1?pwd=canary token-1\nhttps://zoom.us/j/1?pwd=canary \n").await;
    stage.stop.trigger();
    assert!(matches!(server.call().await, Call::Close(100 | 101)));
    assert!(matches!(server.call().await, Call::Close(100 | 101)));
    stage.end().await;
}

#[tokio::test]
async fn a_pop_up_that_a_person_closed_comes_back_only_for_a_change() {
    let stage = Stage::start();
    let mut server = Server::start(&stage.bus.address, &ALL).await;
    stage.parts.board.send_replace(board(&[(1, "One", 1, 31), (2, "Two", 2, 32)]));
    assert_eq!(server.notified().await.1, "Two");
    assert_eq!(server.notified().await.1, "One");
    server.signal("NotificationClosed", &(100_u32, 2_u32)).await;
    // Signals come in order: what this one does tells that the former was heard.
    server.signal("ActionInvoked", &(101_u32, "join")).await;
    stage.opened("https://zoom.us/j/1?pwd=canary \n").await;
    assert!(server.calls.try_recv().is_err());
    stage.parts.board.send_replace(board(&[(2, "Two, renamed", 2, 32)]));
    assert_eq!(server.call().await, Call::Close(101));
    assert_eq!(server.notified().await, (0, "Two, renamed".into(), 1));
    stage.end().await;
}

#[tokio::test]
async fn a_server_without_buttons_tells_how_to_join() {
    let stage = Stage::start();
    let mut server = Server::start(&stage.bus.address, &["body"]).await;
    stage.parts.board.send_replace(board(&[(1, "One", 1, 31)]));
    let Call::Notify(_, _, body, actions, ..) = server.call().await else { panic!() };
    assert!(
        actions.is_empty() && body.contains("Dana <Lee>") && body.ends_with("joinery-agent join"),
        "{body}"
    );
    assert!(stage.parts.states.all()[desktop::NAME].contains("without buttons"));
    stage.end().await;
}

#[tokio::test]
async fn a_server_may_come_late_and_start_anew() {
    let stage = Stage::start();
    stage.parts.board.send_replace(board(&[(1, "One", 1, 31)]));
    let waiting = async {
        while stage.parts.states.all().get(desktop::NAME).is_none_or(|state| !state.starts_with("waiting")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), waiting).await.expect("it does not say that it waits");
    let mut server = Server::start(&stage.bus.address, &ALL).await;
    assert_eq!(server.notified().await, (0, "One".into(), 1));
    server.end().await;
    let mut server = Server::start(&stage.bus.address, &ALL).await;
    assert_eq!(server.notified().await, (0, "One".into(), 1), "the former server's id is void");
    stage.end().await;
    assert_eq!(server.call().await, Call::Close(100));
}

#[tokio::test]
async fn an_agent_that_was_killed_finds_its_pop_ups() {
    let stage = Stage::start();
    let mut server = Server::start(&stage.bus.address, &ALL).await;
    stage.parts.board.send_replace(board(&[(1, "One", 1, 31), (2, "Two", 2, 32)]));
    server.notified().await;
    server.notified().await;
    let kept = async {
        while stage.parts.ids()[row(1).to_string()].is_null() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(20), kept).await.unwrap();
    stage.running.abort();
    // While it was dead, `Two` was cancelled.
    stage.parts.board.send_replace(board(&[(1, "One", 1, 31)]));
    let running = tokio::spawn(desktop::run(stage.parts.driver(&stage.bus.address), stage.stop.clone()));
    assert_eq!(server.call().await, Call::Close(100));
    assert_eq!(server.notified().await, (101, "One".into(), 1));
    stage.stop.trigger();
    running.await.unwrap();
}

#[tokio::test]
async fn joined_from_the_command_line_it_asks_for_nothing_any_more() {
    let stage = Stage::start();
    let mut server = Server::start(&stage.bus.address, &ALL).await;
    let board = board(&[(1, "One", 1, 31)]);
    stage.parts.board.send_replace(board.clone());
    server.notified().await;
    stage.parts.joiner.join_from_elsewhere(board.shown.entry(row(1)).unwrap()).await.unwrap();
    assert_eq!(server.call().await, Call::Close(100));
    stage.end().await;
}

#[tokio::test]
async fn a_failure_to_open_is_shown() {
    let mut stage = Stage::start();
    stage.stop.trigger();
    stage.running.await.unwrap();
    stage.stop = Shutdown::new();
    let mut driver = stage.parts.driver(&stage.bus.address);
    let opener = joinery_agent::open::Opener::new(vec!["/no/such/opener".into()], None);
    driver.joiner = joinery_agent::joiner::Joiner::new(opener, tokio::sync::broadcast::channel(1).0);
    stage.running = tokio::spawn(desktop::run(driver, stage.stop.clone()));
    let mut server = Server::start(&stage.bus.address, &ALL).await;
    stage.parts.board.send_replace(board(&[(1, "One", 1, 31)]));
    server.notified().await;
    server.signal("ActionInvoked", &(100_u32, "join")).await;
    let Call::Notify(0, summary, body, ..) = server.call().await else { panic!() };
    assert!(summary.contains("could not be opened") && body.contains("/no/such/opener"), "{summary}: {body}");
    stage.end().await;
}
