//! Finds links in running text (policy 1.3 to 1.7).
//!
//! One pass from left to right. A link that was found is skipped whole, recognised or not, so that an address inside
//! another address is never a candidate.

use std::ops::Range;

use super::quoted_printable;
use crate::link::is_plain_host;
use crate::{providers, rewriters};

/// Which escapes the text may still have around its links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escapes {
    /// None: they have been undone already.
    Undone,
    /// `&amp;` for `&`, as text has that once was markup.
    Ampersand,
}

/// A link in running text.
pub struct Found {
    /// Where it stands.
    pub at: Range<usize>,
    /// The link, completed and with escapes undone.
    pub text: String,
}

/// Every link in `text`, in order.
pub fn scan(text: &str, escapes: Escapes) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(step) = text.get(at..).and_then(|rest| rest.find([':', '/'])) {
        let sign = at + step;
        let Some((start, prefix)) = start_of_link(text, from, sign) else {
            at = sign + 1;
            continue;
        };
        let (end, kept) = extent(text, start);
        let raw = text.get(start..kept).unwrap_or_default();
        found.push(Found { at: start..end, text: format!("{prefix}{}", unescape(raw, escapes)) });
        from = end.max(sign + 1);
        at = from;
    }
    found
}

/// Where the link begins that has its first colon or slash at `sign`, and what its scheme lacks.
fn start_of_link(text: &str, from: usize, sign: usize) -> Option<(usize, &'static str)> {
    let before = text.get(from..sign)?;
    let behind = text.get(sign..)?;
    if behind.starts_with(':') {
        let schemes = [("https", "://"), ("http", "://"), ("zoommtg", "://"), ("msteams", ":/")];
        let (scheme, _) = schemes.into_iter().find(|(scheme, mark)| {
            let word = before.len().checked_sub(scheme.len()).and_then(|at| before.get(at..));
            word.is_some_and(|word| word.eq_ignore_ascii_case(scheme)) && behind.starts_with(mark)
        })?;
        return Some((sign - scheme.len(), ""));
    }
    let is_host_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let front = before.trim_end_matches(is_host_char);
    let host = before.get(front.len()..)?.to_ascii_lowercase();
    // The sign before the host must not make it a part of something longer: a mail address, another path, a host with
    // letters or full stops that look alike.
    let joins = |c: char| {
        c.is_alphanumeric()
            || matches!(c, '@' | '/' | '\\' | '_' | '=' | '&' | '?' | '#' | '%' | '。' | '．' | '｡')
    };
    let front_text = text.get(..from + front.len())?;
    let stands_alone = !front_text.ends_with(joins) && !ends_with_scheme(front_text);
    (stands_alone && is_known_host(&host)).then_some((from + front.len(), "https://"))
}

/// A colon is a label's ("Join:") unless it is a scheme's: then it is not for this program to add the slashes.
fn ends_with_scheme(text: &str) -> bool {
    const SCHEMES: &[&str] =
        &["http:", "https:", "ftp:", "file:", "data:", "javascript:", "mailto:", "sip:", "sips:"];
    SCHEMES.iter().any(|scheme| {
        let start = text.len().checked_sub(scheme.len());
        start.and_then(|start| text.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(scheme))
    })
}

/// A host of a provider or of a mail filter, in lower case.
fn is_known_host(host: &str) -> bool {
    is_plain_host(host) && (providers::is_known_host(host) || rewriters::rewriter_of(host).is_some())
}

/// Completes a link that begins with a known host and a slash (policy 1.7).
pub fn with_scheme(link: &str) -> String {
    match link.split_once('/') {
        Some((host, _)) if is_known_host(&host.to_ascii_lowercase()) => format!("https://{link}"),
        _ => link.to_owned(),
    }
}

