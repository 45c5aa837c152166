//! Barracuda Link Protection.

use super::{Rewriter, decoded};

/// `linkprotect.cudasvc.com/url?a=TARGET`
pub const BARRACUDA: Rewriter = Rewriter {
    name: "Barracuda",
    owns: |host| host == "linkprotect.cudasvc.com",
    target: |link| if link.path() == "/url" { decoded(link, "a") } else { None },
};
