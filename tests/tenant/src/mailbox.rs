//! One mailbox: its calendar, the names its items go by, its delta rounds and what an administrator did to it.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::calendar::Calendar;
use crate::delta::Links;
use crate::ids::{self, IdKind, ItemRef, Seed};
use crate::payload::Draft;
use crate::refusal::Refusal;
use crate::series::Entry;

/// What kind of mailbox it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailboxKind {
    /// A person's.
    #[default]
    User,
    /// A room's: it accepts what it is invited to.
    Room,
}

/// One mailbox.
#[derive(Debug)]
pub struct Mailbox {
    /// Mail address and user principal name, as given.
    pub address: String,
    /// Object id of the user.
    pub object_id: String,
    /// Person or room.
    pub kind: MailboxKind,
    /// What it holds.
    pub calendar: Calendar,
    /// Its delta rounds.
    pub links: Links,
    /// An access policy keeps the application out: 403.
    pub denied: bool,
    /// It has no licence (any more): 404.
    pub unlicensed: bool,
    seed: Seed,
    numbers: HashMap<String, u64>,
}

impl Mailbox {
    /// An empty mailbox. Everything opaque in it follows from `seed`.
    pub fn new(address: &str, kind: MailboxKind, seed: Seed) -> Self {
        Self {
            address: address.to_owned(),
            object_id: crate::entra::guid(seed),
            kind,
            calendar: Calendar::default(),
            links: Links::new(seed),
            denied: false,
            unlicensed: false,
            seed,
            numbers: HashMap::new(),
        }
    }

    /// What ids follow from.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// Adds an event. A `transactionId` that was seen before leads to the event of then, as a repeated request should.
    pub fn create(&mut self, now: Timestamp, mut draft: Draft) -> Result<ItemRef, Refusal> {
        let repeated = |entry: &&Entry| entry.transaction == draft.transaction;
        if draft.transaction.is_some()
            && let Some(entry) = self.calendar.entries().find(repeated)
        {
            return Ok(ItemRef::whole(entry.number));
        }
        self.complete_online_meeting(&mut draft);
        let item = self.calendar.create(now, draft.content, draft.recurrence.as_ref(), draft.transaction)?;
        for kind in [IdKind::Regular, IdKind::Immutable] {
            self.numbers.insert(ids::stem(&self.seed, item.number, kind), item.number);
        }
        Ok(item)
    }

    /// The item of an id of either kind. An id that no mailbox gives is the client's mistake, one that leads nowhere
    /// is not: the item may have been there.
    pub fn find(&self, id: &str) -> Result<ItemRef, Refusal> {
        let malformed = || Refusal::mistake(400, "ErrorInvalidIdMalformed", "Id is malformed.");
        let (stem, date) = ids::parse(id).ok_or_else(malformed)?;
        let number = *self.numbers.get(stem).ok_or_else(Refusal::item_gone)?;
        let item = ItemRef { number, date };
        if self.calendar.holds(item) { Ok(item) } else { Err(Refusal::item_gone()) }
    }

    /// The id that a client sees.
    pub fn id(&self, item: ItemRef, kind: IdKind) -> String {
        ids::id(&self.seed, item, kind)
    }

    /// `changeKey` of the item as it is.
    pub fn change_key(&self, item: ItemRef) -> String {
        let entry = self.calendar.entry(item.number);
        let exception = item.date.and_then(|date| entry?.exception(date));
        let whole = entry.map_or(0, |entry| entry.version);
        ids::change_key(&self.seed, exception.map_or(whole, |exception| exception.version.max(whole)))
    }

    /// `isOnlineMeeting` with Teams as the provider makes a meeting with a link.
    fn complete_online_meeting(&self, draft: &mut Draft) {
        let properties = &mut draft.content.properties;
        let asked = properties.get("isOnlineMeeting") == Some(&json!(true));
        let given = properties.get("onlineMeeting").is_some_and(|meeting| !meeting.is_null());
        if asked && !given {
            let room = ids::token(&self.seed, self.calendar.version().wrapping_add(1 << 40));
            let room = room.trim_end_matches("%3d");
            let url = format!(
                "https://teams.microsoft.com/l/meetup-join/19%3ameeting_{room}%40thread.v2/0?context=%7b%22Tid%22%3a%22{0}%22%2c%22Oid%22%3a%22{0}%22%7d",
                self.object_id
            );
            properties.insert("onlineMeetingProvider".to_owned(), json!("teamsForBusiness"));
            properties.insert("onlineMeeting".to_owned(), online_meeting(&url));
        }
    }
}

/// Graph's `onlineMeeting` of a join link.
pub fn online_meeting(url: &str) -> Value {
    json!({ "joinUrl": url })
}
