//! Sets everything up as an operator would: configuration files, key file, mailboxes, invitations, enrollment.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use jiff::SignedDuration;
use joinery_tenant::{MailboxKind, Options, Tenant};
use serde_json::Value;
use tempfile::TempDir;

use crate::calendar::{Calendars, MAILBOXES};
use crate::device::{CommandLine, Device};
use crate::popup;
use crate::program::Program;
use crate::side::{Each, Side};

/// How long before the start a button comes on, as configured below.
pub const LEAD: SignedDuration = SignedDuration::from_mins(5);

/// Each step of the set-up takes a second or two; on a busy machine a multiple.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// How often a step is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Everything that runs. Dropping it kills what runs and removes the folder.
pub struct Stage {
    /// The calendars of the simulated tenant.
    pub calendars: Calendars,
    /// The devices.
    pub devices: Each<Device>,
    connector: Program,
    folder: TempDir,
}

impl Stage {
    /// Starts tenant, connector and agents, and waits until both devices show their list.
    pub async fn set(programs: Option<&Path>) -> Result<Self> {
        let programs = find_programs(programs)?;
        let folder = tempfile::Builder::new().prefix("joinery-demo-").tempdir()?;
        writeln!(io::stdout(), "Setting the stage in {}", folder.path().display())?;

        // The library of the tenant and ours share one provider of cryptography.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mailboxes = MAILBOXES.iter().map(|(_, (address, kind))| ((*address).to_owned(), *kind)).collect();
        let tenant = Tenant::start(Options { mailboxes, ..Options::default() }).await?;
        say("simulated Microsoft 365", &format!("at {}, with two mailboxes", tenant.graph_url()))?;
        let calendars = Calendars::fill(tenant, joinery_daemon::now())?;

        let line = CommandLine {
            program: programs.join("joinery-connector"),
            config: configure_connector(folder.path(), calendars.tenant())?,
        };
        let mut connector = Program::start(
            "joinery-connector",
            &line.program,
            &line.arguments(&["run"]),
            folder.path().join("connector.log"),
        )?;
        wait("the connector", || line.ask(&["status", "--json"]), |_| true, &mut connector).await?;
        say("joinery-connector run", "its own authority, key file and database are made")?;

        for (_, (address, kind)) in MAILBOXES.iter() {
            let kind = if matches!(kind, MailboxKind::Room) { "room" } else { "user" };
            line.ask(&["mailbox", "add", address, "--kind", kind, "--json"]).await?;
            say("joinery-connector mailbox add", address)?;
        }
        let popup = popup::is_there().await;
        let room = start_device(folder.path(), &programs, &line, &mut connector, Plan::room()).await?;
        let desktop =
            start_device(folder.path(), &programs, &line, &mut connector, Plan::desktop(popup)).await?;
        Ok(Self { calendars, devices: Each { room, desktop }, connector, folder })
    }

    /// An error if one of the programs has ended.
    pub fn check(&mut self) -> Result<()> {
        self.connector.check()?;
        self.devices.room.agent.check()?;
        self.devices.desktop.agent.check()
    }

    /// The last that each program said, for the person who must find out why the show broke off.
    pub fn last_words(&self) -> String {
        let programs = [&self.connector, &self.devices.room.agent, &self.devices.desktop.agent];
        programs.map(|program| format!("{}:\n{}", program.name(), program.tail())).concat()
    }

    /// Stops everything and removes the folder. Says what did not end as it should.
    pub async fn strike(self) -> Result<()> {
        let Each { room, desktop } = self.devices;
        let stopped = [room.agent.stop().await, desktop.agent.stop().await, self.connector.stop().await];
        self.folder.close().context("the folder of the demo cannot be removed")?;
        stopped.into_iter().collect()
    }
}

/// What a device is to be.
struct Plan {
    side: Side,
    title: String,
    drivers: &'static str,
}

impl Plan {
    fn room() -> Self {
        Self { side: Side::Room, title: "Room Huddle".to_owned(), drivers: "" }
    }

    fn desktop(popup: bool) -> Self {
        Self {
            side: Side::Desktop,
            title: if popup { "Dana's desktop, with pop-ups" } else { "Dana's desktop" }.to_owned(),
            drivers: if popup { "[driver.desktop]\n" } else { "" },
        }
    }
}

