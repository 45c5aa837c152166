//! `events`, `instances` and `calendarView`

use std::cmp::Reverse;

use http::HeaderMap;
use serde_json::{Map, Value, json};

use super::Call;
use crate::event::Window;
use crate::ids::ItemRef;
use crate::mailbox::Mailbox;
use crate::payload;
use crate::query::Options;
use crate::refusal::Refusal;
use crate::render;
use crate::world::{Reply, World};

const LIST: &[&str] = &["$top", "$skip", "$select", "$orderby", "$count"];
const VIEW: &[&str] = &["startDateTime", "endDateTime", "$top", "$skip", "$select", "$orderby", "$count"];

/// `GET …/events`: single instances and series masters.
pub fn list(world: &World, call: &Call<'_>) -> Result<Reply, Refusal> {
    let options = Options::parse(&call.request.query, LIST)?;
    let mailbox = call.of(world)?;
    let items: Vec<ItemRef> = mailbox.calendar.entries().map(|entry| ItemRef::whole(entry.number)).collect();
    answer_list(world, call, &options, items)
}

/// `GET …/calendarView`: what happens in the window; never a series master.
pub fn view(world: &World, call: &Call<'_>) -> Result<Reply, Refusal> {
    let options = Options::parse(&call.request.query, VIEW)?;
    let hidden = ["createdDateTime", "lastModifiedDateTime"];
    if options
        .value("$select")
        .is_some_and(|select| select.split(',').any(|name| hidden.contains(&name.trim())))
    {
        return Err(Refusal::bad_query(
            "createdDateTime and lastModifiedDateTime cannot be selected in a calendar view.",
        ));
    }
    let items = call.of(world)?.calendar.in_window(&options.window()?);
    answer_list(world, call, &options, items)
}

/// `GET …/events/{id}/instances`: occurrences and exceptions of a series.
pub fn instances(world: &World, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
    let options = Options::parse(&call.request.query, VIEW)?;
    let window: Window = options.window()?;
    let mailbox = call.of(world)?;
    let item = mailbox.find(id)?;
    let entry =
        mailbox.calendar.entry(item.number).filter(|entry| item.date.is_none() && entry.series.is_some());
    let entry = entry.ok_or_else(|| {
        Refusal::mistake(400, "ErrorInvalidRequest", "Instances are those of a series master.")
    })?;
    let items =
        entry.dates_in(&window).into_iter().map(|date| ItemRef::occurrence(item.number, date)).collect();
    answer_list(world, call, &options, items)
}

/// `GET …/events/{id}`
pub fn show(world: &World, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
    let options = Options::parse(&call.request.query, &["$select"])?;
    let mailbox = call.of(world)?;
    let mut event = whole_event(world, call, mailbox, mailbox.find(id)?)?;
    options.select(&mut event);
    Ok(Reply::json(200, Value::Object(event)))
}

/// `POST …/events`
pub fn create(world: &mut World, call: &Call<'_>) -> Result<Reply, Refusal> {
    call.no_options()?;
    let mut draft = payload::draft(&call.body()?)?;
    let mailbox = call.of_mut(world)?;
    let owner = json!({"emailAddress": {"name": mailbox.address, "address": mailbox.address}});
    draft.content.properties.insert("organizer".to_owned(), owner);
    let item = mailbox.create(call.now, draft)?;
    let mailbox = call.of(world)?;
    let event = whole_event(world, call, mailbox, item)?;
    let location =
        format!("/v1.0/users('{}')/events('{}')", mailbox.object_id, mailbox.id(item, call.preferences.ids));
    let mut reply = Reply::json(201, Value::Object(event));
    reply.headers.push(("location", call.url(world, &location)));
    Ok(reply)
}

/// `PATCH …/events/{id}`
pub fn update(world: &mut World, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
    call.no_options()?;
    let patch = payload::patch(&call.body()?)?;
    let mailbox = call.of_mut(world)?;
    let item = mailbox.find(id)?;
    check_match(&call.request.headers, mailbox, item)?;
    mailbox.calendar.change(call.now, item, &patch)?;
    let mailbox = call.of(world)?;
    Ok(Reply::json(200, Value::Object(whole_event(world, call, mailbox, item)?)))
}

/// `DELETE …/events/{id}`
pub fn delete(world: &mut World, call: &Call<'_>, id: &str) -> Result<Reply, Refusal> {
    call.no_options()?;
    let mailbox = call.of_mut(world)?;
    let item = mailbox.find(id)?;
    check_match(&call.request.headers, mailbox, item)?;
    mailbox.calendar.delete(call.now, item)?;
    Ok(Reply::empty(204))
}

