//! Graph's `dateTimeTimeZone`: what a clock on the wall shows, and in which zone the wall stands.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::zones::Zone;

/// A wall-clock time in a named zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Without offset.
    pub wall: DateTime,
    /// Where the wall stands.
    pub zone: Zone,
}

/// Years that Outlook's calendar knows.
const YEARS: std::ops::RangeInclusive<i16> = 1601..=4500;

impl Moment {
    /// The moment at which `instant` is reached, as a clock in `zone` shows it.
    pub fn at(instant: Timestamp, zone: &Zone) -> Self {
        Self { wall: zone.rules().to_datetime(instant), zone: zone.clone() }
    }

    /// The point on the world's time line. A time that the clock skips is taken after the gap, one that it shows twice
    /// is the first. Every moment that was read lies within Outlook's years, so the fallback is never seen.
    pub fn instant(&self) -> Timestamp {
        self.zone.rules().to_timestamp(self.wall).unwrap_or_default()
    }

    /// The same instant on a clock elsewhere.
    #[must_use]
    pub fn in_zone(&self, zone: &Zone) -> Self {
        Self::at(self.instant(), zone)
    }

    /// The same wall clock, on another day.
    #[must_use]
    pub fn on(&self, wall: DateTime) -> Self {
        Self { wall, zone: self.zone.clone() }
    }

    /// The wall clock shows midnight.
    pub fn is_midnight(&self) -> bool {
        self.wall.time() == jiff::civil::Time::midnight()
    }

    /// Reads `{"dateTime", "timeZone"}` of the property `name`: both are demanded, `dateTime` has no offset.
    pub fn parse(name: &str, value: &Value) -> Result<Self, Refusal> {
        let wrong = |what: &str| Refusal::bad_body(format!("Property '{name}': {what}."));
        let object = value.as_object().ok_or_else(|| wrong("a dateTimeTimeZone is expected"))?;
        if let Some(unknown) =
            object.keys().find(|key| !matches!(key.as_str(), "dateTime" | "timeZone" | "@odata.type"))
        {
            return Err(wrong(&format!("'{unknown}' is not a property of dateTimeTimeZone")));
        }
        let text =
            object.get("dateTime").and_then(Value::as_str).ok_or_else(|| wrong("dateTime is missing"))?;
        let zone =
            object.get("timeZone").and_then(Value::as_str).ok_or_else(|| wrong("timeZone is missing"))?;
        let wall = parse_wall(text).ok_or_else(|| wrong("dateTime is not a date and time without offset"))?;
        let zone = Zone::named(zone).ok_or_else(|| {
            Refusal::mistake(400, "TimeZoneNotSupportedException", "A time zone is not supported.")
        })?;
        Ok(Self { wall, zone })
    }

    /// Graph's shape: seven decimals, no offset.
    pub fn to_json(&self) -> Value {
        json!({ "dateTime": wall_text(self.wall), "timeZone": self.zone.name() })
    }
}

/// `2026-11-24T09:00:00.0000000`
pub fn wall_text(wall: DateTime) -> String {
    format!("{}.{:07}", wall.strftime("%Y-%m-%dT%H:%M:%S"), wall.subsec_nanosecond() / 100)
}

/// A point in time as Graph writes it: up to seven decimals and `Z`.
pub fn instant_text(instant: Timestamp) -> String {
    format!("{}Z", wall_text(Zone::utc().rules().to_datetime(instant)))
}

fn parse_wall(text: &str) -> Option<DateTime> {
    let (date, time) = text.split_once('T')?;
    let plain =
        |part: &str, separator: char| part.chars().all(|c| c.is_ascii_digit() || c == separator || c == '.');
    if !plain(date, '-') || !plain(time, ':') {
        return None;
    }
    text.parse().ok().filter(|wall: &DateTime| YEARS.contains(&wall.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_written_as_graph_does() {
        let check = |value: Value, want: Option<&str>| {
            let got = Moment::parse("start", &value).ok();
            assert_eq!(got.as_ref().map(|moment| moment.instant().to_string()).as_deref(), want, "{value}");
        };
        let pacific = "Pacific Standard Time";
        check(json!({"dateTime": "2017-04-15T12:00:00", "timeZone": pacific}), Some("2017-04-15T19:00:00Z"));
        check(
            json!({"dateTime": "2017-12-15T12:00:00.0000000", "timeZone": pacific}),
            Some("2017-12-15T20:00:00Z"),
        );
        check(
            json!({"dateTime": "2026-03-29T02:30:00", "timeZone": "Europe/Berlin"}),
            Some("2026-03-29T01:30:00Z"),
        );
        check(
            json!({"dateTime": "2026-10-25T02:30:00", "timeZone": "Europe/Berlin"}),
            Some("2026-10-25T00:30:00Z"),
        );
        check(json!({"dateTime": "2017-04-15T12:00:00Z", "timeZone": "UTC"}), None);
        check(json!({"dateTime": "2017-04-15T12:00:00+01:00", "timeZone": "UTC"}), None);
        check(json!({"dateTime": "2017-04-15", "timeZone": "UTC"}), None);
        check(json!({"dateTime": "2017-04-15T12:00:00"}), None);
        check(json!({"dateTime": "0017-04-15T12:00:00", "timeZone": "UTC"}), None);
        check(json!({"dateTime": "2017-04-15T12:00:00", "timeZone": "Nowhere"}), None);
        check(json!({"dateTime": "2017-04-15T12:00:00", "timeZone": "UTC", "offset": 1}), None);
        check(json!("2017-04-15T12:00:00"), None);
    }

    #[test]
    fn seven_decimals_are_written() {
        let moment = Moment { wall: "2026-11-24T09:00:00.25".parse().unwrap(), zone: Zone::utc() };
        assert_eq!(moment.to_json(), json!({"dateTime": "2026-11-24T09:00:00.2500000", "timeZone": "UTC"}));
        assert_eq!(
            instant_text("2026-11-24T09:00:00.1234567Z".parse().unwrap()),
            "2026-11-24T09:00:00.1234567Z"
        );
    }
}
