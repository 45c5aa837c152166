//! What holds for any invitation: it never stops the program, takes linear time, and says the same after a mail system
//! has written it anew.

use std::fmt::Write;
use std::time::{Duration, Instant};

use joinery_joinlink::{Finding, Input, find};
use joinery_model::BodyKind;
use proptest::prelude::*;

fn read(kind: BodyKind, body: &str) -> Finding {
    find(&Input {
        subject: "",
        location: "",
        body_kind: kind,
        body,
        online_meeting_url: None,
        own_sites: &["acme.webex.com".to_owned()],
    })
}

fn url(finding: Finding) -> Option<String> {
    finding.target.and_then(|target| target.url)
}

fn html_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let _ = if plain { write!(out, "{}", char::from(byte)) } else { write!(out, "%{byte:02X}") };
        out
    })
}

fn safe_link(url: &str) -> String {
    format!(
        "https://eur03.safelinks.protection.outlook.com/?url={}&data=05%7C02%7Cx&sdata=y%3D&reserved=0",
        percent_encoded(url)
    )
}

/// Texts that come close to what the rules look for.
fn near_invitation() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,12}",
        "[a-z<>@:/.?&=%#;,()\\[\\]'\" \n\u{200b}\u{a0}]{0,12}",
        proptest::sample::select(vec![
            "https://",
            "http://",
            "zoom.us",
            "acme.webex.com",
            "/j/",
            "123456789",
            "?pwd=",
            "%3E",
            "%",
            "=3D",
            "=\n",
            "&amp;",
            "<a href=\"",
            "\">",
            "</a>",
            "<wbr>",
            "<!--",
            "-->",
            "<td>",
            "</td>",
            "<style>",
            "sip:",
            "@",
            "zoomcrc.com",
            "Dial ",
            "Meeting ID: ",
            "Passcode: ",
            "##",
            "1.2.3.4",
            "urldefense.com/v3/__",
            "__;",
            "!!",
            "**",
            "*A",
            "nam01.safelinks.protection.outlook.com/?url=",
            "msteams:/",
            "zoommtg://",
            "@webex",
            ":space",
            "meet.google.com/abc-defg-hij",
            "acme@m.webex.com",
            "/teams/?conf=1&d=a.b",
            "參加",
            "é",
            "。",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Join links as their services hand them out.
fn join_link() -> impl Strategy<Value = String> {
    prop_oneof![
        "https://us0[0-9]web\\.zoom\\.us/j/[1-9][0-9]{9}\\?pwd=[A-Za-z0-9]{8}\\.1",
        "https://[a-z]{3,8}\\.webex\\.com/[a-z]{3,8}/j\\.php\\?MTID=m[0-9a-f]{32}",
        "https://[a-z]{3,8}\\.webex\\.com/meet/[a-z]{2,8}\\.[a-z]{2,8}",
        "https://teams\\.microsoft\\.com/meet/[1-9][0-9]{11}\\?p=[A-Za-z0-9]{12}",
        "https://teams\\.microsoft\\.com/l/meetup-join/19%3ameeting_[A-Za-z0-9]{20}%40thread\\.v2/0\\?context=%7b%22Tid%22%3a%22[0-9a-f]{8}%22%7d&anon=true",
        "https://meet\\.google\\.com/[a-z]{3}-[a-z]{4}-[a-z]{3}",
        "https://facetime\\.apple\\.com/join#v=1&p=[A-Za-z0-9]{12}&k=[A-Za-z0-9]{12}",
    ]
}

proptest! {
    #[test]
    fn any_text_is_read(text in near_invitation()) {
        for kind in [BodyKind::Html, BodyKind::Text] {
            let finding = find(&Input {
                subject: &text,
                location: &text,
                body_kind: kind,
                body: &text,
                online_meeting_url: Some(&text),
                own_sites: std::slice::from_ref(&text),
            });
            if let Some(target) = &finding.target {
                prop_assert!(target.url.is_some() || target.sip.is_some());
                prop_assert!(!target.provider.is_empty());
            }
        }
    }

    #[test]
    fn a_link_found_once_is_found_again_however_it_is_written(link in join_link()) {
        let wrapped = safe_link(&link);
        let twice = safe_link(&wrapped);
        for written in [&link, &wrapped, &twice] {
            let escaped = html_escaped(written);
            let invitations = [
                (BodyKind::Text, format!("Join: {written} now")),
                (BodyKind::Text, format!("Join here<{written}>, please.")),
                (BodyKind::Text, format!("({escaped})")),
                (BodyKind::Html, format!("<p>Join: {escaped}</p>")),
                (BodyKind::Html, format!("<p><a title=x href=\"{escaped}\">Join</a></p>")),
                (BodyKind::Html, format!("<a href=' {escaped}\n'>https://evil.example/</a>")),
            ];
            for (kind, body) in invitations {
                prop_assert_eq!(url(read(kind, &body)), Some(link.clone()), "{}", body);
            }
        }
    }

    #[test]
    fn a_look_alike_host_is_never_found(link in join_link(), word in "[a-z]{1,6}") {
        let (scheme, rest) = link.split_at("https://".len());
        let (host, path) = rest.split_at(rest.find('/').unwrap());
        let domain = host.rsplit('.').take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join(".");
        let other = [
            format!("{scheme}{host}.{word}.example{path}"),
            format!("{scheme}{word}{domain}{path}"),
            format!("{scheme}{word}-{domain}{path}"),
            format!("{scheme}{word}@{host}{path}"),
            format!("{scheme}{host}@{word}.example{path}"),
            format!("{scheme}{host}:8443{path}"),
            format!("{scheme}{host}%2e{word}.example{path}"),
            format!("{scheme}{host}\\@{word}.example{path}"),
            format!("{scheme}{word}.example/{link}"),
            format!("{scheme}{word}.example/?url={}", percent_encoded(&link)),
            format!("{scheme}xn--{word}.{domain}{path}"),
            format!("ftp://{host}{path}"),
            format!("javascript:{word}('{}')", link.replace("://", ":")),
        ];
        for other in other {
            for body in [other.clone(), safe_link(&other), percent_encoded(&safe_link(&other))] {
                prop_assert_eq!(url(read(BodyKind::Text, &body)), None, "{}", body);
                let markup = format!("<a href=\"{}\">{}</a>", html_escaped(&body), html_escaped(&link));
                prop_assert_eq!(url(read(BodyKind::Html, &markup)), None, "{}", markup);
            }
        }
    }
}

/// Each of these once took, or would take, time with the square of its length: minutes at this size.
#[test]
fn hostile_bodies_are_read_in_linear_time() {
    const SIZE: usize = 2 << 20;
    let filled = |piece: &str| piece.repeat(SIZE / piece.len());
    let attributes: String = (0..SIZE / 7).map(|n| format!(" x{n:x}")).collect();
    let hosts: String =
        (0..SIZE / 60).map(|n| format!("https://h{n}.webex.com/meet/x sip:1@h{n}.webex.com\n")).collect();
    let bodies = [
        (BodyKind::Html, format!("<a{attributes}>x</a>")),
        (BodyKind::Html, filled("<a href=x></a>") + &filled("a@b.c ")),
        (BodyKind::Html, filled("<div><td><a href=https://zoom.us/j/123456789>")),
        (BodyKind::Text, format!("https://a.b/{}", filled("a=\n"))),
        (BodyKind::Text, format!("https://a.b/?{}", filled("a=3Db=\n"))),
        (BodyKind::Text, format!("(https://a.b/{}", filled("(].,%3E"))),
        (BodyKind::Text, format!("https://zoom.us/{}", filled("https://urldefense.com/v3/__"))),
        (BodyKind::Text, filled("passcode: id: 1 ")),
        (BodyKind::Text, filled("会议密码")),
        (BodyKind::Text, hosts),
    ];
    for (place, (kind, body)) in bodies.iter().enumerate() {
        let start = Instant::now();
        let _ = read(*kind, body);
        // Seconds in an unoptimized build; the bound leaves room for a busy machine.
        assert!(start.elapsed() < Duration::from_secs(25), "body {place} took {:?}", start.elapsed());
    }
}
