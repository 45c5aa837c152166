//! Text that was pasted before its quoted-printable encoding was undone (policy 1.4).

/// Whether markup as a whole still is encoded: no attribute starts with `=3D"` otherwise.
pub fn is_encoded_markup(html: &str) -> bool {
    html.contains("=3D\"")
}

/// Whether a link still is encoded: its equals signs all are `=3D`, or ends of broken lines.
pub fn is_encoded(link: &str) -> bool {
    let mut seen = false;
    for (at, _) in link.match_indices('=') {
        let behind = link.get(at + 1..).unwrap_or_default();
        if behind.starts_with("3D") || behind.starts_with("3d") {
            seen = true;
        } else if !behind.starts_with(['\r', '\n']) {
            return false;
        }
    }
    seen
}

/// Undoes the encoding: broken lines are joined, `=XX` becomes its byte. What is no escape stays.
pub fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((front, behind)) = rest.split_once('=') {
        out.extend_from_slice(front.as_bytes());
        if let Some(next) = behind.strip_prefix("\r\n").or_else(|| behind.strip_prefix('\n')) {
            rest = next;
        } else if let Some(byte) = behind.get(..2).and_then(hex_byte) {
            out.push(byte);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            out.push(b'=');
            rest = behind;
        }
    }
    out.extend_from_slice(rest.as_bytes());
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

fn hex_byte(digits: &str) -> Option<u8> {
    let plain = digits.bytes().all(|b| b.is_ascii_hexdigit());
    if plain { u8::from_str_radix(digits, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_broken_lines_are_undone() {
        assert_eq!(decode("a=3Db=\r\nc=\nd=zz=C3=A9="), "a=bcd=zzé=");
        assert_eq!(decode("é=FF"), "é=FF");
        assert!(is_encoded("https://a.b/c?d=3De=\nf"));
        assert!(!is_encoded("https://a.b/c?d=3De&f=g"));
        assert!(!is_encoded("https://a.b/c"));
    }
}
