//! The changes that a test makes to calendars, the same for the library and the control interface.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::TenantError;
use crate::event::{Patch, Window};
use crate::ids::{IdKind, ItemRef};
use crate::mailbox::{Mailbox, MailboxKind};
use crate::meeting::{NewMeeting, Response, response_status, times};
use crate::payload;
use crate::refusal::Refusal;
use crate::serve::{SharedWorld, lock, random};

/// A change that was made, and when: the beginning of every measured way to a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The event's id as clients see it by default.
    pub id: String,
    /// The event's id as clients see it that prefer immutable ids.
    pub immutable_id: String,
    /// The instant from which on Graph reports the change.
    pub at: Timestamp,
}

impl Change {
    /// The change of `item`, made at `at`.
    pub(crate) fn of(mailbox: &Mailbox, item: ItemRef, at: Timestamp) -> Self {
        Self { id: mailbox.id(item, IdKind::Regular), immutable_id: mailbox.id(item, IdKind::Immutable), at }
    }
}

/// Properties that no client can write, but the other side of a meeting can.
const SERVER_SIDE: [&str; 5] = ["isCancelled", "isOrganizer", "onlineMeeting", "organizer", "responseStatus"];

/// The calendars of a tenant, to be changed from the server's side.
pub(crate) struct Calendars<'a>(pub &'a SharedWorld);

impl Calendars<'_> {
    pub fn add_mailbox(&self, address: &str, kind: MailboxKind) -> Result<(), TenantError> {
        lock(self.0).add_mailbox(address, kind, random()?);
        Ok(())
    }

    pub fn create(&self, address: &str, meeting: &NewMeeting) -> Result<Change, TenantError> {
        let mut world = lock(self.0);
        let mailbox = world.mailbox_mut(address).ok_or(TenantError::UnknownMailbox)?;
        let draft = meeting.draft(&mailbox.address, mailbox.kind)?;
        let now = Timestamp::now();
        let item = mailbox.create(now, draft)?;
        Ok(Change::of(mailbox, item, now))
    }

    pub fn reschedule(
        &self,
        address: &str,
        id: &str,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Change, TenantError> {
        self.edit(address, id, |mailbox, item, _| {
            let entry = mailbox.calendar.entry(item.number).ok_or_else(Refusal::item_gone)?;
            let content = item.date.map_or_else(|| entry.content.clone(), |date| entry.occurrence(date));
            let (start, end) = times(start, end, &content.start.zone, content.all_day);
            Ok(Patch { start: Some(start), end: Some(end), ..Patch::default() })
        })
    }

    pub fn update(&self, address: &str, id: &str, patch: &Value) -> Result<Change, TenantError> {
        let mut changes = payload::patch(patch)?;
        let given = patch.as_object().into_iter().flatten();
        let own = given.filter(|(name, _)| SERVER_SIDE.contains(&name.as_str()));
        changes.properties.extend(own.map(|(name, value)| (name.clone(), value.clone())));
        self.edit(address, id, |_, _, _| Ok(changes))
    }

    pub fn cancel(&self, address: &str, id: &str) -> Result<Change, TenantError> {
        self.edit(address, id, |mailbox, item, _| {
            let entry = mailbox.calendar.entry(item.number).ok_or_else(Refusal::item_gone)?;
            let content = item.date.map_or_else(|| entry.content.clone(), |date| entry.occurrence(date));
            let subject = content.properties.get("subject").and_then(Value::as_str).unwrap_or_default();
            Ok(properties([
                ("isCancelled", json!(true)),
                ("showAs", json!("free")),
                ("subject", json!(format!("Canceled: {subject}"))),
            ]))
        })
    }

    pub fn respond(&self, address: &str, id: &str, response: Response) -> Result<Change, TenantError> {
        self.edit(address, id, |_, _, now| {
            Ok(properties([("responseStatus", response_status(response, Some(now)))]))
        })
    }

    pub fn delete(&self, address: &str, id: &str) -> Result<Change, TenantError> {
        let mut world = lock(self.0);
        let mailbox = world.mailbox_mut(address).ok_or(TenantError::UnknownMailbox)?;
        let item = mailbox.find(id)?;
        let now = Timestamp::now();
        mailbox.calendar.delete(now, item)?;
        Ok(Change::of(mailbox, item, now))
    }

    pub fn view(&self, address: &str, start: Timestamp, end: Timestamp) -> Result<Vec<String>, TenantError> {
        let world = lock(self.0);
        let mailbox = world.mailbox(address).ok_or(TenantError::UnknownMailbox)?;
        let mut items: Vec<(Timestamp, ItemRef)> = Vec::new();
        for item in mailbox.calendar.in_window(&Window { start, end }) {
            if let Some(entry) = mailbox.calendar.entry(item.number) {
                let content = item.date.map_or_else(|| entry.content.clone(), |date| entry.occurrence(date));
                items.push((content.span().0, item));
            }
        }
        items.sort();
        Ok(items.into_iter().map(|(_, item)| mailbox.id(item, IdKind::Regular)).collect())
    }

    fn edit(
        &self,
        address: &str,
        id: &str,
        patch: impl FnOnce(&Mailbox, ItemRef, Timestamp) -> Result<Patch, Refusal>,
    ) -> Result<Change, TenantError> {
        let mut world = lock(self.0);
        let mailbox = world.mailbox_mut(address).ok_or(TenantError::UnknownMailbox)?;
        let item = mailbox.find(id)?;
        let now = Timestamp::now();
        let patch = patch(mailbox, item, now)?;
        mailbox.calendar.change(now, item, &patch)?;
        Ok(Change::of(mailbox, item, now))
    }
}

fn properties<const N: usize>(pairs: [(&str, Value); N]) -> Patch {
    Patch {
        properties: pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        ..Patch::default()
    }
}
