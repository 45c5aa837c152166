//! From a link as it was written to the join link it stands for: filters' wrappings and app links are undone, each
//! exactly once (policy sections 2 and 3).

use crate::link::Link;
use crate::providers::{self, Recognised};
use crate::rewriters;

/// A link may be wrapped by the filters of sender and receiver, by a chat and by an app launcher. More layers than this
/// are nobody's mail, and without a bound a long link could make the work quadratic.
const MAX_LAYERS: usize = 10;

/// A link with nothing wrapped around it.
#[derive(Clone)]
pub struct Bare {
    /// The link.
    pub link: Link,
    /// The filter that had wrapped it, the outermost one.
    pub unwrapped_from: Option<&'static str>,
}

/// Undoes whatever was put around a link. `None` where the link, or anything in it, may not be followed.
pub fn unwrap(written: &str) -> Option<Bare> {
    let mut text = written.trim().to_owned();
    let mut unwrapped_from = None;
    for _ in 0..MAX_LAYERS {
        if let Some(web) = providers::from_app(&text) {
            text = web;
        }
        let link = Link::parse(&text)?;
        if let Some(rewriter) = rewriters::rewriter_of(link.host()) {
            text = (rewriter.target)(&link)?;
            unwrapped_from = unwrapped_from.or(Some(rewriter.name));
        } else if let Some(behind) = providers::behind_launcher(&link) {
            text = behind;
        } else {
            return Some(Bare { link, unwrapped_from });
        }
    }
    None
}

/// A link that leads into a meeting.
#[derive(Clone)]
pub struct JoinLink {
    /// The link and where it came from.
    pub bare: Bare,
    /// Whose meeting, and which.
    pub recognised: Recognised,
}

/// Reads a link as a join link.
pub fn join_link(bare: &Bare) -> Option<JoinLink> {
    let recognised = providers::recognise(&bare.link)?;
    Some(JoinLink { bare: bare.clone(), recognised })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, want: Option<&str>) {
        let found = unwrap(written).and_then(|bare| join_link(&bare));
        assert_eq!(found.as_ref().map(|found| found.bare.link.as_str()), want, "{written}");
    }

    #[test]
    fn every_wrapping_is_undone() {
        let zoom = Some("https://zoom.us/j/123456789?pwd=a%3Db");
        let escaped = "https%3A%2F%2Fzoom.us%2Fj%2F123456789%3Fpwd%3Da%253Db";
        for front in [
            "https://eur01.safelinks.protection.outlook.com/?url=",
            "https://nam02.safelinks.protection.outlook.com/ap/x-1/?data=1&url=",
            "https://statics.teams.cdn.office.net/evergreen-assets/safelinks/1/atp-safelinks.html?url=",
            "https://urldefense.proofpoint.com/v1/url?u=",
            "https://linkprotect.cudasvc.com/url?c=1&a=",
            "http://secure-web.cisco.com/1abc/",
            "https://ctp.trendmicro.com/wis/clicktime/v1/query?url=",
            "https://clicktime.symantec.com/3abc?u=",
            "https://protect.fireeye.com/v1/url?k=1&u=",
            "https://protect2.fireeye.com/v1/url?url=",
            "https://urlsand.esvalabs.com/?u=",
            "https://www.google.com/url?q=",
            "https://www.google.com/url?sa=D&url=",
        ] {
            check(&format!("{front}{escaped}"), zoom);
        }
        check("https://urldefense.com/v2/url?u=https-3A__zoom.us_j_123456789-3Fpwd-3Da-253Db&d=x", zoom);
        check("https://urldefense.com/v3/__https://zoom.us/j/123456789?pwd=a*3Db__;JQ!!x!y$", zoom);
    }

    #[test]
    fn nothing_else_is_unwrapped() {
        let escaped = "https%3A%2F%2Fzoom.us%2Fj%2F123456789";
        for front in [
            "https://safelinks.protection.outlook.com/?url=",
            "https://a.b.safelinks.protection.outlook.com/?url=",
            "https://nam01.safelinks.protection.outlook.com.evil.example/?url=",
            "https://evil.example/?url=",
            "https://google.com/url?q=",
            "https://www.google.com/search?q=",
            "https://url.uk.m.mimecastprotect.com/s/x?domain=zoom.us&url=",
            "https://protect.fireeye.com/v2/url?u=",
        ] {
            check(&format!("{front}{escaped}"), None);
        }
        check(
            "https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fzoom.us%2Fj%2F123456789%2",
            None,
        );
        check("https://eur01.safelinks.protection.outlook.com/?url=javascript%3Aalert(1)", None);
    }

    #[test]
    fn app_links_and_launchers_become_web_links() {
        check(
            "zoommtg://acme.zoom.us/join?action=join&confno=123456789&pwd=a&zc=0",
            Some("https://acme.zoom.us/j/123456789?pwd=a"),
        );
        check("zoommtg://zoom.us/join?confno=123456789", Some("https://zoom.us/j/123456789"));
        check("zoommtg://evil.example/join?confno=123456789", None);
        check("msteams:/l/meetup-join/19%3ax/0", Some("https://teams.microsoft.com/l/meetup-join/19%3ax/0"));
        check(
            "https://teams.microsoft.com/v2/?meetingjoin=true#/meet/12345?p=a",
            Some("https://teams.microsoft.com/meet/12345?p=a"),
        );
        check(
            "https://teams.live.com/dl/launcher/launcher.html?url=%2F_%23%2Fmeet%2F12345%3Fp%3Da&type=meet",
            Some("https://teams.live.com/meet/12345?p=a"),
        );
        check("https://evil.example/dl/launcher/launcher.html?url=%2F_%23%2Fmeet%2F12345", None);
    }

    #[test]
    fn endless_wrapping_ends() {
        let mut text = "https://zoom.us/j/123456789".to_owned();
        for _ in 0..40 {
            text = format!("https://urldefense.com/v3/__{text}__;!!x$");
        }
        assert!(unwrap(&text).is_none());
    }
}
