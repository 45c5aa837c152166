//! Libraesva URL sandbox.

use super::{Rewriter, decoded};

/// `urlsand.esvalabs.com/?u=TARGET`
pub const ESVALABS: Rewriter = Rewriter {
    name: "Libraesva",
    owns: |host| host == "urlsand.esvalabs.com",
    target: |link| decoded(link, "u"),
};
