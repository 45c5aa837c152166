//! The desktop driver with real notification servers, dunst and xfce4-notifyd, on a private bus and screen: shown, Join
//! pressed, target opened, replaced under the same id, closed; shown again by a server that starts anew.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod desk;

use std::path::PathBuf;
use std::process::Command;

use desk::{INSTALL, Parts, Running, Screen, TestBus, board, row, wait_for};
use joinery_agent::drivers::desktop;
use joinery_daemon::Shutdown;

/// A notification server and how a person uses it.
trait Server {
    /// Starts it and waits until it is there.
    fn start(screen: &Screen) -> Vec<Running>;
    /// How many pop-ups are to be seen.
    fn visible(screen: &Screen) -> usize;
    /// Presses Join on the one that is there.
    fn press(screen: &Screen);
    /// For the picture's name.
    const NAME: &'static str;
}

struct Dunst;

impl Server for Dunst {
    const NAME: &'static str = "dunst";

    fn start(screen: &Screen) -> Vec<Running> {
        let server = Running::start(&mut screen.command("dunst"));
        wait_for("dunst answers", || screen.ask("dunstctl", &["is-paused"]) == "false");
        vec![server]
    }

    fn visible(screen: &Screen) -> usize {
        screen.ask("dunstctl", &["count", "displayed"]).parse().unwrap_or(0)
    }

    // dunst draws no buttons: this is what its keyboard and mouse bindings call.
    fn press(screen: &Screen) {
        screen.ask("dunstctl", &["action", "0"]);
    }
}

struct Xfce;

impl Xfce {
    fn windows(screen: &Screen) -> Vec<String> {
        let windows = screen.ask("xdotool", &["search", "--onlyvisible", "--class", "notifyd"]);
        windows.lines().map(str::to_owned).collect()
    }
}

impl Server for Xfce {
    const NAME: &'static str = "xfce4-notifyd";

    fn start(screen: &Screen) -> Vec<Running> {
        // Its settings come from another daemon, which a session would start by itself.
        let settings = Running::start(&mut screen.command(library("xfce4/xfconf/xfconfd")));
        let has_name = |name: &str| {
            let call = [
                "--session",
                "--dest=org.freedesktop.DBus",
                "--print-reply",
                "/",
                "org.freedesktop.DBus.NameHasOwner",
            ];
            let name = format!("string:{name}");
            screen.ask("dbus-send", &[call.as_slice(), &[name.as_str()]].concat()).contains("boolean true")
        };
        wait_for("xfconfd answers", || has_name("org.xfce.Xfconf"));
        let server = Running::start(&mut screen.command(library("xfce4/notifyd/xfce4-notifyd")));
        wait_for("xfce4-notifyd answers", || has_name("org.freedesktop.Notifications"));
        vec![server, settings]
    }

    fn visible(screen: &Screen) -> usize {
        Self::windows(screen).len()
    }

    fn press(screen: &Screen) {
        let window = Self::windows(screen).pop().expect("a pop-up");
        // The button is in the lower right corner, wherever title and icon end.
        let shell = screen.ask("xdotool", &["getwindowgeometry", "--shell", &window]);
        let side = |name: &str| {
            let line = shell.lines().find_map(|line| line.strip_prefix(name)).expect("a size");
            line.parse::<i32>().expect("a number")
        };
        let (x, y) = ((side("WIDTH=") - 57).to_string(), (side("HEIGHT=") - 31).to_string());
        screen.ask("xdotool", &["mousemove", "--window", &window, &x, &y, "click", "1"]);
    }
}

/// A program under the folder of this machine's libraries.
fn library(name: &str) -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().flatten().map(|entry| entry.path());
    let found = folders.map(|folder| folder.join(name)).find(|path| path.exists());
    found.unwrap_or_else(|| panic!("{name} is not installed; install what the test needs: {INSTALL}"))
}

async fn a_button_lives_and_dies<S: Server>() {
    for tool in ["xdotool", "import", "dbus-send"] {
        let found = Command::new("sh").args(["-c", &format!("command -v {tool}")]).output().unwrap();
        assert!(found.status.success(), "{tool} is not installed; install what the test needs: {INSTALL}");
    }
    let bus = TestBus::start();
    let screen = bus.screen();
    let server = S::start(&screen);
    let parts = Parts::new(bus.folder.path());
    let stop = Shutdown::new();
    let running = tokio::spawn(desktop::run(parts.driver(&bus.address), stop.clone()));

    tokio::task::block_in_place(|| {
        parts.board.send_replace(board(&[(7, "Quarterly plan", 4, 34)]));
        wait_for("the pop-up appears", || S::visible(&screen) == 1);
        let ids = parts.ids();
        assert!(ids[row(7).to_string()].as_u64().is_some(), "{ids}");
        // Drawn, not only mapped.
        std::thread::sleep(std::time::Duration::from_millis(500));
        screen.picture(&format!("{}-shown.png", S::NAME));

        parts.board.send_replace(board(&[(7, "Quarterly plan, moved", 2, 32)]));
        // Its text is not to be asked for; the driver has written down the id when the server has answered.
        std::thread::sleep(std::time::Duration::from_millis(500));
        screen.picture(&format!("{}-replaced.png", S::NAME));
        assert_eq!((S::visible(&screen), parts.ids()), (1, ids), "in its place, under the same id");

        S::press(&screen);
        wait_for("the target is opened", || parts.opened().starts_with("https://zoom.us/j/7?pwd=canary "));
        // Some servers take a pop-up away when it was pressed; a change brings it back.
        parts.board.send_replace(board(&[(7, "Quarterly plan, moved again", 1, 31)]));
        wait_for("the pop-up is there after the change", || S::visible(&screen) == 1);

        parts.board.send_replace(board(&[]));
        wait_for("the pop-up is closed", || S::visible(&screen) == 0);

        parts.board.send_replace(board(&[(8, "Second", 1, 31)]));
        wait_for("another appears", || S::visible(&screen) == 1);
        drop(server);
        let server = S::start(&screen);
        wait_for("a new server shows it again", || S::visible(&screen) == 1);
        stop.trigger();
        wait_for("it goes with the agent", || S::visible(&screen) == 0);
        drop(server);
    });
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dunst_shows_replaces_and_closes() {
    a_button_lives_and_dies::<Dunst>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn xfce4_notifyd_shows_replaces_and_closes() {
    a_button_lives_and_dies::<Xfce>().await;
}
