//! The devices in memory: who may come, who is here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use joinery_model::{DeviceId, MailboxId, Revision};
use joinery_transport::GoodbyeReason;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::records::DeviceRecord;

/// What a device's session told last. Nothing of it is kept over a restart.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Version of the agent.
    pub agent_version: String,
    /// Drivers that are on.
    pub drivers: Vec<String>,
    /// Newest revision that is durable on the device.
    pub acknowledged: Option<Revision>,
    /// Join buttons that it shows.
    pub shown: usize,
    /// Meetings that it lists.
    pub listed: u32,
    /// How far the device's clock is ahead of ours, in seconds.
    pub clock_ahead_s: i64,
    /// The revision that it could not take whole, and why, by code.
    pub problem: Option<(Revision, String)>,
}

impl Seen {
    /// A revision is durable on the device. One that it could not take whole is so as well, and stays a problem until a
    /// newer one came.
    pub fn acknowledge(&mut self, revision: Revision) {
        self.acknowledged = Some(revision);
        self.problem.take_if(|(refused, _)| *refused < revision);
    }
}

#[derive(Debug)]
struct Slot {
    record: DeviceRecord,
    /// End of its last session, newer than what its record may say: see [`Registry::unsaved`].
    left: Option<Timestamp>,
    seen: Seen,
    /// Tells the session that is here to end, and why.
    session: Option<(u64, watch::Sender<Option<GoodbyeReason>>)>,
}

impl Slot {
    fn record(&self) -> DeviceRecord {
        DeviceRecord { last_seen: self.left.max(self.record.last_seen), ..self.record.clone() }
    }
}

/// All registered devices, revoked ones too.
#[derive(Debug, Default)]
pub struct Registry {
    /// Held by whoever writes records of mailboxes, devices or invitations: what is written follows from what is there,
    /// so two devices cannot both use one code, a change cannot undo a revocation, and nothing comes back after its
    /// mailbox was removed.
    pub changes: tokio::sync::Mutex<()>,
    slots: Mutex<BTreeMap<DeviceId, Slot>>,
    last_session: Mutex<u64>,
}

/// A session's place in the registry, given back when dropped: however the session ends.
#[derive(Debug)]
pub struct Seat<'a> {
    registry: &'a Registry,
    device: DeviceId,
    number: u64,
    /// Becomes `Some` when the session must end.
    pub end: watch::Receiver<Option<GoodbyeReason>>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut slots = self.registry.slots.lock();
        let Some(slot) = slots.get_mut(&self.device) else { return };
        // A session that was replaced has another on its place.
        if slot.session.as_ref().is_some_and(|(number, _)| *number == self.number) {
            slot.session = None;
            slot.left = Some(joinery_daemon::now());
        }
    }
}

impl Registry {
    /// Takes a device in, or its changed record.
    pub fn put(&self, record: DeviceRecord) {
        let mut slots = self.slots.lock();
        let id = record.id;
        match slots.get_mut(&id) {
            Some(slot) => slot.record = record,
            None => {
                slots.insert(id, Slot { record, left: None, seen: Seen::default(), session: None });
            }
        }
    }

    /// A device's record, if it may come in.
    pub fn active(&self, id: DeviceId) -> Option<DeviceRecord> {
        self.record(id).filter(|record| record.revoked.is_none())
    }

    /// A device's record, revoked or not.
    pub fn record(&self, id: DeviceId) -> Option<DeviceRecord> {
        self.slots.lock().get(&id).map(Slot::record)
    }

    /// All devices with what is known of them and whether they are here, ordered by name.
    pub fn all(&self) -> Vec<(DeviceRecord, Seen, bool)> {
        let slots = self.slots.lock();
        let mut all: Vec<_> =
            slots.values().map(|slot| (slot.record(), slot.seen.clone(), slot.session.is_some())).collect();
        all.sort_by(|(a, ..), (b, ..)| (&a.name, a.id).cmp(&(&b.name, b.id)));
        all
    }

    /// Seats a session; an older one of the same device is told to go. `None`: the device may not come in.
    pub fn enter(&self, id: DeviceId, seen: Seen) -> Option<(DeviceRecord, Seat<'_>)> {
        let mut slots = self.slots.lock();
        let slot = slots.get_mut(&id).filter(|slot| slot.record.revoked.is_none())?;
        let number = {
            let mut last = self.last_session.lock();
            *last = last.wrapping_add(1);
            *last
        };
        let (tell, end) = watch::channel(None);
        if let Some((_, older)) = slot.session.replace((number, tell)) {
            older.send_replace(Some(GoodbyeReason::Replaced));
        }
        let known = std::mem::take(&mut slot.seen);
        slot.seen = Seen { acknowledged: known.acknowledged, problem: known.problem, ..seen };
        Some((slot.record(), Seat { registry: self, device: id, number, end }))
    }

