//! A web link, read strictly: what a browser might read in two ways is no link here (policy 3.1).

use std::ops::Range;

use percent_encoding::percent_decode_str;

/// A link that passed policy 3.1, kept byte for byte.
#[derive(Clone)]
pub struct Link {
    text: String,
    host: String,
    path: Range<usize>,
    query: Range<usize>,
    fragment: Range<usize>,
}

impl Link {
    /// Reads `text` as an `http` or `https` link. Refuses user info, a backslash, a port other than the default one, a
    /// host that is not plain ASCII labels, and anything that follows another scheme.
    pub fn parse(text: &str) -> Option<Self> {
        let (default_port, rest) = match strip_prefix_ignoring_case(text, "https://") {
            Some(rest) => ("443", rest),
            None => ("80", strip_prefix_ignoring_case(text, "http://")?),
        };
        if text.chars().any(|c| c == '\\' || c.is_whitespace() || c.is_control()) {
            return None;
        }
        let start = text.len() - rest.len();
        let authority_end = rest.find(['/', '?', '#']).map_or(text.len(), |at| start + at);
        let authority = text.get(start..authority_end)?;
        let host = match authority.split_once(':') {
            Some((host, port)) if port == default_port => host,
            Some(_) => return None,
            None => authority,
        };
        let host = host.to_ascii_lowercase();
        if !is_plain_host(&host) {
            return None;
        }
        let fragment = text.find('#').map_or(text.len()..text.len(), |at| at + 1..text.len());
        let before_fragment = text.find('#').unwrap_or(text.len());
        let question = text.get(..before_fragment)?.find('?');
        let query = question.map_or(before_fragment..before_fragment, |at| at + 1..before_fragment);
        let path = authority_end..question.unwrap_or(before_fragment);
        Some(Self { text: text.to_owned(), host, path, query, fragment })
    }

    /// The link as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Scheme and host as they were written, without a port's colon cut away.
    pub fn origin(&self) -> &str {
        self.text.get(..self.path.start).unwrap_or_default()
    }

    /// The path with its leading slash, still escaped.
    pub fn path(&self) -> &str {
        self.text.get(self.path.clone()).unwrap_or_default()
    }

    /// The query without its question mark, still escaped; empty where there is none.
    pub fn query(&self) -> &str {
        self.text.get(self.query.clone()).unwrap_or_default()
    }

    /// The fragment without its hash sign; empty where there is none.
    pub fn fragment(&self) -> &str {
        self.text.get(self.fragment.clone()).unwrap_or_default()
    }

    /// What stands behind the host, query and fragment included.
    pub fn behind_host(&self) -> &str {
        self.text.get(self.path.start..).unwrap_or_default()
    }

    /// The parts of the path. One slash at the end adds no part.
    pub fn segments(&self) -> Vec<&str> {
        let path = self.path();
        let path = path.strip_prefix('/').unwrap_or(path);
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() { Vec::new() } else { path.split('/').collect() }
    }

    /// The first parameter `name` of the query that is not empty, still escaped.
    pub fn param(&self, name: &str) -> Option<&str> {
        param(self.query(), name)
    }

    /// The host is `domain` or lies below it, compared on label borders.
    pub fn is_under(&self, domain: &str) -> bool {
        is_under(&self.host, domain)
    }
}

/// `host` is `domain` or lies below it, compared on label borders. Both in lower case.
pub fn is_under(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|front| front.is_empty() || front.ends_with('.'))
}

/// The first parameter `name` of a query that is not empty, still escaped. Names are compared without regard to case.
pub fn param<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_empty())
        .map(|(_, value)| value)
}

/// Undoes percent escapes once. A broken escape, or bytes that are no UTF-8, make the value unreadable.
pub fn percent_decode(text: &str) -> Option<String> {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once('%') {
        let digits = behind.get(..2)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        rest = behind;
    }
    percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

/// Cuts `prefix` off, compared without regard to ASCII case.
pub fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (front, rest) = text.split_at_checked(prefix.len())?;
    front.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// A host of at least two plain ASCII labels: no internationalised label, no escape, no empty label.
pub fn is_plain_host(host: &str) -> bool {
    let plain = |label: &str| {
        !label.is_empty()
            && !label.starts_with("xn--")
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    host.len() <= 253 && host.contains('.') && host.split('.').all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_links_are_links() {
        for good in
            ["https://zoom.us/j/1", "HTTP://Zoom.US:80/j/1", "https://a.b:443", "https://a.b/c@d?e#f?g"]
        {
            assert!(Link::parse(good).is_some(), "{good}");
        }
        for bad in [
            "zoom.us/j/1",
            "ftp://zoom.us/j/1",
            "https://zoom.us:8443/j/1",
            "https://zoom.us:/j/1",
            "https://a@zoom.us/j/1",
            "https://zoom.us\\@evil.example/j/1",
            "https://zoom..us/j/1",
            "https://zoom.us./j/1",
            "https://zo%6fm.us/j/1",
            "https://zoöm.us/j/1",
            "https://xn--zom-sna.us/j/1",
            "https://zoom.us/j/1 2",
            "https://",
            "https:///j/1",
        ] {
            assert!(Link::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_link_falls_into_its_parts() {
        let link = Link::parse("https://Meet.Jit.SI/a/b/?x=&X=1&y=2#z?=3").unwrap();
        assert_eq!(link.host(), "meet.jit.si");
        assert_eq!(link.origin(), "https://Meet.Jit.SI");
        assert_eq!(link.segments(), ["a", "b"]);
        assert_eq!((link.query(), link.fragment()), ("x=&X=1&y=2", "z?=3"));
        assert_eq!((link.param("x"), link.param("y"), link.param("z")), (Some("1"), Some("2"), None));
        assert!(link.is_under("jit.si") && !link.is_under("it.si"));
    }

    #[test]
    fn a_broken_escape_is_unreadable() {
        assert_eq!(percent_decode("a%2Fb%253a+").as_deref(), Some("a/b%3a+"));
        for bad in ["%", "%4", "%zz", "a%2", "%ff", "%é"] {
            assert_eq!(percent_decode(bad), None, "{bad}");
        }
    }
}
