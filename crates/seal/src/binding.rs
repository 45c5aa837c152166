//! Where something sealed belongs, as canonical bytes.
//!
//! A binding is a domain string and fields, each preceded by its length (`u32`, big-endian), so that no two different
//! bindings have the same bytes. It is associated data (rows), HPKE `info` (grants), or hashed into the wrapped
//! payload (keys).

use joinery_model::{DeviceId, Epoch, MailboxId, Revision, TenantName};

const KEY_DOMAIN: &str = "joinery key v1";
const ROW_DOMAIN: &str = "joinery row v1";
const GRANT_DOMAIN: &str = "joinery grant v1";

/// Whose content key it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyBinding<'a> {
    /// The tenant that the mailbox is in.
    pub tenant: &'a TenantName,
    /// The mailbox; [`MailboxId::DAEMON`] for the daemon's own records.
    pub mailbox: MailboxId,
    /// Which of the mailbox's keys.
    pub epoch: Epoch,
}

/// What kind of row it is. A row of one kind does not open as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKind {
    /// One meeting of a mailbox's list.
    Meeting,
    /// The state of a mailbox's synchronization.
    SyncState,
    /// One of the daemon's own records, by the stable number of its kind.
    Record(u8),
    /// The mailbox's address, as it goes along with a grant.
    Address,
}

impl RowKind {
    /// Stable numbers: they are in every sealed row.
    const fn as_bytes(self) -> [u8; 2] {
        match self {
            Self::Meeting => [1, 0],
            Self::SyncState => [2, 0],
            Self::Record(number) => [3, number],
            Self::Address => [4, 0],
        }
    }
}

/// Where one sealed row belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowBinding<'a> {
    /// The key that it is sealed under.
    pub key: KeyBinding<'a>,
    /// Its kind.
    pub kind: RowKind,
    /// Its id within the mailbox and kind.
    pub id: &'a [u8],
    /// The revision that wrote it.
    pub revision: Revision,
}

/// Which device a content key is granted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantBinding<'a> {
    /// The content key.
    pub key: KeyBinding<'a>,
    /// The device.
    pub device: DeviceId,
}

impl KeyBinding<'_> {
    pub(crate) fn canonical(&self) -> Vec<u8> {
        Canonical::new(KEY_DOMAIN).key(self).0
    }
}

impl RowBinding<'_> {
    pub(crate) fn canonical(&self) -> Vec<u8> {
        Canonical::new(ROW_DOMAIN)
            .key(&self.key)
            .field(&self.kind.as_bytes())
            .field(self.id)
            .field(&self.revision.0.to_be_bytes())
            .0
    }
}

impl GrantBinding<'_> {
    /// `key_id` names which of the device's keys the grant is sealed to.
    pub(crate) fn canonical(&self, key_id: &[u8]) -> Vec<u8> {
        Canonical::new(GRANT_DOMAIN).key(&self.key).field(self.device.as_bytes()).field(key_id).0
    }
}

/// Length-prefixed fields behind a domain string.
pub(crate) struct Canonical(pub(crate) Vec<u8>);

impl Canonical {
    pub(crate) fn new(domain: &str) -> Self {
        Self(Vec::with_capacity(128)).field(domain.as_bytes())
    }

    pub(crate) fn field(mut self, bytes: &[u8]) -> Self {
        // A field of 4 GiB cannot be built from any id here; saturating keeps the prefix total all the same.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    fn key(self, key: &KeyBinding<'_>) -> Self {
        self.field(key.tenant.as_str().as_bytes())
            .field(key.mailbox.as_bytes())
            .field(&key.epoch.0.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_border_between_fields_is_part_of_the_bytes() {
        let at = |tenant: &str, id: &[u8]| {
            let tenant = TenantName::new(tenant);
            let key = KeyBinding { tenant: &tenant, mailbox: MailboxId::DAEMON, epoch: Epoch::FIRST };
            RowBinding { key, kind: RowKind::Meeting, id, revision: Revision(1) }.canonical()
        };
        assert_ne!(at("ab", b"c"), at("a", b"bc"));
        assert_ne!(at("", b""), at("", b"\0"));
    }

    #[test]
    fn a_row_binding_has_these_bytes() {
        let tenant = TenantName::new("contoso");
        let key = KeyBinding { tenant: &tenant, mailbox: MailboxId::from_bytes([0xa1; 16]), epoch: Epoch(2) };
        let row = RowBinding { key, kind: RowKind::Record(4), id: b"id", revision: Revision(0x0102) };
        let mut want = b"\0\0\0\x0ejoinery row v1\0\0\0\x07contoso\0\0\0\x10".to_vec();
        want.extend([0xa1; 16]);
        want.extend(b"\0\0\0\x04\0\0\0\x02\0\0\0\x02\x03\x04\0\0\0\x02id\0\0\0\x08\0\0\0\0\0\0\x01\x02");
        assert_eq!(row.canonical(), want);
    }

    #[test]
    fn the_numbers_of_kinds_are_stable() {
        let kinds = [
            RowKind::Meeting,
            RowKind::SyncState,
            RowKind::Record(0),
            RowKind::Record(255),
            RowKind::Address,
        ];
        assert_eq!(kinds.map(RowKind::as_bytes), [[1, 0], [2, 0], [3, 0], [3, 255], [4, 0]]);
    }
}