    /// Changes what is known of a device's session.
    pub fn note(&self, id: DeviceId, change: impl FnOnce(&mut Seen)) {
        if let Some(slot) = self.slots.lock().get_mut(&id) {
            change(&mut slot.seen);
        }
    }

    /// Records that say when a device was last seen and are not stored like that yet. That is written now and then for
    /// all of them, not at the end of each session: a thousand may end in the same second.
    pub fn unsaved(&self) -> Vec<DeviceRecord> {
        self.slots
            .lock()
            .values()
            .filter(|slot| slot.left > slot.record.last_seen)
            .map(Slot::record)
            .collect()
    }

    /// Ends a device's session.
    pub fn dismiss(&self, id: DeviceId, reason: GoodbyeReason) {
        if let Some((_, session)) = self.slots.lock().get(&id).and_then(|slot| slot.session.as_ref()) {
            session.send_replace(Some(reason));
        }
    }

    /// Lets the devices of a mailbox go for good.
    pub fn forget_mailbox(&self, mailbox: MailboxId) {
        self.slots.lock().retain(|_, slot| {
            let stays = slot.record.mailbox != mailbox;
            if let Some((_, session)) = slot.session.as_ref().filter(|_| !stays) {
                session.send_replace(Some(GoodbyeReason::Revoked));
            }
            stays
        });
    }

    /// Ends every session, at shutdown.
    pub fn dismiss_all(&self, reason: GoodbyeReason) {
        for slot in self.slots.lock().values() {
            if let Some((_, session)) = &slot.session {
                session.send_replace(Some(reason));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use joinery_model::DeviceKind;

    fn device(n: u8) -> DeviceRecord {
        DeviceRecord {
            id: DeviceId::from_bytes([n; 16]),
            name: format!("Device {n}"),
            kind: DeviceKind::Room,
            mailbox: MailboxId::from_bytes([1; 16]),
            hpke: vec![7; 32],
            enrolled: Timestamp::UNIX_EPOCH,
            certificate_until: Timestamp::UNIX_EPOCH,
            revoked: None,
            last_seen: None,
        }
    }

    fn told(seat: &Seat<'_>) -> Option<GoodbyeReason> {
        *seat.end.borrow()
    }

    #[test]
    fn a_newer_session_replaces_the_older() {
        let registry = Registry::default();
        registry.put(device(1));
        let (_, older) = registry.enter(device(1).id, Seen::default()).unwrap();
        let (_, newer) = registry.enter(device(1).id, Seen::default()).unwrap();
        assert_eq!((told(&older), told(&newer)), (Some(GoodbyeReason::Replaced), None));
        drop(older);
        assert!(registry.all()[0].2 && registry.unsaved().is_empty());
        drop(newer);
        assert!(!registry.all()[0].2);
        assert!(registry.unsaved()[0].last_seen.is_some());
        registry.put(registry.unsaved().remove(0));
        assert!(registry.unsaved().is_empty());
    }

    #[test]
    fn what_a_device_could_not_take_is_told_until_something_newer_came() {
        let mut seen = Seen { problem: Some((Revision(6), "unreadable".to_owned())), ..Seen::default() };
        seen.acknowledge(Revision(6));
        assert!(seen.problem.is_some());
        seen.acknowledge(Revision(7));
        assert_eq!((seen.problem, seen.acknowledged), (None, Some(Revision(7))));
    }

    #[test]
    fn a_revoked_device_is_told_to_go_and_does_not_come_back() {
        let registry = Registry::default();
        registry.put(device(1));
        let (_, seat) = registry.enter(device(1).id, Seen::default()).unwrap();
        registry.put(DeviceRecord { revoked: Some(Timestamp::UNIX_EPOCH), ..device(1) });
        registry.dismiss(device(1).id, GoodbyeReason::Revoked);
        assert_eq!(told(&seat), Some(GoodbyeReason::Revoked));
        assert!(registry.active(device(1).id).is_none());
        assert!(registry.enter(device(1).id, Seen::default()).is_none());
        assert!(registry.enter(device(2).id, Seen::default()).is_none());
    }

    #[test]
    fn the_devices_of_a_removed_mailbox_go() {
        let registry = Registry::default();
        registry.put(device(1));
        let (_, seat) = registry.enter(device(1).id, Seen::default()).unwrap();
        registry.forget_mailbox(MailboxId::from_bytes([2; 16]));
        assert_eq!((registry.all().len(), told(&seat)), (1, None));
        registry.forget_mailbox(MailboxId::from_bytes([1; 16]));
        assert_eq!(told(&seat), Some(GoodbyeReason::Revoked));
        assert!(registry.all().is_empty());
    }
}
