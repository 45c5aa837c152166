//! Graph's JSON of a recurrence, read strictly and written as the documentation shows it.

use jiff::civil::{Date, Weekday};
use serde_json::{Map, Value, json};

use crate::moment::Moment;
use crate::recurrence::{Index, Pattern, Recurrence, Until};
use crate::refusal::Refusal;
use crate::zones::Zone;

const DAYS: [(&str, Weekday); 7] = [
    ("sunday", Weekday::Sunday),
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
];

const INDEXES: [(&str, Index); 5] = [
    ("first", Index::First),
    ("second", Index::Second),
    ("third", Index::Third),
    ("fourth", Index::Fourth),
    ("last", Index::Last),
];

/// Longest interval that is accepted; Outlook's own limit is of this size.
const MAX_INTERVAL: u64 = 999;

impl Recurrence {
    /// Reads `{"pattern", "range"}` of a series whose first occurrence starts at `start`. `startDate` must be the day of
    /// `start`: the documentation says so.
    pub fn parse(value: &Value, start: &Moment) -> Result<Self, Refusal> {
        let whole = object("recurrence", Some(value), &["pattern", "range"])?;
        let pattern = object(
            "pattern",
            whole.get("pattern"),
            &["type", "interval", "daysOfWeek", "firstDayOfWeek", "dayOfMonth", "month", "index"],
        )?;
        let range = object(
            "range",
            whole.get("range"),
            &["type", "startDate", "endDate", "numberOfOccurrences", "recurrenceTimeZone"],
        )?;
        let interval = number(pattern, "interval")?.filter(|interval| (1..=MAX_INTERVAL).contains(interval));
        let interval =
            interval.and_then(|interval| u32::try_from(interval).ok()).ok_or_else(|| wrong("interval"))?;
        let first_date = date(range, "startDate")?.ok_or_else(|| wrong("startDate"))?;
        if first_date != start.wall.date() {
            return Err(Refusal::bad_value("Property 'startDate' must be the date of the event's start."));
        }
        let zone = match range.get("recurrenceTimeZone") {
            None | Some(Value::Null) => start.zone.clone(),
            Some(name) => name.as_str().and_then(Zone::named).ok_or_else(|| wrong("recurrenceTimeZone"))?,
        };
        Ok(Self {
            pattern: read_pattern(pattern)?,
            interval,
            start: first_date,
            until: read_until(range)?,
            zone,
        })
    }

    /// All properties, those without a meaning for the pattern with the values that Graph fills in.
    pub fn to_json(&self) -> Value {
        let (kind, days, first, day, month, index) = match &self.pattern {
            Pattern::Daily => ("daily", &[][..], Weekday::Sunday, 0, 0, Index::First),
            Pattern::Weekly { days, first } => ("weekly", days.as_slice(), *first, 0, 0, Index::First),
            Pattern::AbsoluteMonthly { day } => {
                ("absoluteMonthly", &[][..], Weekday::Sunday, *day, 0, Index::First)
            }
            Pattern::RelativeMonthly { days, index } => {
                ("relativeMonthly", days.as_slice(), Weekday::Sunday, 0, 0, *index)
            }
            Pattern::AbsoluteYearly { month, day } => {
                ("absoluteYearly", &[][..], Weekday::Sunday, *day, *month, Index::First)
            }
            Pattern::RelativeYearly { month, days, index } => {
                ("relativeYearly", days.as_slice(), Weekday::Sunday, 0, *month, *index)
            }
        };
        let mut pattern = json!({
            "type": kind, "interval": self.interval, "month": month, "dayOfMonth": day,
            "firstDayOfWeek": name_of(&DAYS, &first), "index": name_of(&INDEXES, &index),
        });
        if let (false, Some(object)) = (days.is_empty(), pattern.as_object_mut()) {
            let days: Vec<&str> = days.iter().map(|day| name_of(&DAYS, day)).collect();
            object.insert("daysOfWeek".to_owned(), json!(days));
        }
        let (kind, end, count) = match self.until {
            Until::Date(end) => ("endDate", end.to_string(), 0),
            Until::Count(count) => ("numbered", "0001-01-01".to_owned(), count),
            Until::Never => ("noEnd", "0001-01-01".to_owned(), 0),
        };
        json!({
            "pattern": pattern,
            "range": {
                "type": kind, "startDate": self.start.to_string(), "endDate": end,
                "recurrenceTimeZone": self.zone.name(), "numberOfOccurrences": count,
            },
        })
    }
}

