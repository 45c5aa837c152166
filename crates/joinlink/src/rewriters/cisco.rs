//! Cisco Secure Email.

use super::Rewriter;
use crate::link::percent_decode;

/// `secure-web.cisco.com/TOKEN/TARGET`
pub const CISCO: Rewriter = Rewriter {
    name: "Cisco Secure Email",
    owns: |host| host == "secure-web.cisco.com",
    target: |link| match link.segments().as_slice() {
        [_, .., target] => percent_decode(target),
        _ => None,
    },
};