async fn start_device(
    folder: &Path,
    programs: &Path,
    connector: &CommandLine,
    running: &mut Program,
    plan: Plan,
) -> Result<Device> {
    let name = plan.side.name();
    let (mailbox, _) = MAILBOXES.of(plan.side);
    let state = folder.join(name);
    let config = folder.join(format!("{name}.toml"));
    fs::write(&config, format!("[agent]\nstate_dir = {}\n{}", quoted(&state), plan.drivers))?;
    let line = CommandLine { program: programs.join("joinery-agent"), config };

    let invitation = connector.ask(&["device", "invite", mailbox, "--kind", name, "--json"]).await?;
    let field = |name: &str| {
        invitation.get(name).and_then(Value::as_str).context("device invite printed another shape")
    };
    say("joinery-connector device invite", &format!("code {} for {}", field("code")?, mailbox))?;
    // The code is good once; `enroll` prints for people.
    let enrolled =
        crate::program::command(&line.program, &line.arguments(&["enroll", field("url")?])).output().await?;
    if !enrolled.status.success() {
        bail!("joinery-agent enroll failed: {}", String::from_utf8_lossy(&enrolled.stderr).trim());
    }
    say("joinery-agent enroll", &format!("the {name} has its certificate"))?;

    let log = folder.join(format!("{name}.log"));
    let mut agent =
        Program::start(&format!("joinery-agent ({name})"), &line.program, &line.arguments(&["run"]), log)?;
    let complete = |listing: &crate::view::Listing| listing.meetings.len() >= Calendars::size_of_day();
    wait("the meeting list", || line.list(), complete, &mut agent).await.inspect_err(|_| {
        // The reason may lie on the other side.
        let _ = running.check();
    })?;
    say("joinery-agent run", &format!("the {name} shows its list"))?;
    Ok(Device { title: plan.title, agent, line })
}

/// Asks until there is an answer that will do; meanwhile `program` must not end.
async fn wait<T, F: Future<Output = Result<T>>>(
    what: &str,
    ask: impl Fn() -> F,
    will_do: impl Fn(&T) -> bool,
    program: &mut Program,
) -> Result<()> {
    let deadline = tokio::time::Instant::now() + STEP_TIMEOUT;
    loop {
        let answer = ask().await;
        if answer.as_ref().is_ok_and(&will_do) {
            return Ok(());
        }
        program.check()?;
        if tokio::time::Instant::now() > deadline {
            let why =
                answer.err().map_or_else(|| "it is not complete".to_owned(), |error| format!("{error:#}"));
            bail!("{what} is not there after {STEP_TIMEOUT:?}: {why}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Where the two programs are.
fn find_programs(named: Option<&Path>) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = named.or_else(|| own.parent()).context("this program lies in no folder")?.to_owned();
    for name in ["joinery-connector", "joinery-agent"] {
        if !folder.join(name).exists() {
            bail!("{name} is not in {}; run `make demo`, which builds it", folder.display());
        }
    }
    Ok(folder)
}

/// Writes the connector's configuration and the files that it names.
fn configure_connector(folder: &Path, tenant: &Tenant) -> Result<PathBuf> {
    let (ca, secret) = (folder.join("graph-ca.pem"), folder.join("client-secret"));
    fs::write(&ca, tenant.ca_pem())?;
    fs::write(&secret, tenant.client_secret())?;
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600))?;
    let mut text = String::new();
    write!(
        text,
        "[server]\nlisten = \"127.0.0.1:0\"\nenrollment_listen = \"127.0.0.1:0\"\nnames = [\"127.0.0.1\", \"localhost\"]\n\n\
         [admin]\nsocket = {socket}\nlisten = \"\"\n\n\
         [store]\nurl = {store}\n\n\
         [keys]\nprovider = \"embedded\"\n\n[keys.embedded]\nfile = {keys}\n\n\
         [[tenant]]\nname = \"contoso\"\nid = \"{id}\"\ndomains = [\"contoso.example\"]\nclient_id = \"{client}\"\n\
         client_secret_file = {secret}\nauthority_url = \"{authority}\"\ngraph_url = \"{graph}\"\nca_file = {ca}\n\n\
         [sync]\npoll_interval = \"1s\"\n\n[button]\nlead = \"{lead}s\"\n",
        socket = quoted(folder.join("admin.sock")),
        store = quoted(format!("sqlite:{}", folder.join("connector.db").display())),
        keys = quoted(folder.join("connector.key")),
        id = tenant.tenant_id(),
        client = tenant.client_id(),
        secret = quoted(&secret),
        authority = tenant.authority_url(),
        graph = tenant.graph_url(),
        ca = quoted(&ca),
        lead = LEAD.as_secs(),
    )?;
    let config = folder.join("connector.toml");
    fs::write(&config, text)?;
    Ok(config)
}

/// A path as a TOML string: JSON's escapes are TOML's.
fn quoted(path: impl AsRef<OsStr>) -> String {
    Value::from(path.as_ref().to_string_lossy()).to_string()
}

fn say(what: &str, result: &str) -> io::Result<()> {
    writeln!(io::stdout(), "  {what:<33} {result}")
}