/// Where the link that begins at `start` ends, and where it ends once the punctuation of its sentence is cut.
fn extent(text: &str, start: usize) -> (usize, usize) {
    let link = text.get(start..).unwrap_or_default();
    let opener = text.get(..start).and_then(|before| before.chars().next_back());
    let closer = match opener {
        Some('(') => Some(('(', ')')),
        Some('[') => Some(('[', ']')),
        _ => None,
    };
    let mut depth = 0_usize;
    let mut end = link.len();
    let mut encoding = Encoding::default();
    let mut signs = link.char_indices();
    while let Some((at, c)) = signs.next() {
        let behind = link.get(at..).unwrap_or_default();
        let broken = if c == '=' { line_break(behind) } else { None };
        if let Some(broken) = broken
            && joins_lines(encoding, link.get(at + 1 + broken.len()..).unwrap_or_default())
        {
            signs.nth(broken.len() - 1);
            continue;
        }
        encoding.read(c, behind);
        let mut closed = false;
        if let Some((open, close)) = closer {
            depth += usize::from(c == open);
            closed = c == close && depth == 0;
            depth -= usize::from(c == close && depth > 0);
        }
        if closed || ends_link(c) || starts_with_any(behind, &["&gt;", "&lt;", "&quot;"]) {
            end = at;
            break;
        }
    }
    let bracketed = opener == Some('<') && link.get(end..).is_some_and(|rest| rest.starts_with('>'));
    let whole = link.get(..end).unwrap_or_default();
    let kept = if bracketed { whole.len() } else { without_punctuation(whole).len() };
    (start + end, start + kept)
}

/// White space, quotes, angle brackets, a bar and ideographic punctuation end a link.
fn ends_link(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '<' | '>' | '"' | '\'' | '|')
        || matches!(c, '\u{3000}'..='\u{303f}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}')
        || matches!(c, '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}')
}

fn starts_with_any(text: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| text.starts_with(prefix))
}

/// The line break behind an equals sign.
fn line_break(behind: &str) -> Option<&'static str> {
    ["\r\n", "\n"].into_iter().find(|mark| behind.get(1..).is_some_and(|rest| rest.starts_with(mark)))
}

/// What the part of a link that was read says about its encoding. Kept while reading: to look back at every line would
/// take quadratic time.
#[derive(Debug, Clone, Copy, Default)]
struct Encoding {
    /// The query has begun.
    query: bool,
    /// An equals sign was written as `=3D`.
    escaped: bool,
    /// An equals sign was written as itself.
    bare: bool,
}

impl Encoding {
    fn read(&mut self, c: char, behind: &str) {
        self.query |= c == '?';
        if c == '=' {
            let escaped = starts_with_any(behind, &["=3D", "=3d"]);
            self.escaped |= escaped;
            self.bare |= !escaped;
        }
    }
}

/// How far the line behind a broken one is looked at. Quoted-printable has no longer lines.
const LINE: usize = 76;

/// Whether an equals sign at the end of a line is quoted-printable's mark for a line broken inside a word. In a path an
/// equals sign has no other reason to stand there. In a query it may end a value, so an escaped one must be near.
fn joins_lines(encoding: Encoding, next_line: &str) -> bool {
    let reach = next_line.char_indices().nth(LINE).map_or(next_line.len(), |(at, _)| at);
    let near = next_line.get(..reach).unwrap_or_default();
    let next_word = near.split(ends_link).next().unwrap_or_default();
    if next_word.is_empty() {
        return false;
    }
    let unclear = !encoding.escaped && !encoding.bare;
    !encoding.query
        || (encoding.escaped && !encoding.bare)
        || (unclear && quoted_printable::is_encoded(next_word.trim_end_matches('=')))
}

