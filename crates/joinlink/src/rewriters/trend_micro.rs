//! Trend Micro Click-Time Protection.

use super::{Rewriter, decoded};

/// `ctp.trendmicro.com/wis/clicktime/...?url=TARGET`
pub const TREND_MICRO: Rewriter = Rewriter {
    name: "Trend Micro",
    owns: |host| host == "ctp.trendmicro.com",
    target: |link| if link.path().starts_with("/wis/clicktime/") { decoded(link, "url") } else { None },
};
