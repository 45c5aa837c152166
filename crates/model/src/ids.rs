//! A type per id, so that a mailbox is never taken for a device.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A text that is not the id it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not {0} of 32 hexadecimal digits")]
pub struct IdError(&'static str);

/// An opaque 128-bit id: random or a keyed hash, saying nothing of what it names. Shown as 32 hexadecimal digits.
macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 16]);

        impl $name {
            /// Takes the sixteen bytes as they are.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// Reads an id from exactly sixteen bytes.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, IdError> {
                bytes.try_into().map(Self).map_err(|_| IdError($what))
            }

            /// The sixteen bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                parse_hex(text).map(Self).ok_or(IdError($what))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

opaque_id!(
    /// One mailbox, as Joinery names it. Random; the address is sealed.
    MailboxId,
    "a mailbox id"
);
opaque_id!(
    /// One registered device.
    DeviceId,
    "a device id"
);
opaque_id!(
    /// One row of a mailbox's meeting list: a keyed hash of the event's id.
    RowId,
    "a meeting id"
);
opaque_id!(
    /// One life of a store. Made anew at creation and at restore: revisions are comparable only within it.
    StoreId,
    "a store id"
);
opaque_id!(
    /// One installation of the connector (a whole cluster is one). Stands in every device certificate.
    DeploymentId,
    "a deployment id"
);

impl MailboxId {
    /// Stands in a key's or record's binding for the daemon's own records, which belong to no mailbox.
    pub const DAEMON: Self = Self([0; 16]);
}

fn parse_hex(text: &str) -> Option<[u8; 16]> {
    let digits = text.as_bytes();
    if digits.len() != 32 {
        return None;
    }
    let mut out = [0; 16];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        for digit in pair {
            *byte = (*byte << 4) | u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        }
    }
    Some(out)
}

/// Graph's id of an event. Opaque and case-sensitive; personal enough not to be logged.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(String);

impl EventId {
    /// Takes the id as Graph gave it.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as Graph gave it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventId(..)")
    }
}

/// The name that the configuration gives a tenant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TenantName(String);

impl TenantName {
    /// Takes the configured name.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The configured name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A mailbox's mail address, compared without regard to case. Personal: it does not print itself in `Debug`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MailboxAddress(String);

/// A text that cannot be a mailbox address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a mail address of the form name@domain")]
pub struct AddressError;

impl MailboxAddress {
    /// The address in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands behind the last `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for MailboxAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let (name, domain) = text.rsplit_once('@').ok_or(AddressError)?;
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\' | '<' | '>' | '"');
        let odd_domain =
            domain.is_empty() || domain.starts_with('.') || domain.ends_with('.') || domain.contains("..");
        if name.is_empty() || odd_domain || text.len() > 320 || text.contains(odd) {
            return Err(AddressError);
        }
        Ok(Self(text.to_lowercase()))
    }
}

impl TryFrom<String> for MailboxAddress {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<MailboxAddress> for String {
    fn from(address: MailboxAddress) -> Self {
        address.0
    }
}

impl fmt::Debug for MailboxAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailboxAddress(..)")
    }
}

/// Where a mailbox's list stands. Grows with every commit that changes something, never repeats within one
/// [`StoreId`]. Zero: nothing has been committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision that the next commit gets.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which of a mailbox's content keys: the first is 1, each rotation starts the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(pub u32);

impl Epoch {
    /// The epoch of a new mailbox.
    pub const FIRST: Self = Self(1);
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = DeviceId::from_bytes([0xa5; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        for bad in ["", "a5", "zz".repeat(16).as_str(), "a5".repeat(17).as_str(), "é".repeat(16).as_str()] {
            assert!(bad.parse::<DeviceId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_checked_and_lower_cased() {
        let check = |text: &str, want: Option<&str>| {
            assert_eq!(
                text.parse::<MailboxAddress>().ok().as_ref().map(MailboxAddress::as_str),
                want,
                "{text}"
            );
        };
        check("Room.One@Contoso.example", Some("room.one@contoso.example"));
        check("o'brien@contoso.example", Some("o'brien@contoso.example"));
        for bad in ["", "x", "@x", "x@", "a b@x", "a@x..y", "a/b@x", "a@.x", "a\n@x"] {
            check(bad, None);
        }
    }

    #[test]
    fn personal_ids_do_not_print_themselves() {
        let address: MailboxAddress = "a@b.example".parse().unwrap();
        assert_eq!(format!("{address:?} {:?}", EventId::new("AAMk")), "MailboxAddress(..) EventId(..)");
    }
}
