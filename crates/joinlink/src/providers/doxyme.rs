//! doxy.me.

use super::{Meeting, NOTHING, Provider, shapes};
use crate::link::is_under;

/// `*.doxy.me/NAME`
pub const PROVIDER: Provider = Provider {
    id: "doxyme",
    owns: |host| is_under(host, "doxy.me"),
    shape: |link, segments| match segments {
        [_] if shapes::is_open_path(segments) => Some(Meeting::at(link)),
        _ => None,
    },
    ..NOTHING
};
