//! `joinery-tenant`: the simulated tenant as a program of its own, for shell scripts and demonstrations.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use joinery_tenant::{MailboxKind, Options, Tenant};
use tokio::signal::unix::{SignalKind, signal};

/// A simulated Microsoft 365 tenant for tests: Entra's token endpoint and Microsoft Graph's calendars over HTTPS,
/// with a CA of its own, and a control interface that changes calendars and orders faults.
///
/// Prints one line of JSON with its addresses when it is ready, and ends on SIGINT or SIGTERM.
#[derive(Debug, Parser)]
#[command(name = "joinery-tenant", version, after_long_help = CONTROL)]
struct Arguments {
    /// Where HTTPS listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8446", env = "JOINERY_TENANT_LISTEN")]
    listen: SocketAddr,

    /// Where the control interface listens: plain HTTP with JSON, for tests only.
    #[arg(long, default_value = "127.0.0.1:8447", env = "JOINERY_TENANT_CONTROL")]
    control: SocketAddr,

    /// Where to write ca.pem, client_secret and tenant.json.
    #[arg(long, env = "JOINERY_TENANT_STATE_DIR")]
    state_dir: Option<PathBuf>,

    /// A name or address in the server certificate; the first one stands in the URLs.
    #[arg(long = "name", default_values = ["localhost", "127.0.0.1"])]
    names: Vec<String>,

    /// A verified domain, the default one first.
    #[arg(long = "domain", default_values = ["contoso.example", "contoso.onmicrosoft.com"])]
    domains: Vec<String>,

    /// A person's mailbox.
    #[arg(long = "user", value_name = "ADDRESS")]
    users: Vec<String>,

    /// A room's mailbox.
    #[arg(long = "room", value_name = "ADDRESS")]
    rooms: Vec<String>,

    /// The client secret; a random one by default.
    #[arg(long, env = "JOINERY_TENANT_SECRET", hide_env_values = true)]
    client_secret: Option<String>,

    /// How many seconds access tokens live.
    #[arg(long, default_value_t = 3599)]
    token_lifetime: u64,

    /// Add a room and a person with meetings around now.
    #[arg(long)]
    seed_demo: bool,

    /// Put the events of Microsoft's documentation into this mailbox, moved to this week.
    #[arg(long, value_name = "ADDRESS")]
    seed_examples: Option<String>,
}

const CONTROL: &str = r#"Control interface (JSON in, JSON out; every change answers {"id","immutable_id","at"}):
  POST /control/add-mailbox  {"address","kind":"user|room"}
  POST /control/create       {"mailbox","meeting":{"subject","start","end","time_zone","location","body","html","all_day",
                              "organizer":{"name","address"},"attendees","response","sensitivity","show_as",
                              "online_meeting_url","recurrence":{"pattern","range"}}}
  POST /control/reschedule   {"mailbox","id","start","end"}
  POST /control/update       {"mailbox","id","patch":{…}}             properties as Graph has them
  POST /control/cancel       {"mailbox","id"}                         the item stays, marked as cancelled
  POST /control/delete       {"mailbox","id"}
  POST /control/respond      {"mailbox","id","response":"accepted|declined|tentativelyAccepted|notResponded|none"}
  POST /control/fault        {"fault":"expire_delta|expire_delta_mid_round|cut_pages|throttle|fail|slow|page_size|replay|
                              empty_pages|deny_access|unlicensed|secret_expired|change_secret|app_disabled|roles|
                              revoke_tokens|token_lifetime|clear", "mailbox","times","retry_after","status","millis",…}
  GET  /control/violations   what clients did wrong; DELETE starts a fresh record
  GET  /control/requests     counts by kind, and the newest requests

Example:
  curl -X POST http://127.0.0.1:8447/control/fault -H 'Content-Type: application/json' \
    -d '{"fault":"throttle","mailbox":"room@contoso.example","retry_after":2.5,"times":3}'"#;

impl Arguments {
    fn options(&self) -> Options {
        let users = self.users.iter().map(|address| (address.clone(), MailboxKind::User));
        let rooms = self.rooms.iter().map(|address| (address.clone(), MailboxKind::Room));
        Options {
            listen: self.listen,
            control: Some(self.control),
            names: self.names.clone(),
            domains: self.domains.clone(),
            mailboxes: users.chain(rooms).collect(),
            token_lifetime: Duration::from_secs(self.token_lifetime),
            client_secret: self.client_secret.clone(),
            ..Options::default()
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("joinery-tenant: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt()).context("SIGINT cannot be waited for")?;
    let mut terminated = signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?;
    let tenant = Tenant::start(arguments.options()).await?;
    if arguments.seed_demo {
        tenant.seed_demo(jiff::Timestamp::now())?;
    }
    if let Some(address) = &arguments.seed_examples {
        tenant.add_mailbox(address, MailboxKind::User)?;
        tenant.seed_examples(address, jiff::Timestamp::now())?;
    }
    if let Some(directory) = &arguments.state_dir {
        tenant.write_state(directory)?;
    }
    writeln!(std::io::stdout(), "{}", tenant.summary())?;
    tokio::select! {
        _ = interrupted.recv() => {}
        _ = terminated.recv() => {}
    }
    Ok(())
}
