//! Skype for Business, online and on premises.

use super::{Meeting, NOTHING, Provider};

/// `meet.lync.com/TENANT/USER/ID`; on any host whose first label is `meet`: `/USER/ID8`, `/TENANT/meet/USER/ID8`.
pub const PROVIDER: Provider = Provider {
    id: "skypeforbusiness",
    owns: |host| host == "meet.lync.com",
    shape: |link, segments| match segments {
        [tenant, user, id] if [tenant, user, id].iter().all(|part| !part.is_empty()) => Some(Meeting::at(link)),
        _ => None,
    },
    self_hosted: |link, segments| match segments {
        [user, id] | [_, "meet", user, id]
            if link.host().starts_with("meet.") && !user.is_empty() && is_id8(id) =>
        {
            Some(Meeting::at(link))
        }
        _ => None,
    },
    ..NOTHING
};

/// Eight upper-case letters or digits.
fn is_id8(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}
