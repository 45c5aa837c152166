//! FaceTime.

use super::{Meeting, NOTHING, Provider};

/// `facetime.apple.com/join#...`: everything that matters stands in the fragment.
pub const PROVIDER: Provider = Provider {
    id: "facetime",
    owns: |host| host == "facetime.apple.com",
    shape: |link, segments| match segments {
        ["join"] if !link.fragment().is_empty() => Some(Meeting::named(link.fragment())),
        _ => None,
    },
    ..NOTHING
};