/// Cuts what belongs to the sentence around the link.
fn without_punctuation(link: &str) -> &str {
    let count = |sign: char| link.matches(sign).count();
    // How many closing brackets have no opening one before them.
    let mut round = count(')').saturating_sub(count('('));
    let mut square = count(']').saturating_sub(count('['));
    let mut rest = link;
    loop {
        let shorter = if rest.ends_with(')') && round > 0 {
            round -= 1;
            rest.strip_suffix(')')
        } else if rest.ends_with(']') && square > 0 {
            square -= 1;
            rest.strip_suffix(']')
        } else {
            rest.strip_suffix(['.', ',', ';', ':', '!', '?'])
                .or_else(|| rest.strip_suffix("%3E"))
                .or_else(|| rest.strip_suffix("%3e"))
        };
        match shorter {
            Some(shorter) => rest = shorter,
            None => return rest,
        }
    }
}

fn unescape(raw: &str, escapes: Escapes) -> String {
    let broken = raw.contains(['\r', '\n']);
    let text = if broken || quoted_printable::is_encoded(raw) {
        quoted_printable::decode(raw)
    } else {
        raw.to_owned()
    };
    match escapes {
        Escapes::Undone => text,
        Escapes::Ampersand => text.replace("&amp;", "&"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: &[&str]) {
        let found: Vec<String> = scan(text, Escapes::Ampersand).into_iter().map(|found| found.text).collect();
        assert_eq!(found, want, "{text}");
    }

    #[test]
    fn a_link_ends_where_its_sentence_goes_on() {
        check("see https://a.b/c.", &["https://a.b/c"]);
        check("(https://a.b/c), x", &["https://a.b/c"]);
        check("(https://a.b/c)x", &["https://a.b/c"]);
        check("https://a.b/c_(d))]!?%3E", &["https://a.b/c_(d)"]);
        check("[x](https://a.b/c)", &["https://a.b/c"]);
        check("<https://a.b/c?>", &["https://a.b/c?"]);
        check("https://a.b/c?", &["https://a.b/c"]);
        check("'https://a.b/c'; \"https://a.b/d\"", &["https://a.b/c", "https://a.b/d"]);
        check("label<https://a.b/c>|https://a.b/d|", &["https://a.b/c", "https://a.b/d"]);
        check("参加:https://a.b/c。次", &["https://a.b/c"]);
        check("x\u{a0}https://a.b/c\u{a0}y", &["https://a.b/c"]);
        check("wordhttps://a.b/c?d=1&amp;e=2", &["https://a.b/c?d=1&e=2"]);
    }

    #[test]
    fn a_link_inside_a_link_is_not_found() {
        check("https://a.b/?u=https://zoom.us/j/123456789", &["https://a.b/?u=https://zoom.us/j/123456789"]);
        check("https://a.b/?u=app.zoom.us/j/123456789", &["https://a.b/?u=app.zoom.us/j/123456789"]);
    }

    #[test]
    fn a_known_host_needs_no_scheme() {
        check("at zoom.us/j/123456789, room", &["https://zoom.us/j/123456789"]);
        check("at:(acme.webex.com/meet/jo)", &["https://acme.webex.com/meet/jo"]);
        for other in [
            "x@zoom.us/j/123456789",
            "a/zoom.us/j/1",
            "äzoom.us/j/1",
            "evil．zoom.us/j/1",
            "https:zoom.us/j/1",
            "a.b/c",
            "zoom.us",
        ] {
            check(other, &[]);
        }
    }

    #[test]
    fn quoted_printable_is_undone_where_it_is_meant() {
        check("https://a.b/c?d=3De=\nf g", &["https://a.b/c?d=ef"]);
        check("https://a.b/c?dd=\r\nee=3Df", &["https://a.b/c?ddee=f"]);
        check("https://a.b/c=\nd", &["https://a.b/cd"]);
        check("https://a.b/c?d=YQ==\nnext", &["https://a.b/c?d=YQ=="]);
        check("https://a.b/c?d=\nnext", &["https://a.b/c?d="]);
    }

    #[test]
    fn app_links_are_found() {
        check(
            "zoommtg://zoom.us/join?confno=1 msteams:/l/x",
            &["zoommtg://zoom.us/join?confno=1", "msteams:/l/x"],
        );
    }
}
