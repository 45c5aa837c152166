//! Proofpoint URL Defense, its three versions.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Rewriter, decoded};
use crate::link::{Link, percent_decode};

/// `/v1/url?u=`, `/v2/url?u=` and `/v3/__URL__;TOKEN!!...$` on the hosts of each version.
pub const PROOFPOINT: Rewriter = Rewriter {
    name: "Proofpoint",
    owns: |host| matches!(host, "urldefense.proofpoint.com" | "urldefense.com" | "urldefense.us"),
    target: |link| match (link.path(), link.host()) {
        ("/v1/url", "urldefense.proofpoint.com") => decoded(link, "u"),
        ("/v2/url", "urldefense.proofpoint.com" | "urldefense.com") => version_2(link),
        (path, _) if path.starts_with("/v3/__") => version_3(link.behind_host()),
        _ => None,
    },
};

/// Version 2 writes `%` as `-` and `/` as `_`.
fn version_2(link: &Link) -> Option<String> {
    percent_decode(&link.param("u")?.replace('-', "%").replace('_', "/"))
}

/// Padding and spare bits are left to the writer: some mail gateways drop them.
const TOKEN: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Version 3 keeps the target readable. Each `*` stands for the next character of the token, `**X` for the next few.
fn version_3(behind_host: &str) -> Option<String> {
    let (target, tail) = behind_host.strip_prefix("/v3/__")?.split_once("__;")?;
    let (token, _) = tail.split_once("!!")?;
    let replaced = String::from_utf8(TOKEN.decode(token).ok()?).ok()?;
    let mut replaced = replaced.chars();
    let mut written = target.chars();
    let mut out = String::with_capacity(target.len());
    while let Some(c) = written.next() {
        if c != '*' {
            out.push(c);
        } else if written.as_str().starts_with('*') {
            let count = run_length(written.nth(1)?)?;
            for _ in 0..count {
                out.push(replaced.next()?);
            }
        } else {
            out.push(replaced.next()?);
        }
    }
    Some(out)
}

/// How many characters `**X` stands for: 2 for `A`, 3 for `B`, on through `A-Z a-z 0-9 - _`.
fn run_length(letter: char) -> Option<usize> {
    let place = URL_SAFE.as_str().chars().position(|c| c == letter)?;
    Some(place + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_3_puts_the_replaced_characters_back() {
        let check = |wrapped: &str, want: Option<&str>| {
            let link = Link::parse(wrapped).unwrap();
            assert_eq!((PROOFPOINT.target)(&link).as_deref(), want, "{wrapped}");
        };
        check("https://urldefense.com/v3/__https://a.b/c__;!!x!y$", Some("https://a.b/c"));
        check("https://urldefense.us/v3/__https://a.b/c*d**A__;Iy8_!!x$", Some("https://a.b/c#d/?"));
        check("https://urldefense.com/v3/__https://a.b/c*__;!!x$", None);
        check("https://urldefense.com/v3/__https://a.b/c__!!x$", None);
        check("https://urldefense.us/v2/url?u=https-3A__a.b", None);
        check("https://urldefense.com/v1/url?u=https%3A%2F%2Fa.b", None);
    }
}
