//! Bodies of `POST` and `PATCH`: which properties an event has, which of them a client may write, and how Graph
//! completes what it was given (graph contract, sections 4.1 and 4.3).

use serde_json::{Map, Value, json};

use crate::event::{Content, Patch};
use crate::moment::Moment;
use crate::refusal::Refusal;

/// What was given for a new event.
#[derive(Debug, PartialEq)]
pub struct Draft {
    /// The event, completed with defaults.
    pub content: Content,
    /// `recurrence`, unread.
    pub recurrence: Option<Value>,
    /// `transactionId`.
    pub transaction: Option<String>,
}

/// Most attendees of an event.
const MAX_ATTENDEES: usize = 500;

/// Properties that only Graph sets. Sent along they are tolerated and have no effect.
const READ_ONLY: &[&str] = &[
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "originalStartTimeZone",
    "originalEndTimeZone",
    "originalStart",
    "iCalUId",
    "hasAttachments",
    "bodyPreview",
    "isCancelled",
    "isOrganizer",
    "isDraft",
    "seriesMasterId",
    "type",
    "webLink",
    "onlineMeetingUrl",
    "onlineMeeting",
    "responseStatus",
    "organizer",
    "cancelledOccurrences",
];

/// Reads the body of a `POST`.
pub fn draft(body: &Value) -> Result<Draft, Refusal> {
    let patch = patch_of(body, true)?;
    let missing = |name: &str| Refusal::bad_value(format!("Required property '{name}' is missing."));
    let start = patch.start.clone().ok_or_else(|| missing("start"))?;
    let end = patch.end.clone().ok_or_else(|| missing("end"))?;
    let mut properties = defaults();
    properties.extend(patch.properties);
    let transaction = body.get("transactionId").and_then(Value::as_str).map(str::to_owned);
    let content = Content { properties, start, end, all_day: patch.all_day.unwrap_or(false) };
    Ok(Draft { content, recurrence: patch.recurrence.filter(|value| !value.is_null()), transaction })
}

/// Reads the body of a `PATCH`.
pub fn patch(body: &Value) -> Result<Patch, Refusal> {
    patch_of(body, false)
}

/// What Graph fills in for a new event of the mailbox's owner.
fn defaults() -> Map<String, Value> {
    let value = json!({
        "subject": "", "body": {"contentType": "html", "content": ""},
        "location": location(""), "locations": [], "attendees": [], "categories": [],
        "importance": "normal", "sensitivity": "normal", "showAs": "busy",
        "isReminderOn": true, "reminderMinutesBeforeStart": 15, "responseRequested": true,
        "allowNewTimeProposals": true, "hideAttendees": false, "isCancelled": false, "isOrganizer": true,
        "isOnlineMeeting": false, "onlineMeetingProvider": "unknown", "onlineMeeting": null,
        "responseStatus": {"response": "organizer", "time": "0001-01-01T00:00:00Z"},
    });
    value.as_object().cloned().unwrap_or_default()
}

/// Graph's location of a plain name.
pub fn location(name: &str) -> Value {
    if name.is_empty() {
        return json!({"displayName": "", "locationType": "default", "uniqueIdType": "unknown", "address": {}, "coordinates": {}});
    }
    json!({"displayName": name, "locationType": "default", "uniqueId": name, "uniqueIdType": "private"})
}

fn patch_of(body: &Value, create: bool) -> Result<Patch, Refusal> {
    let object = body
        .as_object()
        .ok_or_else(|| Refusal::bad_body("A JSON object is expected in the request body."))?;
    let mut patch = Patch::default();
    for (name, value) in object {
        read_property(&mut patch, name, value, create)?;
    }
    let given = |name: &str| object.contains_key(name);
    if given("locations") && !given("location") {
        let places = patch.properties.get("locations").and_then(Value::as_array).into_iter().flatten();
        let names: Vec<&str> = places.filter_map(|place| place.get("displayName")?.as_str()).collect();
        let joined = location(&names.join("; "));
        patch.properties.insert("location".to_owned(), joined);
    }
    if given("location") && !given("locations") {
        // Setting one location replaces them all.
        let place = patch.properties.get("location").filter(|place| place.get("uniqueId").is_some());
        let places: Vec<Value> = place.map(|place| place_of(place.clone())).into_iter().collect();
        patch.properties.insert("locations".to_owned(), Value::Array(places));
    }
    Ok(patch)
}

fn read_property(patch: &mut Patch, name: &str, value: &Value, create: bool) -> Result<(), Refusal> {
    let mut set = |value: Value| {
        patch.properties.insert(name.to_owned(), value);
    };
    match name {
        "start" => patch.start = Some(Moment::parse(name, value)?),
        "end" => patch.end = Some(Moment::parse(name, value)?),
        "isAllDay" => patch.all_day = Some(boolean(name, value)?),
        "recurrence" => patch.recurrence = Some(value.clone()),
        "subject" => set(json!(text(name, value)?)),
        "body" => set(read_body(value)?),
        "isReminderOn"
        | "responseRequested"
        | "hideAttendees"
        | "allowNewTimeProposals"
        | "isOnlineMeeting" => {
            set(json!(boolean(name, value)?));
        }
        "reminderMinutesBeforeStart" => {
            set(json!(value.as_i64().ok_or_else(|| wrong_type(name, "Int32"))?));
        }
        "importance" => set(one_of(name, value, &["low", "normal", "high"])?),
        "sensitivity" => set(one_of(name, value, &["normal", "personal", "private", "confidential"])?),
        "showAs" => {
            set(one_of(name, value, &["free", "tentative", "busy", "oof", "workingElsewhere", "unknown"])?)
        }
        "onlineMeetingProvider" => {
            set(one_of(
                name,
                value,
                &["unknown", "skypeForBusiness", "skypeForConsumer", "teamsForBusiness"],
            )?);
        }
        "categories" => set(list(name, value, |entry| text(name, entry).map(|text| json!(text)))?),
        "attendees" => set(list(name, value, read_attendee)?),
        "locations" => set(list(name, value, |place| read_location(name, place).map(place_of))?),
        "location" => set(read_location(name, value)?),
        "transactionId" if create => {
            text(name, value)?;
        }
        "transactionId" => return Err(Refusal::bad_value("Property 'transactionId' cannot be changed.")),
        _ if READ_ONLY.contains(&name) || name.starts_with("@odata.") => {}
        _ => {
            let text = format!("The property '{name}' does not exist on type 'microsoft.graph.event'.");
            return Err(Refusal::bad_body(text));
        }
    }
    Ok(())
}

