//! What really changed.

use std::collections::{BTreeMap, BTreeSet};

use joinery_model::{EventId, Meeting};

/// What has to be committed: ordered by event id, disjoint, and without anything that is as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// New and changed meetings.
    pub upserts: Vec<Meeting>,
    /// Known meetings that are no longer there.
    pub removes: Vec<EventId>,
}

impl Changes {
    /// Nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.upserts.is_empty() && self.removes.is_empty()
    }
}

/// Compares what a round brought with what is `known`. Of a `full` round everything that it did not bring is gone; else
/// only what it names in `removed`. Removing what is not known changes nothing, and what stands in both `meetings` and
/// `removed` is there.
pub fn diff(
    known: &BTreeMap<EventId, Meeting>,
    full: bool,
    meetings: BTreeMap<EventId, Meeting>,
    removed: &BTreeSet<EventId>,
) -> Changes {
    let is_gone = |id: &&EventId| !meetings.contains_key(id) && (full || removed.contains(id));
    let removes = known.keys().filter(is_gone).cloned().collect();
    let upserts =
        meetings.into_iter().filter(|(id, new)| known.get(id) != Some(new)).map(|(_, new)| new).collect();
    Changes { upserts, removes }
}

#[cfg(test)]
mod tests {
    use joinery_model::{MeetingStatus, Response};

    use super::*;

    fn list(meetings: &[(&str, &str)]) -> BTreeMap<EventId, Meeting> {
        let meeting = |&(id, subject): &(&str, &str)| Meeting {
            event: EventId::new(id),
            subject: subject.into(),
            start: "2026-11-24T09:00:00Z".parse().unwrap(),
            end: "2026-11-24T09:30:00Z".parse().unwrap(),
            all_day: false,
            location: String::new(),
            organizer: None,
            private: false,
            free: false,
            status: MeetingStatus::Confirmed,
            response: Response::Accepted,
            join: None,
        };
        meetings.iter().map(meeting).map(|meeting| (meeting.event.clone(), meeting)).collect()
    }

    fn check(known: &[(&str, &str)], full: bool, new: &[(&str, &str)], removed: &[&str], want: &str) {
        let removed = removed.iter().copied().map(EventId::new).collect();
        let changes = diff(&list(known), full, list(new), &removed);
        let upserts =
            changes.upserts.iter().map(|meeting| format!("+{}={}", meeting.event.as_str(), meeting.subject));
        let removes = changes.removes.iter().map(|id| format!("-{}", id.as_str()));
        assert_eq!(removes.chain(upserts).collect::<Vec<_>>().join(" "), want);
        assert_eq!(changes.is_empty(), want.is_empty());
    }

    #[test]
    fn only_what_changed_is_named() {
        check(&[], false, &[("a", "x")], &[], "+a=x");
        check(&[("a", "x")], false, &[("a", "x")], &[], "");
        check(&[("a", "x")], false, &[("a", "y"), ("b", "z")], &[], "+a=y +b=z");
        check(&[("a", "x"), ("b", "y")], false, &[], &[], "");
    }

    #[test]
    fn removing_the_unknown_changes_nothing() {
        check(&[("a", "x")], false, &[], &["b"], "");
        check(&[("a", "x"), ("b", "y")], false, &[("c", "z")], &["a", "q"], "-a +c=z");
        check(&[("a", "x")], false, &[("a", "x")], &["a"], "");
    }

    #[test]
    fn a_full_round_removes_what_it_does_not_bring() {
        check(&[("a", "x"), ("b", "y"), ("c", "z")], true, &[("b", "y"), ("c", "w")], &[], "-a +c=w");
        check(&[("a", "x")], true, &[("a", "x")], &["a"], "");
        check(&[("a", "x")], true, &[], &[], "-a");
    }
}
