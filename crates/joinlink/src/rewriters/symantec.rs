//! Symantec Click-Time Protection.

use super::{Rewriter, decoded};

/// `clicktime.symantec.com/...?u=TARGET`
pub const SYMANTEC: Rewriter = Rewriter {
    name: "Symantec",
    owns: |host| host == "clicktime.symantec.com",
    target: |link| decoded(link, "u"),
};
