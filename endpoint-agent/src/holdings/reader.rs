//! Opens sealed rows with this device's grants, each only once.

use std::collections::{BTreeMap, BTreeSet};

use joinery_model::{DeviceId, Epoch, MailboxAddress, MailboxId, Meeting, Revision, RowId};
use joinery_seal::{
    ContentKey, DeviceSecret, GrantBinding, KeyBinding, RowBinding, RowKind, SealedRow, accept_grant, open,
};

use super::ledger::{Held, HeldGrant, Ledger};

/// How many bytes of a sealed row tell it from any other: version, epoch and nonce.
const MARK: usize = 17;

/// What was read, and what could not be.
#[derive(Default)]
pub struct Reading {
    /// Meetings of all mailboxes.
    pub meetings: BTreeMap<RowId, Meeting>,
    /// Addresses of the mailboxes, where they were told.
    pub addresses: BTreeMap<MailboxId, MailboxAddress>,
    /// Keys that rows need and that were not granted.
    pub missing: BTreeSet<(MailboxId, Epoch)>,
    /// Rows that cannot be opened or understood although the key is there, with a stable code each.
    pub unreadable: BTreeMap<(MailboxId, RowId), Unreadable>,
}

/// A row that tells nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    /// The commit that wrote it.
    pub revision: Revision,
    /// Why, for logs and scripts.
    pub code: &'static str,
}

/// Keeps opened keys and meetings in memory.
pub struct Reader {
    device: DeviceId,
    secret: DeviceSecret,
    keys: BTreeMap<(MailboxId, Epoch), Granted>,
    opened: BTreeMap<(MailboxId, RowId), Opened>,
}

/// A grant and the key that it holds, or why it gives none.
struct Granted {
    grant: HeldGrant,
    key: Result<ContentKey, &'static str>,
}

struct Opened {
    mark: Vec<u8>,
    meeting: Result<Meeting, &'static str>,
}

impl Reader {
    /// A reader for the device that has `secret`.
    pub fn new(device: DeviceId, secret: DeviceSecret) -> Self {
        Self { device, secret, keys: BTreeMap::new(), opened: BTreeMap::new() }
    }

    /// Reads everything that the ledger holds. What was opened before and is still there is not opened again.
    pub fn read(&mut self, ledger: &Ledger) -> Reading {
        let held = |mailbox: &MailboxId| ledger.mailboxes.get(mailbox);
        self.opened.retain(|(mailbox, row), _| held(mailbox).is_some_and(|held| held.rows.contains_key(row)));
        self.keys
            .retain(|(mailbox, epoch), _| held(mailbox).is_some_and(|held| held.grants.contains_key(epoch)));
        let mut reading = Reading::default();
        for (mailbox, held) in &ledger.mailboxes {
            for row in held.rows.values() {
                self.read_row(*mailbox, held, row, &mut reading);
            }
            if let Some(address) = self.address(*mailbox, held) {
                reading.addresses.insert(*mailbox, address);
            }
        }
        reading
    }

    fn read_row(&mut self, mailbox: MailboxId, held: &Held, row: &SealedRow, reading: &mut Reading) {
        let mark = row.sealed.as_bytes().get(..MARK).unwrap_or_default();
        let known = self
            .opened
            .get(&(mailbox, row.id))
            .filter(|opened| opened.mark == mark && opened.meeting.is_ok());
        let meeting = match known {
            Some(opened) => opened.meeting.clone(),
            None => {
                let epoch = row.sealed.epoch();
                let Some(grant) = held.grants.get(&epoch) else {
                    reading.missing.insert((mailbox, epoch));
                    return;
                };
                let meeting =
                    self.key(mailbox, epoch, grant).and_then(|key| open_row(&key, mailbox, grant, row));
                self.opened
                    .insert((mailbox, row.id), Opened { mark: mark.to_vec(), meeting: meeting.clone() });
                meeting
            }
        };
        match meeting {
            Ok(meeting) => {
                reading.meetings.insert(row.id, meeting);
            }
            Err(code) => {
                reading.unreadable.insert((mailbox, row.id), Unreadable { revision: row.revision, code });
            }
        }
    }

    /// The newest address that was told.
    fn address(&mut self, mailbox: MailboxId, held: &Held) -> Option<MailboxAddress> {
        let (epoch, grant) = held.grants.last_key_value()?;
        let key = self.key(mailbox, *epoch, grant).ok()?;
        let binding = RowBinding {
            key: KeyBinding { tenant: &grant.tenant, mailbox, epoch: *epoch },
            kind: RowKind::Address,
            id: &[],
            revision: Revision(0),
        };
        let plain = open(&key, &binding, grant.address.as_ref()?).ok()?;
        std::str::from_utf8(&plain).ok()?.parse().ok()
    }

    fn key(
        &mut self,
        mailbox: MailboxId,
        epoch: Epoch,
        grant: &HeldGrant,
    ) -> Result<ContentKey, &'static str> {
        if let Some(known) = self.keys.get(&(mailbox, epoch)).filter(|known| known.grant == *grant) {
            return known.key.clone();
        }
        let binding =
            GrantBinding { key: KeyBinding { tenant: &grant.tenant, mailbox, epoch }, device: self.device };
        let key = accept_grant(&self.secret, &binding, &grant.sealed).map_err(|_| "grant-refused");
        self.keys.insert((mailbox, epoch), Granted { grant: grant.clone(), key: key.clone() });
        key
    }
}

fn open_row(
    key: &ContentKey,
    mailbox: MailboxId,
    grant: &HeldGrant,
    row: &SealedRow,
) -> Result<Meeting, &'static str> {
    let binding = RowBinding {
        key: KeyBinding { tenant: &grant.tenant, mailbox, epoch: row.sealed.epoch() },
        kind: RowKind::Meeting,
        id: row.id.as_bytes(),
        revision: row.revision,
    };
    let plain = open(key, &binding, &row.sealed).map_err(|error| error.code())?;
    serde_json::from_slice(&plain).map_err(|_| "meeting-not-understood")
}
