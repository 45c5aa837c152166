//! FireEye URL defence.

use super::{Rewriter, decoded};

/// `protect.fireeye.com` or `protect2.fireeye.com`: `/v1/url?u=TARGET`, or `url=TARGET`.
pub const FIREEYE: Rewriter = Rewriter {
    name: "FireEye",
    owns: |host| matches!(host, "protect.fireeye.com" | "protect2.fireeye.com"),
    target: |link| {
        let name = if link.param("u").is_some() { "u" } else { "url" };
        if link.path() == "/v1/url" { decoded(link, name) } else { None }
    },
};
