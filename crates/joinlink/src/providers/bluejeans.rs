//! BlueJeans.

use super::{Meeting, NOTHING, Provider, shapes};

/// `bluejeans.com/DIGITS[/PASSCODE]`
pub const PROVIDER: Provider = Provider {
    id: "bluejeans",
    owns: |host| matches!(host, "bluejeans.com" | "www.bluejeans.com"),
    shape: |_, segments| match segments {
        [id] if shapes::is_number(id) => {
            Some(Meeting::numbered(id).dialled(Some(format!("{id}@bjn.vc"))))
        }
        [id, passcode] if shapes::is_number(id) && shapes::is_number(passcode) => {
            let meeting = Meeting::numbered(id).dialled(Some(format!("{id}.{passcode}@bjn.vc")));
            Some(Meeting { passcode: Some((*passcode).to_owned()), ..meeting })
        }
        _ => None,
    },
    ..NOTHING
};
