//! From Graph's JSON to the model.
//!
//! A property that is missing or null has its documented default. A value that is not documented is an error that
//! carries it: better to leave one entry out and say so than to show it wrong.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};
use joinery_calendar_sync::{Item, OccurrenceStub};
use joinery_model::{Body, BodyKind, Event, EventId, EventKind, Person, Response, Sensitivity, ShowAs};
use serde_json::Value;

use crate::wire::{DateTimeBody, EventBody, ItemBody, RecipientBody};
use crate::zones::zone;

/// Why an event cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OddEvent {
    /// It has no id.
    #[error("an event from Graph has no id")]
    NoId,
    /// A property has a type that it never has.
    #[error("an event from Graph is not built as documented")]
    Shape,
    /// A property that cannot be done without is missing.
    #[error("an event from Graph has no {property}")]
    Missing {
        /// Graph's name of it.
        property: &'static str,
    },
    /// A property has a value that is not documented.
    #[error("an event from Graph has {property} {value}, which this version does not know")]
    Unknown {
        /// Graph's name of it.
        property: &'static str,
        /// The value, if it can be shown.
        value: String,
    },
    /// A time cannot be read.
    #[error("an event from Graph has a time that cannot be read")]
    Time,
    /// It ends before it starts.
    #[error("an event from Graph ends before it starts")]
    BackToFront,
}

impl OddEvent {
    fn unknown(property: &'static str, value: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || " _-.:/+()".contains(c);
        let shown = (1..=64).contains(&value.len()) && value.chars().all(plain);
        Self::Unknown { property, value: if shown { value } else { "(not shown)" }.to_owned() }
    }
}

/// One entry of a delta page. An entry that cannot be understood is told with its id, where it has one.
pub(crate) fn item(entry: Value) -> Result<Item, (Option<EventId>, OddEvent)> {
    let id = id(&entry).map_err(|odd| (None, odd))?;
    let has = |property: &str| entry.get(property).is_some_and(|value| !value.is_null());
    if has("@removed") {
        return Ok(Item::Removed(id));
    }
    // A stub has no such property at all; an occurrence without a title has one that is null or empty.
    let bare = entry.get("subject").is_none() && entry.get("body").is_none();
    translate(id.clone(), entry, bare).map_err(|odd| (Some(id), odd))
}

/// One event by itself.
pub(crate) fn event(entry: Value) -> Result<Event, OddEvent> {
    let id = id(&entry)?;
    match translate(id, entry, false)? {
        Item::Event(event) => Ok(*event),
        Item::Stub(_) | Item::Removed(_) => Err(OddEvent::Shape),
    }
}

fn id(entry: &Value) -> Result<EventId, OddEvent> {
    let id = entry.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
    id.map(EventId::new).ok_or(OddEvent::NoId)
}

fn translate(id: EventId, entry: Value, bare: bool) -> Result<Item, OddEvent> {
    let entry: EventBody = serde_json::from_value(entry).map_err(|_| OddEvent::Shape)?;
    let kind = kind(&entry)?;
    let start = moment(entry.start.as_ref(), "start")?;
    let end = moment(entry.end.as_ref(), "end")?;
    if end.instant < start.instant {
        return Err(OddEvent::BackToFront);
    }
    let series_master = entry.series_master_id.filter(|id| !id.is_empty()).map(EventId::new);
    if kind == EventKind::Occurrence && bare {
        let series_master = series_master.ok_or(OddEvent::Missing { property: "seriesMasterId" })?;
        let (first_day, after_last_day) = days(&start, &end)?;
        let stub = OccurrenceStub {
            id,
            series_master,
            start: start.instant,
            end: end.instant,
            first_day,
            after_last_day,
        };
        return Ok(Item::Stub(stub));
    }
    let all_day = entry.is_all_day.unwrap_or_default();
    let (start, end) = if all_day {
        let (first, after) = days(&start, &end)?;
        (midnight(first)?, midnight(after)?)
    } else {
        (start.instant, end.instant)
    };
    let response = entry.response_status.and_then(|status| status.response);
    Ok(Item::Event(Box::new(Event {
        id,
        kind,
        series_master,
        subject: entry.subject.unwrap_or_default(),
        body: entry.body.map(body).transpose()?.unwrap_or_default(),
        location: entry.location.and_then(|location| location.display_name).unwrap_or_default(),
        online_meeting_url: entry
            .online_meeting
            .and_then(|meeting| meeting.join_url)
            .filter(|url| !url.is_empty()),
        start,
        end,
        all_day,
        cancelled: entry.is_cancelled.unwrap_or_default(),
        organizer: entry.organizer.and_then(person),
        response: self::response(response.as_deref(), entry.is_organizer.unwrap_or_default())?,
        sensitivity: sensitivity(entry.sensitivity.as_deref())?,
        show_as: show_as(entry.show_as.as_deref())?,
    })))
}

