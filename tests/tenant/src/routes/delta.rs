//! `GET …/calendarView/delta`

use std::sync::Arc;

use serde_json::{Value, json};

use super::Call;
use crate::delta::{DeadLink, Next, Paging, Round};
use crate::event::Window;
use crate::mailbox::Mailbox;
use crate::moment::instant_text;
use crate::query::{DEFAULT_PAGE, Options};
use crate::refusal::Refusal;
use crate::render;
use crate::world::{Reply, World};

/// A page of a delta round: the first of a first round, or whatever the link leads to.
pub fn page(world: &mut World, call: &Call<'_>) -> Result<Reply, Refusal> {
    let wanted = call.preferences.page_size.unwrap_or(DEFAULT_PAGE);
    let size = world.page_limit.map_or(wanted, |limit| limit.min(wanted));
    let paging = Paging { size, replay: world.replay, empty_pages: world.empty_pages };
    let graph = world.graph_url.clone();
    let mailbox = call.of_mut(world)?;
    let (round, from, empty) = start(mailbox, call, &graph)?;
    let page = mailbox.links.page(&round, from, empty, paging);
    let value: Vec<Value> = page
        .items
        .iter()
        .filter_map(|item| {
            if mailbox.calendar.shown(*item, &round.window) {
                return render::delta_item(mailbox, *item, &call.preferences).map(Value::Object);
            }
            // What a first round never showed need not be reported as removed.
            round.since.map(|_| render::removed(mailbox, *item, &call.preferences))
        })
        .collect();
    let link = if page.last { "@odata.deltaLink" } else { "@odata.nextLink" };
    let body = json!({
        "@odata.context": format!("{graph}/v1.0/$metadata#Collection(event)"),
        link: format!("{graph}{}", page.link),
        "value": value,
    });
    Ok(Reply::json(200, body))
}

fn start(mailbox: &mut Mailbox, call: &Call<'_>, graph: &str) -> Result<(Arc<Round>, usize, bool), Refusal> {
    let (path, query) = (&call.request.path, &call.request.query);
    if !query.starts_with("$skiptoken=") && !query.starts_with("$deltatoken=") {
        let options = Options::parse(query, &["startDateTime", "endDateTime", "$deltatoken"])?;
        // The `Location` of a 410 ends in an empty token: start over.
        if options.value("$deltatoken").is_some_and(|token| !token.is_empty()) {
            return Err(Refusal::bad_query("A delta link is used as it was given, without further options."));
        }
        let window = options.window()?;
        return Ok((mailbox.links.begin(&mailbox.calendar, window, None, path), 0, false));
    }
    match mailbox.links.follow(path, query) {
        Ok(Next::Page(round, from, empty)) => Ok((round, from, empty)),
        Ok(Next::Round(window, since)) => {
            Ok((mailbox.links.begin(&mailbox.calendar, window, Some(since), path), 0, false))
        }
        Err(DeadLink::Expired(window)) => Err(gone(graph, path, window)),
        Err(DeadLink::Altered) => Err(Refusal::mistake(
            400,
            "ErrorInvalidUrlQuery",
            "The link is not one that was given: use links as they are.",
        )),
    }
}

/// 410 with a `Location` whose token is empty.
fn gone(graph: &str, path: &str, window: Window) -> Refusal {
    let (start, end) = (instant_text(window.start), instant_text(window.end));
    let location = format!("{graph}{path}?startDateTime={start}&endDateTime={end}&$deltatoken=");
    let text = "The sync state generation is not found; continue with a full synchronization.";
    Refusal::normal(410, "SyncStateNotFound", text).with_header("location", location)
}
