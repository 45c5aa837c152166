//! Which request is which, who may send it, and what every Graph request has in common.

use jiff::Timestamp;
use serde_json::Value;

use crate::mailbox::Mailbox;
use crate::preferences::Preferences;
use crate::refusal::Refusal;
use crate::world::{Incoming, Reply, World, header};

mod delta;
mod domains;
mod events;
pub mod token;

/// A path that leads somewhere.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    /// `{tenant}/oauth2/v2.0/token`
    Token {
        /// GUID or domain.
        tenant: String,
    },
    /// `/v1.0/domains`
    Domains,
    /// `…/events`
    Events {
        /// Who.
        mailbox: String,
    },
    /// `…/events/{id}`
    Event {
        /// Who.
        mailbox: String,
        /// Which.
        id: String,
    },
    /// `…/events/{id}/instances`
    Instances {
        /// Who.
        mailbox: String,
        /// Which series.
        id: String,
    },
    /// `…/calendarView`
    View {
        /// Who.
        mailbox: String,
    },
    /// `…/calendarView/delta`
    Delta {
        /// Who.
        mailbox: String,
    },
}

/// What a handler needs besides the world.
pub struct Call<'a> {
    /// The request.
    pub request: &'a Incoming,
    /// When it came.
    pub now: Timestamp,
    /// What it prefers.
    pub preferences: Preferences,
    /// The mailbox, as it stood in the path.
    pub mailbox: &'a str,
}

/// Finds the route of a request.
pub fn parse(request: &Incoming) -> Result<Route, Refusal> {
    let decoded: Option<Vec<String>> = request
        .path
        .trim_start_matches('/')
        .split('/')
        .map(|part| {
            percent_encoding::percent_decode_str(part).decode_utf8().ok().map(|part| part.into_owned())
        })
        .collect();
    let decoded = decoded.unwrap_or_default();
    let mut parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    // `calendar` names the primary calendar, which the shorter paths mean as well.
    if let ["v1.0", "users", _, "calendar", rest, ..] = parts.as_slice()
        && matches!(*rest, "events" | "calendarView")
    {
        parts.remove(3);
    }
    match parts.as_slice() {
        [tenant, "oauth2", "v2.0", "token"] => Ok(Route::Token { tenant: (*tenant).to_owned() }),
        ["v1.0", "domains"] => Ok(Route::Domains),
        ["v1.0", "users", who, rest @ ..] if !who.is_empty() => {
            let mailbox = (*who).to_owned();
            match rest {
                ["events"] => Ok(Route::Events { mailbox }),
                ["events", id] => Ok(Route::Event { mailbox, id: (*id).to_owned() }),
                ["events", id, "instances"] => Ok(Route::Instances { mailbox, id: (*id).to_owned() }),
                ["calendarView"] => Ok(Route::View { mailbox }),
                [
                    "calendarView",
                    "delta" | "delta()" | "microsoft.graph.delta" | "microsoft.graph.delta()",
                ] => Ok(Route::Delta { mailbox }),
                _ => Err(no_segment(rest.last().unwrap_or(who))),
            }
        }
        _ => Err(no_segment(parts.last().unwrap_or(&""))),
    }
}

fn no_segment(segment: &str) -> Refusal {
    Refusal::mistake(400, "BadRequest", format!("Resource not found for the segment '{segment}'."))
}

impl Route {
    /// The mailbox that the path names.
    pub fn mailbox(&self) -> Option<&str> {
        match self {
            Self::Token { .. } | Self::Domains => None,
            Self::Events { mailbox }
            | Self::Event { mailbox, .. }
            | Self::Instances { mailbox, .. }
            | Self::View { mailbox }
            | Self::Delta { mailbox } => Some(mailbox),
        }
    }

    /// What the request counts as.
    pub fn kind(&self, request: &Incoming) -> &'static str {
        match (self, request.method.as_str()) {
            (Self::Token { .. }, _) => "token",
            (Self::Domains, _) => "domains",
            (Self::Events { .. }, "POST") => "event.create",
            (Self::Events { .. }, _) => "events.list",
            (Self::Event { .. }, "PATCH") => "event.update",
            (Self::Event { .. }, "DELETE") => "event.delete",
            (Self::Event { .. }, _) => "event.get",
            (Self::Instances { .. }, _) => "event.instances",
            (Self::View { .. }, _) => "view",
            (Self::Delta { .. }, _) if request.query.contains("$skiptoken") => "delta.next",
            (Self::Delta { .. }, _) if request.query.contains("$deltatoken=") => "delta.since",
            (Self::Delta { .. }, _) => "delta.first",
        }
    }

    fn verbs(&self) -> &'static [&'static str] {
        match self {
            Self::Token { .. } => &["POST"],
            Self::Events { .. } => &["GET", "POST"],
            Self::Event { .. } => &["GET", "PATCH", "DELETE"],
            Self::Domains | Self::Instances { .. } | Self::View { .. } | Self::Delta { .. } => &["GET"],
        }
    }

    /// Permissions any of which allows the request (graph contract, section 2), and the code of the refusal.
    fn permissions(&self, writes: bool) -> (&'static [&'static str], &'static str) {
        match self {
            Self::Domains => (
                &["Domain.Read.All", "Domain.ReadWrite.All", "Directory.Read.All"],
                "Authorization_RequestDenied",
            ),
            Self::Token { .. } => (&[], ""),
            Self::Events { .. }
            | Self::Event { .. }
            | Self::Instances { .. }
            | Self::View { .. }
            | Self::Delta { .. } => (
                if writes { &["Calendars.ReadWrite"] } else { &["Calendars.Read", "Calendars.ReadWrite"] },
                "ErrorAccessDenied",
            ),
        }
    }
}

