//! A world of its own for one test: a tenant, a connector, agents.

use std::rc::Rc;

use joinery_tenant::{MailboxKind, Options, Tenant};
use tokio::runtime::Runtime;

use crate::agent::Agent;
use crate::booking::{in_minutes, webex};
use crate::connector::{Connector, DeviceKind};
use crate::folder::Folder;

/// The room that scenarios use.
pub const ROOM: &str = "room.one@contoso.example";

/// The person that scenarios use.
pub const DANA: &str = "dana@contoso.example";

/// What is different in a world. Everything has a default.
#[derive(Debug, Clone, Default)]
pub struct WorldPlan {
    lead: Option<&'static str>,
    level: Option<&'static str>,
    replace: Vec<(&'static str, String)>,
    database: Option<String>,
}

impl WorldPlan {
    /// How long before the start the Join button appears: `5m` unless said.
    #[must_use]
    pub fn lead(mut self, lead: &'static str) -> Self {
        self.lead = Some(lead);
        self
    }

    /// `RUST_LOG` of both programs.
    #[must_use]
    pub fn level(mut self, level: &'static str) -> Self {
        self.level = Some(level);
        self
    }

    /// Replaces a part of the connector's configuration.
    #[must_use]
    pub fn replace(mut self, part: &'static str, by: impl Into<String>) -> Self {
        self.replace.push((part, by.into()));
        self
    }

    /// Where the connector's database is.
    #[must_use]
    pub fn database(mut self, path: impl Into<String>) -> Self {
        self.database = Some(path.into());
        self
    }

    /// The world, with its tenant running and its connector configured but not started.
    pub fn build(self) -> World {
        World::of(self)
    }

    /// The world, with its connector running.
    #[track_caller]
    pub fn start(self) -> World {
        let mut world = self.build();
        world.connector.start();
        world
    }
}

/// A world.
#[derive(Debug)]
pub struct World {
    /// The connector.
    pub connector: Connector,
    /// The simulated tenant.
    pub tenant: Tenant,
    /// Everything that is written.
    pub folder: Rc<Folder>,
    level: Option<&'static str>,
    /// Runs the tenant.
    runtime: Runtime,
}

impl World {
    /// A world with everything as usual and the connector running.
    #[track_caller]
    pub fn new() -> Self {
        Self::plan().start()
    }

    /// A world that is different.
    pub fn plan() -> WorldPlan {
        WorldPlan::default()
    }

    fn of(plan: WorldPlan) -> Self {
        let folder = Rc::new(Folder::new());
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let tenant = runtime.block_on(Tenant::start(Options::default())).unwrap();
        let connector = Connector::new(&folder, plan.level);
        let world = Self { connector, tenant, folder, level: plan.level, runtime };
        let mut text = world.configuration(&plan);
        for (part, by) in &plan.replace {
            assert!(text.contains(part), "{part:?} is not in the configuration");
            text = text.replacen(part, by, 1);
        }
        world.connector.configure(&text);
        world.folder.write("client_secret", world.tenant.client_secret());
        world.folder.write("tenant_ca.pem", world.tenant.ca_pem());
        world
    }

    fn configuration(&self, plan: &WorldPlan) -> String {
        let (folder, tenant, connector) = (self.folder.path().display(), &self.tenant, &self.connector);
        let (sessions, enrollment) = (connector.sessions.number(), connector.enrollment.number());
        let database = plan.database.clone().unwrap_or_else(|| connector.database().display().to_string());
        format!(
            r#"[server]
listen = "127.0.0.1:{sessions}"
enrollment_listen = "127.0.0.1:{enrollment}"
names = ["127.0.0.1", "localhost"]

[admin]
socket = "{socket}"
listen = ""

[store]
url = "sqlite:{database}"

[keys]
provider = "embedded"

[keys.embedded]
file = "{kek}"

[[tenant]]
name = "contoso"
id = "{id}"
cloud = "worldwide"
domains = ["contoso.example"]
client_id = "{client_id}"
client_secret_file = "{folder}/client_secret"
authority_url = "{authority}"
graph_url = "{graph}"
ca_file = "{folder}/tenant_ca.pem"

[sync]
past = "7d"
future = "31d"
poll_interval = "1s"

[notifications]
mode = "off"

[button]
lead = "{lead}"

[retention]
enforce_every = "1h"
"#,
            socket = connector.socket().display(),
            kek = connector.key_file().display(),
            id = tenant.tenant_id(),
            client_id = tenant.client_id(),
            authority = tenant.authority_url(),
            graph = tenant.graph_url(),
            lead = plan.lead.unwrap_or("5m"),
        )
    }

    /// Adds a mailbox to the tenant and to the connector.
    #[track_caller]
    pub fn mailbox(&self, address: &str) {
        let kind = if address.starts_with("room") { MailboxKind::Room } else { MailboxKind::User };
        self.tenant.add_mailbox(address, kind).unwrap();
        self.connector.add_mailbox(address);
    }

    /// An agent that is neither enrolled nor started.
    pub fn new_agent(&self, name: &str) -> Agent {
        Agent::new(&self.folder, name, self.level)
    }

    /// An agent that is enrolled for the mailbox and not started.
    #[track_caller]
    pub fn enrolled(&self, name: &str, address: &str, kind: DeviceKind) -> Agent {
        let agent = self.new_agent(name);
        agent.enroll(&self.connector.invite(address, kind).url);
        agent
    }

    /// An agent that is enrolled for the mailbox, started and connected.
    #[track_caller]
    pub fn agent(&self, name: &str, address: &str, kind: DeviceKind) -> Agent {
        let mut agent = self.enrolled(name, address, kind);
        agent.start();
        agent.wait_for_connection("online");
        agent
    }

    /// The usual scene: the room's mailbox with a panel in the room that shows it.
    #[track_caller]
    pub fn room(&self) -> Agent {
        self.mailbox(ROOM);
        self.agent("panel", ROOM, DeviceKind::Room)
    }

    /// The connector stops as it should, and no client did to the tenant what Graph does not allow.
    #[track_caller]
    pub fn finish(mut self) {
        if self.connector.runs() {
            self.connector.stop();
        }
        let violations = self.tenant.violations();
        assert!(violations.is_empty(), "{violations:#?}");
        self.runtime.shutdown_background();
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// A world in which the room's panel shows the meeting "Kept", its button on.
#[track_caller]
pub fn kept_meeting() -> (World, Agent) {
    let world = World::new();
    let panel = world.room();
    world.tenant.create(ROOM, &webex("Kept", in_minutes(3), 60)).unwrap();
    panel.wait_for_subjects(&["Kept"]);
    (world, panel)
}
