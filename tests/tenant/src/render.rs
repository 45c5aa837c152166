//! How Graph shows an item: complete, or as the stub that delta gives for an occurrence.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::event::Content;
use crate::ids::{self, ItemRef};
use crate::mailbox::Mailbox;
use crate::moment::{Moment, instant_text};
use crate::preferences::Preferences;

/// `bodyPreview` holds so many characters.
const PREVIEW: usize = 255;

/// Sets these properties of the content aside: they are shown in a form of their own.
const OWN_FORM: [&str; 1] = ["body"];

/// The item complete, as `events` and `calendarView` show it. Nothing if it is not there.
pub fn event(mailbox: &Mailbox, item: ItemRef, preferences: &Preferences) -> Option<Map<String, Value>> {
    let entry = mailbox.calendar.entry(item.number)?;
    let content = item.date.map_or_else(|| entry.content.clone(), |date| entry.occurrence(date));
    let exception = item.date.and_then(|date| entry.exception(date));
    let modified: Timestamp =
        exception.map_or(entry.modified, |exception| exception.modified.max(entry.modified));
    let id = mailbox.id(item, preferences.ids);
    let key = mailbox.change_key(item);
    let mut out = head(mailbox, item, &content, preferences, &id);
    out.extend(
        content
            .properties
            .iter()
            .filter(|(name, _)| !OWN_FORM.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let body = Text::of(content.properties.get("body"));
    let rest = json!({
        "createdDateTime": instant_text(entry.created),
        "lastModifiedDateTime": instant_text(modified),
        "changeKey": key,
        "originalStartTimeZone": content.start.zone.name(),
        "originalEndTimeZone": content.end.zone.name(),
        "iCalUId": ids::ical_uid(mailbox.seed(), item),
        "hasAttachments": false,
        "isDraft": false,
        "isAllDay": content.all_day,
        "webLink": format!("https://outlook.office365.com/owa/?itemid={}&exvsurl=1&path=/calendar/item", id.replace('=', "%3D")),
        "onlineMeetingUrl": null,
        "body": body.shown(preferences.text_bodies),
        "bodyPreview": body.plain().trim().chars().take(PREVIEW).collect::<String>(),
        "recurrence": entry.series.as_ref().filter(|_| item.date.is_none()).map(|series| series.recurrence.to_json()),
    });
    out.extend(rest.as_object().cloned().unwrap_or_default());
    if let Some(transaction) = entry.transaction.as_ref().filter(|_| item.date.is_none()) {
        out.insert("transactionId".to_owned(), json!(transaction));
    }
    if let Some(series) = entry.series.as_ref().filter(|_| item.date.is_none()) {
        let gone: Vec<String> = series.cancelled.iter().map(|date| format!("OID.{id}.{date}")).collect();
        out.insert(crate::query::ON_REQUEST.to_owned(), json!(gone));
    }
    if let Some(date) = item.date {
        let original = date.to_datetime(entry.content.start.wall.time());
        let original = entry.content.start.on(original).instant();
        out.insert("originalStart".to_owned(), json!(original.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()));
    }
    Some(out)
}

/// The item as delta shows it: an occurrence carries no more than its place in time and in the series.
pub fn delta_item(mailbox: &Mailbox, item: ItemRef, preferences: &Preferences) -> Option<Map<String, Value>> {
    let entry = mailbox.calendar.entry(item.number)?;
    let mut out = match item.date.filter(|date| entry.exception(*date).is_none()) {
        Some(date) => {
            head(mailbox, item, &entry.occurrence(date), preferences, &mailbox.id(item, preferences.ids))
        }
        None => event(mailbox, item, preferences)?,
    };
    out.remove(crate::query::ON_REQUEST);
    out.insert("@odata.type".to_owned(), json!("#microsoft.graph.event"));
    Some(out)
}

/// What delta says of an item that is not in the window (any more).
pub fn removed(mailbox: &Mailbox, item: ItemRef, preferences: &Preferences) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.event",
        "id": mailbox.id(item, preferences.ids),
        "@removed": { "reason": "deleted" },
    })
}