/// Answers a Graph request.
pub fn answer(
    world: &mut World,
    now: Timestamp,
    request: &Incoming,
    route: &Route,
) -> Result<Reply, Refusal> {
    let roles = world.entra.authorize(now, header(request, "authorization"), &world.graph_url)?;
    if !route.verbs().contains(&request.method.as_str()) {
        let text = format!("The HTTP method '{}' is not allowed on this resource.", request.method);
        return Err(
            Refusal::mistake(405, "Request_BadRequest", text).with_header("allow", route.verbs().join(", "))
        );
    }
    let headers = request.headers.get_all("prefer").iter().map(|value| value.to_str().unwrap_or("?"));
    let preferences = Preferences::parse(headers)?;
    let (allowed, code) = route.permissions(request.method != http::Method::GET);
    if !roles.iter().any(|role| allowed.contains(&role.as_str())) {
        return Err(Refusal::normal(403, code, "Access is denied. Check credentials and try again."));
    }
    if let Some(name) = route.mailbox() {
        let text = format!("The requested user '{name}' is invalid.");
        let mailbox = world.mailbox(name).ok_or_else(|| Refusal::mistake(404, "ErrorInvalidUser", text))?;
        if mailbox.unlicensed {
            let text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
            return Err(Refusal::normal(404, "MailboxNotEnabledForRESTAPI", text));
        }
        if mailbox.denied {
            return Err(Refusal::normal(403, "ErrorAccessDenied", "Access to OData is disabled."));
        }
    }
    let applied = preferences.applied.join(", ");
    let call = Call { request, now, preferences, mailbox: route.mailbox().unwrap_or_default() };
    let mut reply = match (route, request.method.as_str()) {
        (Route::Domains, _) => domains::list(world, &call),
        (Route::Events { .. }, "POST") => events::create(world, &call),
        (Route::Events { .. }, _) => events::list(world, &call),
        (Route::Event { id, .. }, "PATCH") => events::update(world, &call, id),
        (Route::Event { id, .. }, "DELETE") => events::delete(world, &call, id),
        (Route::Event { id, .. }, _) => events::show(world, &call, id),
        (Route::Instances { id, .. }, _) => events::instances(world, &call, id),
        (Route::View { .. }, _) => events::view(world, &call),
        (Route::Delta { .. }, _) => delta::page(world, &call),
        (Route::Token { .. }, _) => Err(no_segment("token")),
    }?;
    if !applied.is_empty() {
        reply.headers.push(("preference-applied", applied));
    }
    Ok(reply)
}

impl Call<'_> {
    /// The mailbox of the path, which is known to exist.
    pub fn of<'w>(&self, world: &'w World) -> Result<&'w Mailbox, Refusal> {
        world.mailbox(self.mailbox).ok_or_else(Refusal::item_gone)
    }

    /// The same, to be changed.
    pub fn of_mut<'w>(&self, world: &'w mut World) -> Result<&'w mut Mailbox, Refusal> {
        world.mailbox_mut(self.mailbox).ok_or_else(Refusal::item_gone)
    }

    /// Refuses every query option.
    pub fn no_options(&self) -> Result<(), Refusal> {
        crate::query::Options::parse(&self.request.query, &[]).map(|_| ())
    }

    /// The JSON body.
    pub fn body(&self) -> Result<Value, Refusal> {
        let kind = header(self.request, "content-type").unwrap_or_default();
        if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
            return Err(Refusal::mistake(
                415,
                "UnsupportedMediaType",
                "A content type of application/json is expected.",
            ));
        }
        serde_json::from_slice(&self.request.body)
            .map_err(|_| Refusal::bad_body("Unable to read JSON request payload."))
    }

    /// An absolute URL of Graph.
    pub fn url(&self, world: &World, path_and_query: &str) -> String {
        format!("{}{path_and_query}", world.graph_url)
    }
}
