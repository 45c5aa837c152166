//! What this device shows, and what happened to it between two looks.
//!
//! Plain values: the clock and waiting for it are [`crate::schedule`]'s.

use std::collections::BTreeMap;

use jiff::Timestamp;
use joinery_agenda::{Entry, Shown, Transition, next_change, transitions};
use joinery_model::RowId;

use crate::holdings::View;
use crate::listing::{Change, EventJson, EventKind};

/// When more meetings than this change at once, one event counts them: it is a first list or one after a long absence,
/// and who watches reads the list then.
const TOLD_ONE_BY_ONE: usize = 64;

/// The list and its buttons at one instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Board {
    /// The list, in order.
    pub entries: Vec<Entry>,
    /// The buttons that are on.
    pub shown: Shown,
}

impl Board {
    /// What should be visible at `now`.
    pub fn at(view: &View, now: Timestamp) -> Self {
        let entries = view.agenda(now);
        let shown = Shown::at(&entries, now);
        Self { entries, shown }
    }

    /// When the buttons change next.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        next_change(&self.entries, now)
    }

    /// What happened between `before` and this board.
    pub fn events_since(&self, before: &Self, now: Timestamp) -> Vec<EventJson> {
        let mut events = self.list_events(before, now);
        for step in transitions(&before.shown, &self.shown) {
            match step {
                Transition::Hide(entry) => {
                    events.push(EventJson::about(EventKind::ButtonHidden, now, &entry))
                }
                Transition::Show(entry) => events.push(EventJson::about(EventKind::ButtonShown, now, &entry)),
                Transition::Replace(entry) => {
                    let event = EventJson::about(EventKind::ButtonShown, now, &entry);
                    events.push(EventJson { replaced: true, ..event });
                }
                Transition::Start(_) => {}
            }
        }
        events
    }

    fn list_events(&self, before: &Self, now: Timestamp) -> Vec<EventJson> {
        let by_id = |board: &'_ Self| -> BTreeMap<RowId, Entry> {
            board.entries.iter().map(|entry| (entry.id, entry.clone())).collect()
        };
        let (old, new) = (by_id(before), by_id(self));
        let gone =
            old.iter().filter(|(id, _)| !new.contains_key(*id)).map(|(_, entry)| (Change::Removed, entry));
        let come = new.iter().filter_map(|(id, entry)| match old.get(id) {
            None => Some((Change::Added, entry)),
            Some(former) if former != entry => Some((Change::Changed, entry)),
            Some(_) => None,
        });
        let changes: Vec<(Change, &Entry)> = gone.chain(come).collect();
        if changes.len() > TOLD_ONE_BY_ONE {
            let event = EventJson::new(EventKind::MeetingsChanged, now);
            return vec![EventJson { count: Some(changes.len()), ..event }];
        }
        let event = |(change, entry)| {
            let event = EventJson::about(EventKind::MeetingsChanged, now, entry);
            EventJson { change: Some(change), ..event }
        };
        changes.into_iter().map(event).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use joinery_agenda::Policy;

    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-24T{time}:00Z").parse().unwrap()
    }

    /// A board at `now` of meetings written as `a 09:00 10:00`.
    fn board(now: &str, lines: &[&str]) -> Board {
        let meeting = |line: &&str| {
            let words: Vec<&str> = line.split(' ').collect();
            let text = format!(
                r#"{{"event":"E","subject":"{}","start":"{}","end":"{}","status":"confirmed","response":"accepted","join":{{"url":"https://zoom.us/j/1","provider":"zoom"}}}}"#,
                words.get(3).unwrap_or(&""),
                at(words[1]),
                at(words[2])
            );
            (RowId::from_bytes([words[0].as_bytes()[0]; 16]), serde_json::from_str(&text).unwrap())
        };
        let day = Duration::from_secs(86_400);
        let view = View {
            meetings: lines.iter().map(meeting).collect(),
            policy: Some(Policy { shared: false, lead: Duration::from_secs(300), past: day, future: day }),
            ..View::default()
        };
        Board::at(&view, at(now))
    }

    #[track_caller]
    fn check(before: &Board, after: &Board, want: &str) {
        let words: Vec<String> = after
            .events_since(before, at("09:00"))
            .iter()
            .map(|event| {
                let id = event.meeting.as_ref().map_or('-', |meeting| char::from(meeting.id.as_bytes()[0]));
                let word = match (event.kind, event.change, event.count) {
                    (EventKind::ButtonShown, ..) if event.replaced => "replaced",
                    (EventKind::ButtonShown, ..) => "shown",
                    (EventKind::ButtonHidden, ..) => "hidden",
                    (EventKind::MeetingsChanged, Some(Change::Added), _) => "added",
                    (EventKind::MeetingsChanged, Some(Change::Changed), _) => "changed",
                    (EventKind::MeetingsChanged, Some(Change::Removed), _) => "removed",
                    (EventKind::MeetingsChanged, None, Some(count)) => return format!("{count} changed"),
                    _ => "unexpected",
                };
                format!("{word} {id}")
            })
            .collect();
        assert_eq!(words.join(", "), want);
    }

    #[test]
    fn what_happened_is_told() {
        let nothing = Board::default();
        let early = board("08:00", &["a 09:00 10:00"]);
        check(&nothing, &early, "added a");
        check(&early, &board("08:55", &["a 09:00 10:00"]), "shown a");
        let lit = board("08:56", &["a 09:00 10:00"]);
        check(&lit, &lit, "");
        check(&lit, &board("09:00", &["a 09:00 10:00"]), "");
        check(&lit, &board("08:57", &["a 09:01 10:00"]), "changed a, replaced a");
        check(&lit, &board("08:57", &["a 09:00 10:00 renamed"]), "changed a, replaced a");
        check(&lit, &board("08:57", &["a 12:00 13:00"]), "changed a, hidden a");
        check(&lit, &board("08:57", &[]), "removed a, hidden a");
        check(&lit, &board("10:00", &["a 09:00 10:00"]), "hidden a");
        check(&lit, &board("08:57", &["a 09:00 10:00", "b 09:00 10:00"]), "added b, shown b");
    }

    #[test]
    fn a_whole_list_is_one_event() {
        let lines: Vec<String> = (0..90).map(|n| format!("{} 15:00 16:00", char::from(b'!' + n))).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        check(&Board::default(), &board("08:00", &lines), "90 changed");
    }

    #[test]
    fn before_the_first_session_nothing_is_shown() {
        assert_eq!(Board::at(&View::default(), at("09:00")), Board::default());
    }
}
