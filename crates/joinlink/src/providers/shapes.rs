//! The pieces that shapes are made of.

/// Digits only, at least one.
pub fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A number of `low` to `high` digits.
pub fn has_digits(text: &str, low: usize, high: usize) -> bool {
    is_number(text) && (low..=high).contains(&text.len())
}

/// An opaque id: letters, digits, `-` and `_`.
pub fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Digits and letters in the groups of a UUID.
pub fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

/// Not the name of a room but a page of the service itself (policy 3.4). Used where a provider's shape is so open that
/// only the word tells.
pub fn is_service_page(segment: &str) -> bool {
    const PAGES: &[&str] = &[
        "about",
        "app",
        "apps",
        "blog",
        "contact",
        "download",
        "download-center",
        "downloads",
        "faq",
        "features",
        "help",
        "information",
        "legal",
        "login",
        "new",
        "pricing",
        "privacy",
        "register",
        "registration",
        "settings",
        "signin",
        "sign-in",
        "signup",
        "sign-up",
        "sitemap",
        "static",
        "support",
        "terms",
        "user",
        "users",
    ];
    let word = segment.split_once('.').map_or(segment, |(word, _)| word);
    PAGES.iter().any(|page| page.eq_ignore_ascii_case(word))
}

/// At least one part, none of them empty, and not a page of the service itself.
pub fn is_open_path(segments: &[&str]) -> bool {
    segments.first().is_some_and(|first| !is_service_page(first))
        && segments.iter().all(|part| !part.is_empty())
}
