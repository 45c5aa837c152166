//! Microsoft Safe Links, as Outlook and Teams write them.

use super::{Rewriter, decoded};

/// `LABEL.safelinks.protection.outlook.com/...?url=TARGET`, any path, any place in the query.
pub const OUTLOOK: Rewriter = Rewriter {
    name: "Safe Links",
    owns: |host| {
        host.strip_suffix(".safelinks.protection.outlook.com").is_some_and(|label| !label.contains('.'))
    },
    target: |link| decoded(link, "url"),
};

/// `statics.teams.cdn.office.net/.../atp-safelinks.html?url=TARGET`
pub const TEAMS: Rewriter = Rewriter {
    name: "Safe Links in Teams",
    owns: |host| host == "statics.teams.cdn.office.net",
    target: |link| {
        if link.path().ends_with("/atp-safelinks.html") { decoded(link, "url") } else { None }
    },
};
