//! Which zone a wall clock time from Graph is in.
//!
//! We ask for UTC, by sending no `outlook.timezone`; another zone in an answer is unusual and understood all the same,
//! by its Windows or IANA name. A legacy custom zone (`tzone://Microsoft/Custom`) tells no rules and is not known.

use jiff::tz::TimeZone;

use crate::windows_zones::WINDOWS_ZONES;

/// The rules of the zone called `name`; no name means UTC.
pub(crate) fn zone(name: Option<&str>) -> Option<TimeZone> {
    let name = name.unwrap_or_default().trim();
    if ["", "UTC", "Etc/UTC", "Etc/GMT", "tzone://Microsoft/Utc"]
        .iter()
        .any(|utc| utc.eq_ignore_ascii_case(name))
    {
        return Some(TimeZone::UTC);
    }
    let windows = WINDOWS_ZONES.iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name));
    TimeZone::get(windows.map_or(name, |(_, iana)| iana)).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;

    use super::*;

    #[test]
    fn windows_and_iana_names_are_understood() {
        let check = |name: Option<&str>, want: &str| {
            let noon: DateTime = "2026-07-01T12:00:00".parse().unwrap();
            let zone = zone(name).unwrap_or_else(|| panic!("{name:?}"));
            assert_eq!(zone.to_timestamp(noon).unwrap().to_string(), want, "{name:?}");
        };
        for utc in [None, Some(""), Some("UTC"), Some("utc"), Some("Etc/UTC"), Some("tzone://Microsoft/Utc")]
        {
            check(utc, "2026-07-01T12:00:00Z");
        }
        check(Some("W. Europe Standard Time"), "2026-07-01T10:00:00Z");
        check(Some("w. europe standard time"), "2026-07-01T10:00:00Z");
        check(Some("Europe/Berlin"), "2026-07-01T10:00:00Z");
        check(Some("Pacific Standard Time"), "2026-07-01T19:00:00Z");
        check(Some("India Standard Time"), "2026-07-01T06:30:00Z");
        check(Some("UTC+13"), "2026-06-30T23:00:00Z");
    }

    #[test]
    fn unknown_zones_are_told() {
        for name in ["tzone://Microsoft/Custom", "Customized Time Zone", "Mars/Olympus", "../../etc/passwd"] {
            assert!(zone(Some(name)).is_none(), "{name}");
        }
    }

    #[test]
    fn every_windows_zone_has_rules() {
        for (windows, _) in WINDOWS_ZONES {
            assert!(zone(Some(windows)).is_some(), "{windows}");
        }
    }
}
