//! Lark, in China Feishu.

use super::{Meeting, NOTHING, Provider, shapes};

/// `vc.larksuite.com/j/ID`, `vc.feishu.cn/j/ID`
pub const PROVIDER: Provider = Provider {
    id: "lark",
    owns: |host| matches!(host, "vc.larksuite.com" | "vc.feishu.cn"),
    shape: |link, segments| match segments {
        ["j", id] if shapes::is_id(id) => Some(Meeting::at_with_id(link, id)),
        _ => None,
    },
    ..NOTHING
};
