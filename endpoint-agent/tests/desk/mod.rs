//! A private desktop for tests: a session bus, a screen that nobody sees, and a notification server on both. Nothing of
//! the tester's own desktop is touched.

#![allow(dead_code, reason = "each test uses a part")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use joinery_agenda::Policy;
use joinery_agent::board::Board;
use joinery_agent::config::DesktopConfig;
use joinery_agent::drivers::DriverStates;
use joinery_agent::drivers::desktop::Desktop;
use joinery_agent::holdings::View;
use joinery_agent::joiner::Joiner;
use joinery_agent::open::Opener;
use joinery_daemon::now;
use joinery_model::RowId;
use tokio::sync::{broadcast, watch};

/// What to install where a tool is missing.
pub const INSTALL: &str = "apt-get install -y --no-install-recommends dbus xvfb dunst xfce4-notifyd xdotool imagemagick fonts-dejavu-core";

/// A bus without any service that could be started by it: only what the test starts is there.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=FOLDER</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"#;

/// A process that is killed when the test is done with it.
pub struct Running(Child);

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let program = command.get_program().to_string_lossy().into_owned();
        match command.stdin(Stdio::null()).spawn() {
            Ok(child) => Self(child),
            Err(error) => {
                panic!("{program} cannot be started ({error}); install what the test needs: {INSTALL}")
            }
        }
    }

    /// The first line that it prints.
    fn first_line(&mut self) -> String {
        let mut line = String::new();
        let stdout = self.0.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert!(!line.trim().is_empty(), "it ended without a word; install what the test needs: {INSTALL}");
        line.trim().to_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A session bus.
pub struct TestBus {
    pub address: String,
    pub folder: tempfile::TempDir,
    daemon: Running,
}

impl TestBus {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("bus.conf");
        std::fs::write(&config, BUS.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
        let mut command = Command::new("dbus-daemon");
        command.arg("--nofork").arg("--print-address=1").arg("--config-file").arg(&config);
        let mut daemon = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let address = daemon.first_line();
        Self { address, folder, daemon }
    }

    /// Ends the bus, as a session that is over does.
    pub fn end(self) -> tempfile::TempDir {
        drop(self.daemon);
        self.folder
    }

    /// A screen, and programs on it.
    pub fn screen(&self) -> Screen {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1024x600x24", "-nolisten", "tcp"]);
        let mut server = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::null()));
        let display = format!(":{}", server.first_line());
        Screen { display, address: self.address.clone(), home: self.folder.path().to_owned(), server }
    }
}

/// A screen that nobody sees.
pub struct Screen {
    display: String,
    address: String,
    home: PathBuf,
    server: Running,
}

impl Screen {
    /// A program of this desktop.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command.env("HOME", &self.home).env("XDG_RUNTIME_DIR", &self.home).env_remove("WAYLAND_DISPLAY");
        command.env("XDG_CONFIG_HOME", self.home.join("config")).env("GSETTINGS_BACKEND", "memory");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// What a short program prints. It may fail: then nothing.
    pub fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).stdout(Stdio::piped()).output();
        match output {
            Ok(output) => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
            Err(error) => {
                panic!("{program} cannot be started ({error}); install what the test needs: {INSTALL}")
            }
        }
    }

    /// Keeps a picture of the screen under `target`, for people.
    pub fn picture(&self, name: &str) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        self.ask("import", &["-window", "root", folder.join(name).to_str().unwrap()]);
    }
}

/// Waits for a condition, at most twenty seconds.
#[track_caller]
pub fn wait_for(what: &str, mut told: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !told() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: it did not come to pass within 20 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A meeting of the tests: name, title, minutes from now to its start and to its end.
pub type Line<'a> = (u8, &'a str, i64, i64);

pub const fn row(name: u8) -> RowId {
    RowId::from_bytes([name; 16])
}

/// A board of these meetings, as of now.
pub fn board(lines: &[Line<'_>]) -> Arc<Board> {
    let meeting = |(name, subject, start, end): &Line<'_>| {
        let at = |minutes: &i64| now() + jiff::SignedDuration::from_mins(*minutes);
        let text = format!(
            r#"{{"event":"E","subject":"{subject}","start":"{}","end":"{}","organizer":{{"name":"Dana <Lee>","address":"dana@contoso.example"}},"status":"confirmed","response":"accepted","join":{{"url":"https://zoom.us/j/{name}?pwd=canary","provider":"zoom"}}}}"#,
            at(start),
            at(end)
        );
        (row(*name), serde_json::from_str(&text).unwrap())
    };
    let day = Duration::from_secs(86_400);
    let view = View {
        meetings: lines.iter().map(meeting).collect(),
        policy: Some(Policy { shared: false, lead: Duration::from_secs(300), past: day, future: day }),
        ..View::default()
    };
    Arc::new(Board::at(&view, now()))
}

/// The driver's parts, with an opener that writes what it opens into `opened` in `folder`.
pub struct Parts {
    pub board: watch::Sender<Arc<Board>>,
    pub joiner: Joiner,
    pub states: DriverStates,
    pub folder: PathBuf,
}

impl Parts {
    pub fn new(folder: &Path) -> Self {
        let script = format!("echo \"$1 $XDG_ACTIVATION_TOKEN\" >> {}/opened", folder.display());
        let opener = ["sh", "-c", &script, "sh"].map(str::to_owned).to_vec();
        Self {
            board: watch::Sender::new(Arc::new(Board::default())),
            joiner: Joiner::new(Opener::new(opener, None), broadcast::channel(16).0),
            states: DriverStates::default(),
            folder: folder.to_owned(),
        }
    }

    pub fn driver(&self, address: &str) -> Desktop {
        Desktop {
            config: DesktopConfig::default(),
            bus_address: Some(address.to_owned()),
            board: self.board.subscribe(),
            joiner: self.joiner.clone(),
            states: self.states.clone(),
            state_dir: self.folder.clone(),
        }
    }

    /// What was opened so far.
    pub fn opened(&self) -> String {
        std::fs::read_to_string(self.folder.join("opened")).unwrap_or_default()
    }

    /// The ids under which the server shows pop-ups, as the driver keeps them.
    pub fn ids(&self) -> serde_json::Value {
        let text = std::fs::read(self.folder.join("popups.json")).unwrap_or_default();
        serde_json::from_slice::<serde_json::Value>(&text).map(|kept| kept["ids"].clone()).unwrap_or_default()
    }
}
