//! Query options, read strictly: an option that the operation does not take is refused.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

use crate::event::Window;
use crate::preferences::MAX_PAGE;
use crate::refusal::Refusal;

/// Default page of a list of events.
pub const DEFAULT_PAGE: usize = 10;

/// Longest window of a calendar view, as error texts quote it.
const MAX_WINDOW_DAYS: i64 = 1825;

/// The options of a request, decoded.
#[derive(Debug)]
pub struct Options(Vec<(String, String)>);

impl Options {
    /// Decodes `query` and refuses options that are not `known`, or given twice. Names without `$` count without
    /// regard to case.
    pub fn parse(query: &str, known: &[&str]) -> Result<Self, Refusal> {
        let mut options: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let found = known.iter().find(|known| known.eq_ignore_ascii_case(&name));
            let found = found.ok_or_else(|| {
                Refusal::bad_query(format!("The query option '{name}' is not supported here."))
            })?;
            if options.iter().any(|(name, _)| name == found) {
                return Err(Refusal::bad_query(format!(
                    "Query parameter '{name}' is specified, but it should be specified only once."
                )));
            }
            options.push(((*found).to_owned(), value.into_owned()));
        }
        let options = Self(options);
        options.check_select()?;
        Ok(options)
    }

    fn check_select(&self) -> Result<(), Refusal> {
        let mut names = self.value("$select").into_iter().flat_map(|select| select.split(',')).map(str::trim);
        match names.find(|name| !SELECTABLE.contains(name)) {
            None => Ok(()),
            Some(unknown) => {
                let text =
                    format!("Could not find a property named '{unknown}' on type 'microsoft.graph.event'.");
                Err(Refusal::mistake(400, "RequestBroker--ParseUri", text))
            }
        }
    }

    /// The value of an option.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `startDateTime` and `endDateTime`, both demanded. A value without offset is UTC.
    pub fn window(&self) -> Result<Window, Refusal> {
        let instant = |name: &str| {
            let value = self.value(name).ok_or_else(|| {
                Refusal::bad_query("This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.")
            })?;
            let utc = || jiff::tz::TimeZone::UTC.to_timestamp(value.parse::<DateTime>().ok()?).ok();
            value.parse::<Timestamp>().ok().or_else(utc).ok_or_else(|| Refusal::bad_parameter(name))
        };
        let window = Window { start: instant("startDateTime")?, end: instant("endDateTime")? };
        let days = window.end.duration_since(window.start).as_hours() / 24;
        if window.end <= window.start || days > MAX_WINDOW_DAYS {
            return Err(Refusal::bad_parameter("endDateTime"));
        }
        Ok(window)
    }

    /// `$top` and `$skip`.
    pub fn page(&self, preferred: Option<usize>) -> Result<(usize, usize), Refusal> {
        let number = |name: &str| match self.value(name) {
            None => Ok(None),
            Some(text) => text
                .parse::<usize>()
                .map(Some)
                .map_err(|_| Refusal::bad_query(format!("Invalid value for '{name}'."))),
        };
        let top = number("$top")?.or(preferred).unwrap_or(DEFAULT_PAGE);
        if !(1..=MAX_PAGE).contains(&top) {
            return Err(Refusal::bad_query(format!(
                "The limit of {MAX_PAGE} for the '$top' query has been exceeded, or it is zero."
            )));
        }
        Ok((top, number("$skip")?.unwrap_or(0)))
    }

    /// Leaves of `event` what `$select` names. `id` and the etag always stay.
    pub fn select(&self, event: &mut Map<String, Value>) {
        let Some(select) = self.value("$select") else {
            event.remove(ON_REQUEST);
            return;
        };
        let names: Vec<&str> = select.split(',').map(str::trim).collect();
        event.retain(|name, _| name == "id" || name.starts_with("@odata.") || names.contains(&name.as_str()));
    }
}

/// A property that is shown only if it is asked for.
pub const ON_REQUEST: &str = "cancelledOccurrences";

/// Properties of an event that `$select` can name.
const SELECTABLE: &[&str] = &[
    "allowNewTimeProposals",
    "attendees",
    "body",
    "bodyPreview",
    "categories",
    "changeKey",
    "createdDateTime",
    "end",
    "hasAttachments",
    "hideAttendees",
    "iCalUId",
    "id",
    "importance",
    "isAllDay",
    "isCancelled",
    "isDraft",
    "isOnlineMeeting",
    "isOrganizer",
    "isReminderOn",
    "lastModifiedDateTime",
    "location",
    "locations",
    "onlineMeeting",
    "onlineMeetingProvider",
    "onlineMeetingUrl",
    "organizer",
    "originalEndTimeZone",
    "originalStart",
    "originalStartTimeZone",
    "recurrence",
    "reminderMinutesBeforeStart",
    "responseRequested",
    "responseStatus",
    "sensitivity",
    "seriesMasterId",
    "showAs",
    "start",
    "subject",
    "transactionId",
    "type",
    "webLink",
    ON_REQUEST,
];