/// `If-Match` names the state that the client knows (graph contract, section 4.3).
fn check_match(headers: &HeaderMap, mailbox: &Mailbox, item: ItemRef) -> Result<(), Refusal> {
    let Some(given) = headers.get("if-match").and_then(|value| value.to_str().ok()) else { return Ok(()) };
    if given == "*" || given == format!("W/\"{}\"", mailbox.change_key(item)) {
        return Ok(());
    }
    let text = "The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.";
    Err(Refusal::normal(412, "ErrorIrresolvableConflict", text))
}

fn whole_event(
    world: &World,
    call: &Call<'_>,
    mailbox: &Mailbox,
    item: ItemRef,
) -> Result<Map<String, Value>, Refusal> {
    let mut event = render::event(mailbox, item, &call.preferences).ok_or_else(Refusal::item_gone)?;
    let context = format!("/v1.0/$metadata#users('{}')/events/$entity", mailbox.object_id);
    event.insert("@odata.context".to_owned(), json!(call.url(world, &context)));
    Ok(event)
}

fn answer_list(
    world: &World,
    call: &Call<'_>,
    options: &Options,
    items: Vec<ItemRef>,
) -> Result<Reply, Refusal> {
    let mailbox = call.of(world)?;
    let mut events: Vec<Map<String, Value>> =
        items.iter().filter_map(|item| render::event(mailbox, *item, &call.preferences)).collect();
    order(&mut events, options.value("$orderby"))?;
    let (top, skip) = options.page(call.preferences.page_size)?;
    let top = world.page_limit.map_or(top, |limit| limit.min(top));
    let count = events.len();
    let mut page: Vec<Map<String, Value>> = events.into_iter().skip(skip).take(top).collect();
    for event in &mut page {
        options.select(event);
    }
    let context = format!("/v1.0/$metadata#users('{}')/events", mailbox.object_id);
    let mut body = json!({"@odata.context": call.url(world, &context), "value": page});
    if let Some(object) = body.as_object_mut() {
        match options.value("$count") {
            None | Some("false") => {}
            Some("true") => {
                object.insert("@odata.count".to_owned(), json!(count));
            }
            Some(_) => return Err(Refusal::bad_query("Invalid value for '$count'.")),
        }
        if skip + top < count {
            let query = next_query(&call.request.query, top, skip + top);
            object.insert(
                "@odata.nextLink".to_owned(),
                json!(call.url(world, &format!("{}?{query}", call.request.path))),
            );
        }
    }
    Ok(Reply::json(200, body))
}

/// Sorts by what `$orderby` names; by start if it names nothing.
fn order(events: &mut [Map<String, Value>], orderby: Option<&str>) -> Result<(), Refusal> {
    let (property, direction) =
        orderby.map_or(("start/dateTime", "asc"), |text| text.split_once(' ').unwrap_or((text, "asc")));
    let key: fn(&Map<String, Value>) -> String = match property {
        "start/dateTime" => |event| nested(event, "start"),
        "end/dateTime" => |event| nested(event, "end"),
        "subject" => |event| plain(event, "subject"),
        "createdDateTime" => |event| plain(event, "createdDateTime"),
        "lastModifiedDateTime" => |event| plain(event, "lastModifiedDateTime"),
        _ => return Err(Refusal::bad_query(format!("Events cannot be ordered by '{property}'."))),
    };
    match direction {
        "asc" => events.sort_by_cached_key(key),
        "desc" => events.sort_by_cached_key(|event| Reverse(key(event))),
        _ => return Err(Refusal::bad_query("Invalid value for '$orderby'.")),
    }
    Ok(())
}

fn nested(event: &Map<String, Value>, name: &str) -> String {
    event
        .get(name)
        .and_then(|moment| moment.get("dateTime"))
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn plain(event: &Map<String, Value>, name: &str) -> String {
    event.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The query of the next page: the original options, further on.
fn next_query(query: &str, top: usize, skip: usize) -> String {
    let kept = query.split('&').filter(|part| !part.is_empty());
    let kept = kept
        .filter(|part| !["$top=", "$skip=", "%24top=", "%24skip="].iter().any(|name| part.starts_with(name)));
    let mut parts: Vec<String> = kept.map(str::to_owned).collect();
    parts.extend([format!("$top={top}"), format!("$skip={skip}")]);
    parts.join("&")
}
