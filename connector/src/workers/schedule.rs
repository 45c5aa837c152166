//! Which mailbox is read next. Pure: `now` is an argument.

use std::collections::BTreeMap;
use std::time::Instant;

use joinery_model::MailboxId;

#[derive(Debug)]
struct Entry {
    due: Instant,
    running: bool,
    /// Something said that the mailbox may have changed while it was being read: read it once more at once.
    nudged: bool,
}

/// Every mailbox and when it is due. The most overdue goes first, so none is starved.
#[derive(Debug)]
pub struct Schedule {
    entries: BTreeMap<MailboxId, Entry>,
    limit: usize,
}

impl Schedule {
    /// At most `limit` mailboxes are read at once.
    pub fn new(limit: usize) -> Self {
        Self { entries: BTreeMap::new(), limit }
    }

    /// Takes a mailbox in; it is due at `due`. One that is known keeps its place.
    pub fn add(&mut self, mailbox: MailboxId, due: Instant) {
        self.entries.entry(mailbox).or_insert(Entry { due, running: false, nudged: false });
    }

    /// Lets a mailbox go.
    pub fn remove(&mut self, mailbox: MailboxId) {
        self.entries.remove(&mailbox);
    }

    /// The mailbox may have changed.
    pub fn nudge(&mut self, mailbox: MailboxId, now: Instant) {
        if let Some(entry) = self.entries.get_mut(&mailbox) {
            entry.nudged = entry.running;
            entry.due = entry.due.min(now);
        }
    }

    /// The next mailbox to read now, marked as being read; `None`: none is due or enough are being read.
    pub fn start(&mut self, now: Instant) -> Option<MailboxId> {
        if self.running() >= self.limit {
            return None;
        }
        let idle = self.entries.iter_mut().filter(|(_, entry)| !entry.running && entry.due <= now);
        let (mailbox, entry) = idle.min_by_key(|(_, entry)| entry.due)?;
        entry.running = true;
        entry.nudged = false;
        Some(*mailbox)
    }

    /// A mailbox was read; it is due again at `due`, or at once if it was nudged meanwhile.
    pub fn finished(&mut self, mailbox: MailboxId, now: Instant, due: Instant) {
        if let Some(entry) = self.entries.get_mut(&mailbox) {
            entry.running = false;
            entry.due = if entry.nudged { now } else { due };
        }
    }

    /// When `start` may have something to give, if nothing else happens before.
    pub fn next_wake(&self) -> Option<Instant> {
        if self.running() >= self.limit {
            return None;
        }
        self.entries.values().filter(|entry| !entry.running).map(|entry| entry.due).min()
    }

    fn running(&self) -> usize {
        self.entries.values().filter(|entry| entry.running).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn id(n: u8) -> MailboxId {
        MailboxId::from_bytes([n; 16])
    }

    #[test]
    fn the_most_overdue_goes_first_and_the_limit_holds() {
        let t = Instant::now();
        let at = |s| t + Duration::from_secs(s);
        let mut schedule = Schedule::new(2);
        schedule.add(id(1), at(2));
        schedule.add(id(2), at(1));
        schedule.add(id(3), at(3));
        assert_eq!(schedule.start(at(0)), None);
        assert_eq!(schedule.next_wake(), Some(at(1)));
        assert_eq!(schedule.start(at(9)), Some(id(2)));
        assert_eq!(schedule.start(at(9)), Some(id(1)));
        assert_eq!((schedule.start(at(9)), schedule.next_wake()), (None, None));
        schedule.finished(id(2), at(10), at(70));
        assert_eq!(schedule.start(at(10)), Some(id(3)));
    }

    #[test]
    fn a_nudge_while_reading_leads_to_one_more_reading() {
        let t = Instant::now();
        let later = t + Duration::from_secs(60);
        let mut schedule = Schedule::new(1);
        schedule.add(id(1), t);
        assert_eq!(schedule.start(t), Some(id(1)));
        schedule.nudge(id(1), t);
        schedule.nudge(id(1), t);
        assert_eq!(schedule.start(t), None);
        schedule.finished(id(1), t, later);
        assert_eq!(schedule.start(t), Some(id(1)));
        schedule.finished(id(1), t, later);
        assert_eq!((schedule.start(t), schedule.next_wake()), (None, Some(later)));
        schedule.nudge(id(1), t);
        assert_eq!(schedule.start(t), Some(id(1)));
    }

    #[test]
    fn a_mailbox_that_left_does_not_come_back() {
        let t = Instant::now();
        let mut schedule = Schedule::new(1);
        schedule.add(id(1), t);
        assert_eq!(schedule.start(t), Some(id(1)));
        schedule.remove(id(1));
        schedule.finished(id(1), t, t);
        schedule.nudge(id(1), t);
        assert_eq!(schedule.start(t), None);
    }
}
