//! Single values: how they are written and what they may be.

use std::net::SocketAddr;
use std::time::Duration;

const DAY: u64 = 86_400;

/// Reads `7d`, `31d`, `60s`, `5m`, `1h`, `1h 30m`.
///
/// # Errors
/// The rest of a sentence that says how to write one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let bad = || "is not a duration; write it like 60s, 5m, 1h or 7d".to_owned();
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|n| *n > 0).ok_or_else(bad)?;
        let (number, tail) = rest.split_at(digits);
        let number: u64 = number.parse().map_err(|_| bad())?;
        let unit_len = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_len);
        let millis = match unit {
            "ms" => Some(number),
            "s" => number.checked_mul(1000),
            "m" => number.checked_mul(60 * 1000),
            "h" => number.checked_mul(3600 * 1000),
            "d" => number.checked_mul(DAY * 1000),
            _ => None,
        };
        total = millis.and_then(|ms| total.checked_add(Duration::from_millis(ms))).ok_or_else(bad)?;
        rest = tail.trim_start();
    }
    Ok(total)
}

/// Reads `[::]:8443` or `127.0.0.1:8443`.
pub(super) fn socket_address(text: &str, example: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("is not an address with a port; write it like {example} or 127.0.0.1:8443"))
}

/// Root of a service: https, a host, no query and no fragment.
pub(super) fn service_url(text: &str) -> Result<url::Url, String> {
    let url = url::Url::parse(text).map_err(|_| "is not a URL; write it like https://host".to_owned())?;
    let plain =
        url.scheme() == "https" && url.has_host() && url.username().is_empty() && url.password().is_none();
    if !plain || url.query().is_some() || url.fragment().is_some() {
        return Err("must be an https URL without user, query and fragment".to_owned());
    }
    Ok(url)
}

/// A DNS name or an IP address, as it goes into a certificate.
pub(super) fn server_name(text: &str) -> Result<(), String> {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let dns = text.len() <= 253 && text.split('.').all(label);
    if dns || text.parse::<std::net::IpAddr>().is_ok() {
        Ok(())
    } else {
        Err("holds something that is neither a DNS name nor an IP address".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check = |text: &str, want: Option<u64>| {
            assert_eq!(duration(text).ok().map(|d| d.as_secs()), want, "{text:?}");
        };
        check("60s", Some(60));
        check("7d", Some(7 * DAY));
        check("1h 30m", Some(5400));
        check("1h30m", Some(5400));
        check("0s", Some(0));
        for bad in ["", "s", "5", "5x", "-5m", "5m!", "99999999999999999999d", "5 m"] {
            check(bad, None);
        }
    }

    #[test]
    fn names() {
        for good in ["connector.example.com", "localhost", "10.0.0.1", "::1"] {
            assert!(server_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a..b", "https://x", "*.x"] {
            assert!(server_name(bad).is_err(), "{bad}");
        }
    }
}
