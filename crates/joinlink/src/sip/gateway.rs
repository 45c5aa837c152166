//! H.323 by the address of a gateway (policy 5.1): `h323:IP##ID`.

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use regex::Regex;

/// An IPv4 address in dotted form.
pub fn is_ip(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

static WITH_ID: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u:\b)(?P<ip>\d{1,3}(?:\.\d{1,3}){3})##(?P<id>\d{3,16})").ok());

static LABELLED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)(?:(?-u:\b)h\.?323(?-u:\b)[^\d]{0,24}|(?-u:\b)dial )(?P<ip>\d{1,3}(?:\.\d{1,3}){3})(?-u:\b)",
    )
    .ok()
});

/// The gateway's address with the meeting's number behind it. The number may be printed with it, or be known from
/// elsewhere; without one a gateway leads nowhere.
pub fn dial(text: &str, number: Option<&str>) -> Option<String> {
    let with_id = WITH_ID.as_ref()?.captures_iter(text).find_map(|found| {
        let (ip, id) = (found.name("ip")?.as_str(), found.name("id")?.as_str());
        is_ip(ip).then(|| format!("h323:{ip}##{id}"))
    });
    with_id.or_else(|| {
        let number = number?;
        let mut gateways = LABELLED.as_ref()?.captures_iter(text).filter_map(|found| found.name("ip"));
        gateways.find(|ip| is_ip(ip.as_str())).map(|ip| format!("h323:{}##{number}", ip.as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_needs_a_number() {
        let check = |text: &str, number: Option<&str>, want: Option<&str>| {
            assert_eq!(dial(text, number).as_deref(), want, "{text}");
        };
        check("Dial: 67.217.95.2##197765177", None, Some("h323:67.217.95.2##197765177"));
        check("h323:67.217.95.2##197765177", None, Some("h323:67.217.95.2##197765177"));
        check(
            "Join by H.323\n162.255.37.11 (US West)",
            Some("123456789"),
            Some("h323:162.255.37.11##123456789"),
        );
        check(
            "You can also dial 203.0.113.4 and enter",
            Some("1630927714"),
            Some("h323:203.0.113.4##1630927714"),
        );
        check("Join by H.323\n162.255.37.11", None, None);
        check("Dial 999.1.1.1##123456", Some("1"), None);
        check("version 1.2.3.4", Some("1"), None);
    }
}