fn read_body(value: &Value) -> Result<Value, Refusal> {
    let object = known("body", value, &["contentType", "content"])?;
    let kind = match object.get("contentType") {
        None | Some(Value::Null) => json!("text"),
        Some(kind) => one_of("contentType", kind, &["html", "text"])?,
    };
    let content = object.get("content").map_or(Ok(""), |content| text("content", content))?;
    Ok(json!({"contentType": kind, "content": content}))
}

fn read_location(name: &str, value: &Value) -> Result<Value, Refusal> {
    let keys = [
        "displayName",
        "locationType",
        "uniqueId",
        "uniqueIdType",
        "address",
        "coordinates",
        "locationUri",
        "locationEmailAddress",
    ];
    let object = known(name, value, &keys)?;
    let display = object.get("displayName").map_or(Ok(""), |text_value| text("displayName", text_value))?;
    let Value::Object(mut place) = location(display) else { return Ok(Value::Null) };
    place.extend(object.clone());
    if let Some(kind) = object.get("locationType").and_then(Value::as_str) {
        place.insert("locationType".to_owned(), json!(lower_first(kind)));
    }
    Ok(Value::Object(place))
}

/// One of `locations`: unlike `location`, a place that is no more than a name has no id.
fn place_of(mut place: Value) -> Value {
    if let Some(object) = place.as_object_mut()
        && !object.contains_key("address")
    {
        object.remove("uniqueId");
        object.insert("uniqueIdType".to_owned(), json!("unknown"));
    }
    place
}

fn read_attendee(value: &Value) -> Result<Value, Refusal> {
    let object = known("attendees", value, &["emailAddress", "type", "status", "proposedNewTime"])?;
    let address =
        known("emailAddress", object.get("emailAddress").unwrap_or(&Value::Null), &["address", "name"])?;
    let mail = address.get("address").and_then(Value::as_str).filter(|mail| mail.contains('@'));
    let mail = mail.ok_or_else(|| {
        Refusal::mistake(400, "ErrorInvalidRecipients", "At least one recipient isn't valid.")
    })?;
    let kind = match object.get("type") {
        None | Some(Value::Null) => json!("required"),
        Some(kind) => one_of("type", kind, &["required", "optional", "resource"])?,
    };
    let name = address.get("name").and_then(Value::as_str).unwrap_or(mail);
    let none = json!({"response": "none", "time": "0001-01-01T00:00:00Z"});
    let status = object.get("status").filter(|status| status.is_object()).unwrap_or(&none);
    Ok(json!({"type": kind, "status": status, "emailAddress": {"name": name, "address": mail}}))
}

fn known<'a>(name: &str, value: &'a Value, keys: &[&str]) -> Result<&'a Map<String, Value>, Refusal> {
    let object = value.as_object().ok_or_else(|| wrong_type(name, "an object"))?;
    match object.keys().find(|key| !key.starts_with("@odata.") && !keys.contains(&key.as_str())) {
        Some(key) => {
            Err(Refusal::bad_body(format!("The property '{key}' does not exist on the type of '{name}'.")))
        }
        None => Ok(object),
    }
}

fn list(
    name: &str,
    value: &Value,
    read: impl Fn(&Value) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let entries = value.as_array().ok_or_else(|| wrong_type(name, "a collection"))?;
    if entries.len() > MAX_ATTENDEES {
        return Err(Refusal::bad_value(format!("Property '{name}' has more than {MAX_ATTENDEES} entries.")));
    }
    entries.iter().map(read).collect()
}

fn text<'a>(name: &str, value: &'a Value) -> Result<&'a str, Refusal> {
    value.as_str().ok_or_else(|| wrong_type(name, "String"))
}

fn boolean(name: &str, value: &Value) -> Result<bool, Refusal> {
    value.as_bool().ok_or_else(|| wrong_type(name, "Boolean"))
}

/// Names of values are read without regard to case and written as the schema spells them.
fn one_of(name: &str, value: &Value, values: &[&str]) -> Result<Value, Refusal> {
    let given = text(name, value)?;
    let found = values.iter().find(|known| known.eq_ignore_ascii_case(given));
    found
        .map(|known| json!(known))
        .ok_or_else(|| Refusal::bad_body(format!("Property '{name}' does not know this value.")))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

fn wrong_type(name: &str, wanted: &str) -> Refusal {
    Refusal::bad_body(format!("Cannot convert the value of property '{name}': {wanted} is expected."))
}