fn read_pattern(pattern: &Map<String, Value>) -> Result<Pattern, Refusal> {
    let kind = text(pattern, "type")?.ok_or_else(|| wrong("type"))?;
    let day = || day_number(pattern, "dayOfMonth", 31);
    let month = || day_number(pattern, "month", 12);
    let index = || match text(pattern, "index")? {
        None => Ok(Index::First),
        Some(name) => value_of(&INDEXES, name).ok_or_else(|| wrong("index")),
    };
    let days = || {
        let list = pattern.get("daysOfWeek").and_then(Value::as_array).filter(|list| !list.is_empty());
        list.ok_or_else(|| wrong("daysOfWeek"))?
            .iter()
            .map(|day| day.as_str().and_then(|day| value_of(&DAYS, day)).ok_or_else(|| wrong("daysOfWeek")))
            .collect::<Result<Vec<_>, _>>()
    };
    match kind.to_ascii_lowercase().as_str() {
        "daily" => Ok(Pattern::Daily),
        "weekly" => {
            let first = match text(pattern, "firstDayOfWeek")? {
                None => Weekday::Sunday,
                Some(day) => value_of(&DAYS, day).ok_or_else(|| wrong("firstDayOfWeek"))?,
            };
            Ok(Pattern::Weekly { days: days()?, first })
        }
        "absolutemonthly" => Ok(Pattern::AbsoluteMonthly { day: day()? }),
        "relativemonthly" => Ok(Pattern::RelativeMonthly { days: days()?, index: index()? }),
        "absoluteyearly" => Ok(Pattern::AbsoluteYearly { month: month()?, day: day()? }),
        "relativeyearly" => Ok(Pattern::RelativeYearly { month: month()?, days: days()?, index: index()? }),
        _ => Err(wrong("type")),
    }
}

fn read_until(range: &Map<String, Value>) -> Result<Until, Refusal> {
    match text(range, "type")?.unwrap_or_default().to_ascii_lowercase().as_str() {
        "enddate" => Ok(Until::Date(date(range, "endDate")?.ok_or_else(|| wrong("endDate"))?)),
        "numbered" => {
            let count = number(range, "numberOfOccurrences")?.filter(|count| *count > 0);
            Ok(Until::Count(
                count
                    .and_then(|count| u32::try_from(count).ok())
                    .ok_or_else(|| wrong("numberOfOccurrences"))?,
            ))
        }
        "noend" => Ok(Until::Never),
        _ => Err(wrong("range type")),
    }
}

fn wrong(name: &str) -> Refusal {
    Refusal::bad_value(format!("Property '{name}' of the recurrence is missing or not valid."))
}

fn object<'a>(
    name: &str,
    value: Option<&'a Value>,
    known: &[&str],
) -> Result<&'a Map<String, Value>, Refusal> {
    let object = value.and_then(Value::as_object).ok_or_else(|| wrong(name))?;
    match object.keys().find(|key| !key.starts_with("@odata.") && !known.contains(&key.as_str())) {
        Some(unknown) => {
            Err(Refusal::bad_body(format!("The property '{unknown}' does not exist on type '{name}'.")))
        }
        None => Ok(object),
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, Refusal> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| wrong(name)),
    }
}

fn number(object: &Map<String, Value>, name: &str) -> Result<Option<u64>, Refusal> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_u64().map(Some).ok_or_else(|| wrong(name)),
    }
}

fn day_number(object: &Map<String, Value>, name: &str, most: u64) -> Result<i8, Refusal> {
    let number = number(object, name)?.filter(|number| (1..=most).contains(number));
    number.and_then(|number| i8::try_from(number).ok()).ok_or_else(|| wrong(name))
}

fn date(object: &Map<String, Value>, name: &str) -> Result<Option<Date>, Refusal> {
    text(object, name)?.map(|text| text.parse().map_err(|_| wrong(name))).transpose()
}

fn value_of<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}

fn name_of<'a, T: PartialEq>(names: &[(&'a str, T)], value: &T) -> &'a str {
    names.iter().find(|(_, known)| known == value).map_or("", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn monday() -> Moment {
        Moment {
            wall: "2017-09-04T12:00:00".parse().unwrap(),
            zone: Zone::named("Pacific Standard Time").unwrap(),
        }
    }

    #[test]
    fn the_documented_series_comes_back_as_documented() {
        let request: Value =
            serde_json::from_str(include_str!("../../fixtures/graph/user-post-events-05-request.json"))
                .unwrap();
        let answer: Value =
            serde_json::from_str(include_str!("../../fixtures/graph/user-post-events-06-response.json"))
                .unwrap();
        assert_eq!(
            Recurrence::parse(&request["recurrence"], &monday()).unwrap().to_json(),
            answer["recurrence"]
        );
    }

    #[test]
    fn wrong_recurrences_are_refused() {
        let check = |pattern: Value, range: Value| {
            let refusal =
                Recurrence::parse(&json!({"pattern": pattern, "range": range}), &monday()).unwrap_err();
            assert!(refusal.mistake && refusal.status == 400);
        };
        let range = || json!({"type": "noEnd", "startDate": "2017-09-04"});
        let daily = || json!({"type": "daily", "interval": 1});
        check(json!({"type": "daily"}), range());
        check(json!({"type": "daily", "interval": 0}), range());
        check(json!({"type": "hourly", "interval": 1}), range());
        check(json!({"type": "weekly", "interval": 1}), range());
        check(json!({"type": "weekly", "interval": 1, "daysOfWeek": ["Moonday"]}), range());
        check(json!({"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 32}), range());
        check(json!({"type": "daily", "interval": 1, "colour": "red"}), range());
        check(daily(), json!({"type": "noEnd", "startDate": "2017-09-05"}));
        check(daily(), json!({"type": "numbered", "startDate": "2017-09-04"}));
        check(daily(), json!({"type": "endDate", "startDate": "2017-09-04"}));
        check(daily(), json!({"type": "noEnd", "startDate": "2017-09-04", "recurrenceTimeZone": "Nowhere"}));
    }
}
