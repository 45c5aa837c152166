//! What can be asked of Graph.

use std::collections::BTreeMap;
use std::sync::Arc;

use joinery_calendar_sync::{DeltaLink, Item, Link, NextLink, Page, PageOutcome, PageRequest, Window};
use joinery_model::{Event, EventId, MailboxAddress};
use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, AUTHORIZATION};
use serde_json::Value;
use tokio::task::JoinSet;
use url::Url;

use crate::endpoints::Endpoints;
use crate::exchange::{Answer, Exchange};
use crate::refusal::is_forgotten;
use crate::token::Tokens;
use crate::wire::ListBody;
use crate::{
    EventPatch, GraphError, GraphSettings, NewEvent, OddEvent, Operation, Refusal, RefusalKind, tls,
    translate,
};

/// Entries that are asked for on a delta page (`odata.maxpagesize`); Graph may give fewer.
pub const PAGE_SIZE: u32 = 50;
/// Pages of a plain list before it counts as endless.
const MAX_LIST_PAGES: usize = 200;
/// Requests to one mailbox at a time: Graph's limit per application and mailbox.
const MAILBOX_REQUESTS: usize = 4;
/// Ids that stay the same while an event is moved between folders.
const IMMUTABLE_IDS: &str = r#"IdType="ImmutableId""#;

/// One application in one tenant. Cheap to clone; all clones share connections and the token.
#[derive(Clone)]
pub struct Graph {
    inner: Arc<Inner>,
}

struct Inner {
    exchange: Exchange,
    endpoints: Endpoints,
    tokens: Tokens,
}

impl Graph {
    /// Reads `ca_file` and prepares the connection; nothing is sent.
    ///
    /// # Errors
    /// An address that is not https, an unreadable `ca_file`, or nobody to trust.
    pub fn new(settings: GraphSettings) -> Result<Self, GraphError> {
        let endpoints = Endpoints::new(&settings)?;
        let exchange = Exchange::new(tls::client_config(settings.ca_file.as_deref())?)?;
        let tokens = Tokens::new(&settings);
        Ok(Self { inner: Arc::new(Inner { exchange, endpoints, tokens }) })
    }

    /// Makes sure that there is a token, asking Entra for one if need be.
    ///
    /// # Errors
    /// An unreadable secret file, an Entra that cannot be reached, or its refusal.
    pub async fn authenticate(&self) -> Result<(), GraphError> {
        self.inner.tokens.token(&self.inner.exchange, &self.inner.endpoints).await.map(drop)
    }

    /// One page of `calendarView/delta`. Entries that cannot be understood are counted, and named as removed where they
    /// have an id: what is not understood is not shown.
    ///
    /// # Errors
    /// Any [`GraphError`]; a forgotten link is none, it is [`PageOutcome::Gone`].
    pub async fn page(
        &self,
        mailbox: &MailboxAddress,
        request: &PageRequest,
    ) -> Result<PageOutcome, GraphError> {
        let endpoints = &self.inner.endpoints;
        let url = match request {
            PageRequest::First(window) => endpoints.delta(mailbox, window),
            PageRequest::Next(link) => endpoints.link(link.as_str()).ok_or(GraphError::ForeignLink)?,
            PageRequest::Delta(link) => match endpoints.link(link.as_str()) {
                Some(url) => url,
                // It was kept from before graph_url was changed: the new server does not know it.
                None => return Ok(PageOutcome::Gone),
            },
        };
        let answer = self.delta_answer(&url).await?;
        if is_forgotten(&answer) {
            return Ok(PageOutcome::Gone);
        }
        let list: ListBody = accept(&answer, Operation::ReadCalendar)?.json("a page of a calendar")?;
        let link = match (list.next_link, list.delta_link) {
            (Some(next), None) => Link::Next(NextLink::new(next)),
            (None, Some(delta)) => Link::Delta(DeltaLink::new(delta)),
            (Some(_), Some(_)) | (None, None) => return Err(answer.malformed("a page of a calendar")),
        };
        let address = match &link {
            Link::Next(link) => link.as_str(),
            Link::Delta(link) => link.as_str(),
        };
        endpoints.link(address).ok_or(GraphError::ForeignLink)?;
        let (items, skipped) = understood(list.value);
        if skipped > 0 {
            tracing::warn!(skipped, "Calendar entries from Graph could not be understood and were left out");
        }
        Ok(PageOutcome::Page(Page { items, link, skipped }))
    }

