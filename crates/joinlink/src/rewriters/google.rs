//! The redirect that Google puts around links in calendars and mail.

use super::{Rewriter, decoded};

/// `www.google.com/url?q=TARGET`, or `url=TARGET`.
pub const GOOGLE: Rewriter = Rewriter {
    name: "Google",
    owns: |host| host == "www.google.com",
    target: |link| {
        let name = if link.param("q").is_some() { "q" } else { "url" };
        if link.path() == "/url" { decoded(link, name) } else { None }
    },
};