/// `type`; answers that leave it out still tell by what else they hold.
fn kind(entry: &EventBody) -> Result<EventKind, OddEvent> {
    match entry.kind.as_deref() {
        Some("singleInstance") => Ok(EventKind::Single),
        Some("occurrence") => Ok(EventKind::Occurrence),
        Some("exception") => Ok(EventKind::Exception),
        Some("seriesMaster") => Ok(EventKind::SeriesMaster),
        Some(other) => Err(OddEvent::unknown("type", other)),
        None if entry.recurrence.is_some() => Ok(EventKind::SeriesMaster),
        None if entry.series_master_id.is_some() => Ok(EventKind::Occurrence),
        None => Ok(EventKind::Single),
    }
}

fn body(body: ItemBody) -> Result<Body, OddEvent> {
    let kind = match body.content_type.as_deref() {
        None => BodyKind::Html,
        Some(kind) if kind.eq_ignore_ascii_case("html") => BodyKind::Html,
        Some(kind) if kind.eq_ignore_ascii_case("text") => BodyKind::Text,
        Some(other) => return Err(OddEvent::unknown("body.contentType", other)),
    };
    Ok(Body { kind, content: body.content.unwrap_or_default() })
}

fn person(recipient: RecipientBody) -> Option<Person> {
    let email = recipient.email_address?;
    let person = Person { name: email.name.unwrap_or_default(), address: email.address.unwrap_or_default() };
    (!person.name.is_empty() || !person.address.is_empty()).then_some(person)
}

/// The organizer's own copy counts as theirs also where no answer is recorded: appointments without attendees have
/// none.
fn response(text: Option<&str>, is_organizer: bool) -> Result<Response, OddEvent> {
    match text {
        None | Some("none" | "notResponded") if is_organizer => Ok(Response::Organizer),
        None | Some("none" | "notResponded") => Ok(Response::None),
        Some("organizer") => Ok(Response::Organizer),
        Some("accepted") => Ok(Response::Accepted),
        Some("tentativelyAccepted") => Ok(Response::Tentative),
        Some("declined") => Ok(Response::Declined),
        Some(other) => Err(OddEvent::unknown("responseStatus.response", other)),
    }
}

fn sensitivity(text: Option<&str>) -> Result<Sensitivity, OddEvent> {
    match text {
        None | Some("normal") => Ok(Sensitivity::Normal),
        Some("personal") => Ok(Sensitivity::Personal),
        Some("private") => Ok(Sensitivity::Private),
        Some("confidential") => Ok(Sensitivity::Confidential),
        Some(other) => Err(OddEvent::unknown("sensitivity", other)),
    }
}

fn show_as(text: Option<&str>) -> Result<ShowAs, OddEvent> {
    match text {
        None | Some("busy") => Ok(ShowAs::Busy),
        Some("free") => Ok(ShowAs::Free),
        Some("tentative") => Ok(ShowAs::Tentative),
        Some("oof") => Ok(ShowAs::OutOfOffice),
        Some("workingElsewhere") => Ok(ShowAs::WorkingElsewhere),
        Some("unknown") => Ok(ShowAs::Unknown),
        Some(other) => Err(OddEvent::unknown("showAs", other)),
    }
}

/// A point in time, and the day that the wall clock showed.
struct Moment {
    instant: Timestamp,
    day: Date,
}

fn moment(body: Option<&DateTimeBody>, property: &'static str) -> Result<Moment, OddEvent> {
    let body = body.ok_or(OddEvent::Missing { property })?;
    let text = body.date_time.trim();
    // Documented without an offset; one that is there counts.
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(Moment { instant, day: Offset::UTC.to_datetime(instant).date() });
    }
    let wall: jiff::civil::DateTime = text.parse().map_err(|_| OddEvent::Time)?;
    let name = body.time_zone.as_deref();
    let zone = zone(name).ok_or_else(|| OddEvent::unknown("timeZone", name.unwrap_or_default()))?;
    let instant = zone.to_timestamp(wall).map_err(|_| OddEvent::Time)?;
    Ok(Moment { instant, day: wall.date() })
}

/// First day and the day after the last one: never the same, an all-day event takes at least a day.
fn days(start: &Moment, end: &Moment) -> Result<(Date, Date), OddEvent> {
    let next = start.day.checked_add(1.day()).map_err(|_| OddEvent::Time)?;
    Ok((start.day, end.day.max(next)))
}

/// Which midnight Graph means by an all-day event is not documented: the date counts, and the model holds it as
/// midnight UTC.
fn midnight(day: Date) -> Result<Timestamp, OddEvent> {
    Offset::UTC.to_timestamp(day.into()).map_err(|_| OddEvent::Time)
}

#[cfg(test)]
mod tests;
