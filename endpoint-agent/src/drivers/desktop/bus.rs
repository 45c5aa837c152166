//! The session bus and its notification server (Desktop Notifications Specification 1.2).

use std::collections::HashMap;
use std::time::Duration;

use futures::StreamExt;
use zbus::fdo::{DBusProxy, NameOwnerChangedStream};
use zbus::message::Type;
use zbus::names::BusName;
use zbus::{Connection, MatchRule, Message, MessageStream, Variant, connection, proxy};

use super::note::{Capabilities, Note};

/// The server's well-known name.
const SERVICE: &str = "org.freedesktop.Notifications";

/// A server that has not answered by then hangs.
const METHOD_TIMEOUT: Duration = Duration::from_secs(10);

/// Name of our desktop entry, without suffix: desktops keep settings by it.
const DESKTOP_ENTRY: &str = "io.joinery.Agent";

#[proxy(
    interface = "org.freedesktop.Notifications",
    default_service = "org.freedesktop.Notifications",
    default_path = "/org/freedesktop/Notifications"
)]
trait Notifications {
    #[expect(clippy::too_many_arguments, reason = "the specification's signature")]
    fn notify(
        &self,
        app_name: &str,
        replaces_id: u32,
        app_icon: &str,
        summary: &str,
        body: &str,
        actions: &[&str],
        hints: HashMap<&str, Variant<'_>>,
        expire_timeout: i32,
    ) -> zbus::Result<u32>;

    fn close_notification(&self, id: u32) -> zbus::Result<()>;

    fn get_capabilities(&self) -> zbus::Result<Vec<String>>;

    fn get_server_information(&self) -> zbus::Result<(String, String, String, String)>;
}

/// What comes from the bus.
#[derive(Debug, PartialEq, Eq)]
pub enum FromBus {
    /// A token for the window that the next action opens.
    Token(u32, String),
    /// Somebody pressed.
    Action(u32, String),
    /// A pop-up is gone; why, by the specification's number.
    Closed(u32, u32),
    /// Another server took over, or none is there any more.
    ServerChanged,
    /// The bus itself is gone.
    Lost,
}

/// A connection to the session bus.
pub struct Bus {
    connection: Connection,
    notifications: NotificationsProxy<'static>,
    names: DBusProxy<'static>,
    signals: MessageStream,
    owners: NameOwnerChangedStream,
    /// The server's own name on the bus, while there is a server.
    server: Option<String>,
}

impl Bus {
    /// Connects to the bus at `address`; `None`: the session's.
    pub async fn connect(address: Option<&str>) -> zbus::Result<Self> {
        let builder = match address {
            Some(address) => connection::Builder::address(address),
            None => connection::Builder::session(),
        };
        let connection = builder.method_timeout(METHOD_TIMEOUT).build().await?;
        let names = DBusProxy::new(&connection).await?;
        // Watch before asking, so that no change falls between.
        let owners = names.receive_name_owner_changed_with_args(&[(0, SERVICE)]).await?;
        let rule = MatchRule::builder().msg_type(Type::Signal).interface(SERVICE).build()?;
        let signals = MessageStream::for_match_rule(rule, &connection, None).await?;
        let notifications = NotificationsProxy::new(&connection).await?;
        let mut bus = Self { connection, notifications, names, signals, owners, server: None };
        bus.look_for_server().await;
        Ok(bus)
    }

    /// Tells this bus from others, also of another day.
    pub async fn id(&self) -> String {
        self.names.get_id().await.map(|id| id.to_string()).unwrap_or_default()
    }

    /// The server's own name on the bus, while there is a server.
    pub fn server(&self) -> Option<&str> {
        self.server.as_deref()
    }

    /// Finds out who the server is now.
    pub async fn look_for_server(&mut self) {
        let name = match BusName::try_from(SERVICE) {
            Ok(name) => name,
            Err(_) => return,
        };
        self.server = self.names.get_name_owner(name).await.ok().map(|owner| owner.to_string());
    }

    /// What the server can do. Starts one where the desktop has one to start.
    pub async fn capabilities(&mut self) -> zbus::Result<Capabilities> {
        let names = self.notifications.get_capabilities().await?;
        self.look_for_server().await;
        let (name, vendor, version, _) = self.notifications.get_server_information().await?;
        tracing::info!(name, vendor, version, capabilities = names.join(" "), "Notification server found");
        Ok(Capabilities::of(&names, &name))
    }

    /// Shows `note`, in the place of the pop-up `replaces` (0: as a new one). Returns its id.
    pub async fn notify(&self, note: &Note, replaces: u32, lasting: bool) -> zbus::Result<u32> {
        let hints = HashMap::from([
            ("urgency", Variant::U8(note.urgency)),
            // An action does not remove it: who dropped out of a meeting joins again.
            ("resident", Variant::Bool(lasting)),
            ("transient", Variant::Bool(!lasting)),
            ("desktop-entry", Variant::from(DESKTOP_ENTRY)),
            ("category", Variant::from("x-joinery.meeting")),
        ]);
        let actions: Vec<&str> = note.actions.iter().map(String::as_str).collect();
        // A Join button stays until it is taken away; anything else goes when the server thinks so.
        let expire = if lasting { 0 } else { -1 };
        let (summary, body) = (&note.summary, &note.body);
        self.notifications
            .notify("Joinery", replaces, "x-office-calendar", summary, body, &actions, hints, expire)
            .await
    }

    /// Takes a pop-up away. Whether it was still there is not told by every server, so it is not asked.
    pub async fn close(&self, id: u32) {
        if let Err(error) = self.notifications.close_notification(id).await {
            tracing::debug!(%error, "A pop-up could not be closed; it was gone already");
        }
    }

    /// The next thing that the bus tells. May be dropped while it waits.
    pub async fn next(&mut self) -> FromBus {
        loop {
            let told = tokio::select! {
                // A server's last words before it goes.
                biased;
                signal = self.signals.next() => match signal {
                    Some(Ok(signal)) => self.understand(&signal),
                    Some(Err(_)) => None,
                    None => Some(FromBus::Lost),
                },
                change = self.owners.next() => match change {
                    Some(change) => {
                        let owner = change.args().ok().and_then(|args| args.new_owner().as_ref().map(ToString::to_string));
                        // Our own call may have started it, and told us already.
                        let is_news = owner != self.server;
                        self.server = owner;
                        is_news.then_some(FromBus::ServerChanged)
                    }
                    None => Some(FromBus::Lost),
                },
                () = self.connection.closed() => Some(FromBus::Lost),
            };
            if let Some(told) = told {
                return told;
            }
        }
    }

    /// Reads a signal, if it comes from the server: any program of the session can send one that looks the same.
    fn understand(&self, signal: &Message) -> Option<FromBus> {
        let header = signal.header();
        let sender = header.sender().map(|sender| sender.as_str());
        if sender.is_none() || sender != self.server.as_deref() {
            return None;
        }
        let body = signal.body();
        match header.member()?.as_str() {
            "ActivationToken" => body.deserialize().ok().map(|(id, token)| FromBus::Token(id, token)),
            "ActionInvoked" => body.deserialize().ok().map(|(id, key)| FromBus::Action(id, key)),
            "NotificationClosed" => body.deserialize().ok().map(|(id, reason)| FromBus::Closed(id, reason)),
            _ => None,
        }
    }
}