    /// One event; `None` if there is none of that id.
    ///
    /// # Errors
    /// Any [`GraphError`].
    pub async fn event(&self, mailbox: &MailboxAddress, id: &EventId) -> Result<Option<Event>, GraphError> {
        let url = self.inner.endpoints.event(mailbox, id);
        let answer = self.send(|client| client.get(url.clone()).header("Prefer", IMMUTABLE_IDS)).await?;
        match accept(&answer, Operation::ReadEvent) {
            Ok(answer) => Ok(Some(translate::event(answer.json("an event")?)?)),
            Err(refusal) if refusal.kind == RefusalKind::NotFound => Ok(None),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// The series masters that a round asks for, a few at a time. `None` stands for one that does not exist any more or
    /// cannot be understood.
    ///
    /// # Errors
    /// Any [`GraphError`]; then nothing of the others is told.
    pub async fn series(
        &self,
        mailbox: &MailboxAddress,
        ids: &[EventId],
    ) -> Result<BTreeMap<EventId, Option<Event>>, GraphError> {
        let mut answers = BTreeMap::new();
        let mut waiting = ids.iter().cloned();
        let mut asking = JoinSet::new();
        let mut ask = |asking: &mut JoinSet<_>| {
            let Some(id) = waiting.next() else { return };
            let (graph, mailbox) = (self.clone(), mailbox.clone());
            asking.spawn(async move {
                let answer = graph.event(&mailbox, &id).await;
                (id, answer)
            });
        };
        (0..MAILBOX_REQUESTS).for_each(|_| ask(&mut asking));
        while let Some(done) = asking.join_next().await {
            let (id, answer) = done.map_err(|error| GraphError::Setup { problem: error.to_string() })?;
            let master = match answer {
                Err(GraphError::OddEvent(_)) => {
                    tracing::warn!(
                        skipped = 1,
                        "A series from Graph could not be understood and was left out"
                    );
                    None
                }
                other => other?,
            };
            answers.insert(id, master);
            ask(&mut asking);
        }
        Ok(answers)
    }

    /// The single events and series masters of the mailbox's calendar, at most `limit`. Those that cannot be understood
    /// are left out.
    ///
    /// # Errors
    /// Any [`GraphError`].
    pub async fn events(&self, mailbox: &MailboxAddress, limit: usize) -> Result<Vec<Event>, GraphError> {
        let mut first = self.inner.endpoints.events(mailbox);
        first.set_query(Some(&format!("$top={}", limit.clamp(1, 100))));
        self.list(first, Some(IMMUTABLE_IDS), Operation::ListEvents, limit).await.map(whole_events)
    }

    /// The occurrences and exceptions of a series that touch `window`. Those that cannot be understood are left out.
    ///
    /// # Errors
    /// Any [`GraphError`].
    pub async fn instances(
        &self,
        mailbox: &MailboxAddress,
        master: &EventId,
        window: &Window,
    ) -> Result<Vec<Event>, GraphError> {
        let first = self.inner.endpoints.instances(mailbox, master, window);
        self.list(first, Some(IMMUTABLE_IDS), Operation::ListInstances, usize::MAX).await.map(whole_events)
    }

    /// Creates an event and gives it back as Graph keeps it.
    ///
    /// # Errors
    /// Any [`GraphError`].
    pub async fn create_event(
        &self,
        mailbox: &MailboxAddress,
        event: &NewEvent,
    ) -> Result<Event, GraphError> {
        let url = self.inner.endpoints.events(mailbox);
        let body = event.to_json();
        let answer =
            self.send(|client| client.post(url.clone()).header("Prefer", IMMUTABLE_IDS).json(&body)).await?;
        Ok(translate::event(accept(&answer, Operation::CreateEvent)?.json("an event")?)?)
    }

    /// Changes an event and gives it back as Graph keeps it.
    ///
    /// # Errors
    /// Any [`GraphError`].
    pub async fn update_event(
        &self,
        mailbox: &MailboxAddress,
        id: &EventId,
        patch: &EventPatch,
    ) -> Result<Event, GraphError> {
        let url = self.inner.endpoints.event(mailbox, id);
        let body = patch.to_json();
        let answer =
            self.send(|client| client.patch(url.clone()).header("Prefer", IMMUTABLE_IDS).json(&body)).await?;
        Ok(translate::event(accept(&answer, Operation::ChangeEvent)?.json("an event")?)?)
    }

    /// Deletes an event; `false` if there was none of that id.
    ///
    /// # Errors
    /// Any [`GraphError`].
    pub async fn delete_event(&self, mailbox: &MailboxAddress, id: &EventId) -> Result<bool, GraphError> {
        let url = self.inner.endpoints.event(mailbox, id);
        let answer = self.send(|client| client.delete(url.clone()).header("Prefer", IMMUTABLE_IDS)).await?;
        match accept(&answer, Operation::DeleteEvent) {
            Ok(_) => Ok(true),
            Err(refusal) if refusal.kind == RefusalKind::NotFound => Ok(false),
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// The domains of the tenant, in lower case: which mailbox addresses belong to it.
    ///
    /// # Errors
    /// Any [`GraphError`].
    pub async fn domains(&self) -> Result<Vec<String>, GraphError> {
        let domains =
            self.list(self.inner.endpoints.domains(), None, Operation::ListDomains, usize::MAX).await?;
        let names = domains.iter().filter_map(|domain| domain.get("id").and_then(Value::as_str));
        Ok(names.map(str::to_lowercase).collect())
    }

    /// A page of a delta round, of fewer entries if those of a usual page are too large together: long invitations must
    /// not keep a mailbox from being read.
    async fn delta_answer(&self, url: &Url) -> Result<Answer, GraphError> {
        for size in [PAGE_SIZE, PAGE_SIZE / 10] {
            match self.delta_answer_of(url, size).await {
                Err(GraphError::TooLarge { .. }) => tracing::debug!(size, "A calendar page was too large"),
                other => return other,
            }
        }
        self.delta_answer_of(url, 1).await
    }

    async fn delta_answer_of(&self, url: &Url, size: u32) -> Result<Answer, GraphError> {
        let prefer = format!("{IMMUTABLE_IDS}, odata.maxpagesize={size}");
        self.send(|client| client.get(url.clone()).header("Prefer", &prefer)).await
    }

    /// All entries of a plain list, at most `limit`, following its next links.
    async fn list(
        &self,
        first: Url,
        prefer: Option<&str>,
        operation: Operation,
        limit: usize,
    ) -> Result<Vec<Value>, GraphError> {
        let mut entries = Vec::new();
        let mut url = first;
        for _ in 0..MAX_LIST_PAGES {
            let build = |client: &reqwest::Client| {
                let request = client.get(url.clone());
                match prefer {
                    Some(prefer) => request.header("Prefer", prefer),
                    None => request,
                }
            };
            let answer = self.send(build).await?;
            let list: ListBody = accept(&answer, operation)?.json("a list")?;
            entries.extend(list.value);
            entries.truncate(limit);
            let Some(next) = list.next_link.filter(|_| entries.len() < limit) else {
                return Ok(entries);
            };
            url = self.inner.endpoints.link(&next).ok_or(GraphError::ForeignLink)?;
        }
        Err(GraphError::Malformed { host: host(&url), expected: "a list that ends", request_id: None })
    }

    /// Sends a request with the token, once more with a new one if Graph no longer accepts the first.
    async fn send(&self, build: impl Fn(&reqwest::Client) -> RequestBuilder) -> Result<Answer, GraphError> {
        let Inner { exchange, endpoints, tokens } = &*self.inner;
        let attempt = async || {
            let token = tokens.token(exchange, endpoints).await?;
            let request = build(&exchange.client)
                .header(AUTHORIZATION, token.header())
                .header(ACCEPT, "application/json")
                .header("client-request-id", uuid::Uuid::new_v4().to_string());
            exchange.send(request).await.map(|answer| (answer, token))
        };
        let (answer, token) = attempt().await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        tokens.forget(&token);
        attempt().await.map(|(answer, _)| answer)
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Graph(..)")
    }
}

/// The answer itself if it is a success.
fn accept(answer: &Answer, operation: Operation) -> Result<&Answer, Refusal> {
    if answer.is_success() { Ok(answer) } else { Err(Refusal::of(operation, answer)) }
}

/// A page's entries as far as they can be understood, and how many cannot.
fn understood(entries: Vec<Value>) -> (Vec<Item>, u32) {
    let mut skipped = 0_u32;
    let mut items = Vec::with_capacity(entries.len());
    for entry in entries {
        match translate::item(entry) {
            Ok(item) => items.push(item),
            Err((id, _)) => {
                skipped = skipped.saturating_add(1);
                items.extend(id.map(Item::Removed));
            }
        }
    }
    (items, skipped)
}

fn whole_events(entries: Vec<Value>) -> Vec<Event> {
    let events: Vec<Result<Event, OddEvent>> = entries.into_iter().map(translate::event).collect();
    let skipped = events.iter().filter(|event| event.is_err()).count();
    if skipped > 0 {
        tracing::warn!(skipped, "Events from Graph could not be understood and were left out");
    }
    events.into_iter().flatten().collect()
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}
