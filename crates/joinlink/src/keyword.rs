//! The location keyword that asks for join details (policy section 7).

/// The leftmost keyword of a location, in lower case: `@webex` or `@meet`, perhaps with a modifier.
pub fn keyword(location: &str) -> Option<String> {
    let ends_word = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"');
    location.split(ends_word).find_map(keyword_of_word)
}

fn keyword_of_word(word: &str) -> Option<String> {
    let link_from = start_of_link(word).unwrap_or(word.len());
    word.match_indices('@').take_while(|(at, _)| *at < link_from).find_map(|(at, _)| {
        let before = word.get(..at)?;
        let keyword = keyword_at(word.get(at..)?)?;
        let starts = before.is_empty() || before.ends_with([';', ',', '(', '[', '/']);
        starts.then(|| keyword.to_ascii_lowercase())
    })
}

/// The keyword that `text` begins with, if it is a whole one.
fn keyword_at(text: &str) -> Option<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == ':';
    let name = text.get(1..)?;
    let len = 1 + name.find(|c| !is_word(c)).unwrap_or(name.len());
    let (keyword, behind) = text.split_at_checked(len)?;
    let ends = behind.is_empty()
        || behind.starts_with(|c: char| c.is_whitespace() || matches!(c, ';' | ',' | '.' | ')' | ']' | '/'));
    let (name, modifier) = match keyword.split_once(':') {
        Some((name, modifier)) => (name, Some(modifier)),
        None => (keyword, None),
    };
    let is_one_of = |word: &str, known: &[&str]| known.iter().any(|other| other.eq_ignore_ascii_case(word));
    let known = is_one_of(name, &["@webex", "@meet"])
        && modifier.is_none_or(|modifier| is_one_of(modifier, &["space", "myroom", "onetime"]));
    (ends && known).then_some(keyword)
}

/// From where on the word is a link: behind a scheme, or behind a host and a slash.
fn start_of_link(word: &str) -> Option<usize> {
    let scheme = word.find("://");
    let host = word.split_once('/').and_then(|(host, _)| {
        let name = host.trim_start_matches(['(', '[', ';', ',']);
        let top = name.rsplit_once('.')?.1;
        (top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic())).then_some(host.len())
    });
    match (scheme, host) {
        (Some(scheme), Some(host)) => Some(scheme.min(host)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(location: &str, want: Option<&str>) {
        assert_eq!(keyword(location).as_deref(), want, "{location}");
    }

    #[test]
    fn a_keyword_is_a_whole_word() {
        check("@webex", Some("@webex"));
        check("Room 4B, @WebEx:MyRoom.", Some("@webex:myroom"));
        check("Room 4.12/@meet/x", Some("@meet"));
        check("(@meet:onetime)", Some("@meet:onetime"));
        check("[@meet:space];@webex", Some("@meet:space"));
        check("@webexfoo; @meet", Some("@meet"));
        for other in [
            "",
            "@",
            "webex",
            "@webex-1",
            "@webex_",
            "@webex:foo",
            "@meet:",
            "a@webex",
            "x.y@meet",
            "@webex!",
        ] {
            check(other, None);
        }
    }

    #[test]
    fn a_keyword_is_no_part_of_an_address() {
        check("https://social.example/@webex", None);
        check("https://example.org/?q=@meet", None);
        check("social.example/@webex", None);
        check("https://a.b/ @webex", Some("@webex"));
    }

    #[test]
    fn non_ascii_text_is_no_obstacle() {
        check("zasedačka 3; @webex", Some("@webex"));
        check("@é", None);
        check("@webexé", None);
    }
}