/// What a stub and a complete item have in common.
fn head(
    mailbox: &Mailbox,
    item: ItemRef,
    content: &Content,
    preferences: &Preferences,
    id: &str,
) -> Map<String, Value> {
    let entry = mailbox.calendar.entry(item.number);
    let series = entry.is_some_and(|entry| entry.series.is_some());
    let changed = item.date.and_then(|date| entry?.exception(date)).is_some();
    let kind = match (item.date, series) {
        (Some(_), _) if changed => "exception",
        (Some(_), _) => "occurrence",
        (None, true) => "seriesMaster",
        (None, false) => "singleInstance",
    };
    let master = item.date.map(|_| mailbox.id(ItemRef::whole(item.number), preferences.ids));
    let out = json!({
        "@odata.etag": format!("W/\"{}\"", mailbox.change_key(item)),
        "id": id,
        "seriesMasterId": master,
        "type": kind,
        "start": shown_moment(&content.start, content.all_day, preferences),
        "end": shown_moment(&content.end, content.all_day, preferences),
    });
    out.as_object().cloned().unwrap_or_default()
}

/// A time in the zone that was asked for. Whole days keep their dates in every zone: which midnight Graph gives is not
/// documented, and only the date parts count.
fn shown_moment(moment: &Moment, all_day: bool, preferences: &Preferences) -> Value {
    if all_day {
        return Moment { wall: moment.wall, zone: preferences.zone.clone() }.to_json();
    }
    moment.in_zone(&preferences.zone).to_json()
}

/// A body as it was written.
struct Text<'a> {
    html: bool,
    content: &'a str,
}

impl<'a> Text<'a> {
    fn of(body: Option<&'a Value>) -> Self {
        let part =
            |name: &str| body.and_then(|body| body.get(name)).and_then(Value::as_str).unwrap_or_default();
        Self { html: part("contentType") == "html", content: part("content") }
    }

    /// Converted to what was asked for; HTML if nothing was.
    fn shown(&self, as_text: bool) -> Value {
        if as_text {
            return json!({"contentType": "text", "content": self.plain()});
        }
        let content = if self.html || self.content.is_empty() {
            self.content.to_owned()
        } else {
            wrapped(self.content)
        };
        json!({"contentType": "html", "content": content})
    }

    fn plain(&self) -> String {
        if self.html { without_markup(self.content) } else { self.content.to_owned() }
    }
}

/// Plain text in the markup that Exchange puts around it.
fn wrapped(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let lines = escaped.replace("\r\n", "\n").replace('\n', "<br>\r\n");
    format!(
        "<html>\r\n<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n</head>\r\n<body>\r\n<div class=\"PlainText\">{lines}</div>\r\n</body>\r\n</html>\r\n"
    )
}

/// The text between the tags. Links keep their address in angle brackets, as Exchange writes them.
fn without_markup(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    let mut hidden_until: Option<&str> = None;
    let mut address: Option<String> = None;
    while let Some((text, after)) = rest.split_once('<') {
        let (tag, after) = after.split_once('>').unwrap_or((after, ""));
        let name: String =
            tag.chars().take_while(|c| !c.is_whitespace()).collect::<String>().to_ascii_lowercase();
        if hidden_until.is_none() {
            out.push_str(&unescaped(text));
        }
        match (name.as_str(), hidden_until) {
            (name, Some(end)) if name == end => hidden_until = None,
            (_, Some(_)) => {}
            ("head", None) => hidden_until = Some("/head"),
            ("style", None) => hidden_until = Some("/style"),
            ("script", None) => hidden_until = Some("/script"),
            ("br" | "br/" | "/p" | "/div" | "/tr" | "/li", None) => out.push('\n'),
            ("a", None) => address = attribute(tag, "href"),
            ("/a", None) => out.extend(
                address
                    .take()
                    .filter(|address| !text.contains(address.as_str()))
                    .map(|address| format!("<{address}>")),
            ),
            (_, None) => {}
        }
        rest = after;
    }
    if hidden_until.is_none() {
        out.push_str(&unescaped(rest));
    }
    out.trim().to_owned()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, value) = tag.split_once(&format!("{name}="))?;
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let value = value.get(1..)?;
    value.split(quote).next().map(unescaped)
}

fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    plain.replace("&nbsp;", "\u{a0}").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text_and_text_becomes_markup() {
        let check = |html: &str, want: &str| assert_eq!(without_markup(html), want, "{html}");
        check(
            "<html><head><title>x</title></head><body><p>One &amp; two</p><p>Three</p></body></html>",
            "One & two\nThree",
        );
        check(
            "<a href=\"https://zoom.us/j/1?a=1&amp;b=2\">Join</a> now",
            "Join<https://zoom.us/j/1?a=1&b=2> now",
        );
        check("<style>p{}</style>a<br>b", "a\nb");
        check("no markup", "no markup");
        check("broken <", "broken");
        assert!(wrapped("a < b\nc").contains("a &lt; b<br>\r\nc"));
    }
}
