//! From the buttons that a driver shows to those that it should show.

use std::collections::BTreeMap;

use jiff::Timestamp;
use joinery_model::RowId;

use crate::{Entry, lit_entries};

/// The buttons that are on at one instant, in the order of [`crate::lit`], and whether each meeting has started.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown(Vec<Face>);

/// A button and what is to be read on it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Face {
    entry: Entry,
    started: bool,
}

impl Shown {
    /// What should be visible at `now`.
    pub fn at(entries: &[Entry], now: Timestamp) -> Self {
        let face = |entry: &Entry| Face { entry: entry.clone(), started: entry.start <= now };
        Self(lit_entries(entries, now).into_iter().map(face).collect())
    }

    /// The meetings whose buttons are on.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().map(|face| &face.entry)
    }

    /// The meeting whose button has this id.
    pub fn entry(&self, id: RowId) -> Option<&Entry> {
        self.entries().find(|entry| entry.id == id)
    }
}

/// One step that a driver takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// The button goes off: over, cancelled, declined, moved away, or no longer joinable. The entry as it was shown.
    Hide(Entry),
    /// The button stays, what it says or where it leads has changed: moved, renamed, retargeted. It keeps its identity.
    Replace(Entry),
    /// The button stays as it is; its meeting has begun.
    Start(Entry),
    /// The button goes on.
    Show(Entry),
}

impl Transition {
    /// Whose button it is.
    pub fn id(&self) -> RowId {
        match self {
            Self::Hide(entry) | Self::Replace(entry) | Self::Start(entry) | Self::Show(entry) => entry.id,
        }
    }
}

/// The steps from `before` to `after`: first what goes, so that nobody joins it any more; then the others in their
/// order. At most one step a button, and none for a button that stays as it is.
pub fn transitions(before: &Shown, after: &Shown) -> Vec<Transition> {
    let known: BTreeMap<RowId, &Face> = before.0.iter().map(|face| (face.entry.id, face)).collect();
    let gone = before.entries().filter(|entry| after.entry(entry.id).is_none());
    let come = after.0.iter().filter_map(|face| match known.get(&face.entry.id) {
        None => Some(Transition::Show(face.entry.clone())),
        Some(old) if old.entry != face.entry => Some(Transition::Replace(face.entry.clone())),
        Some(old) if !old.started && face.started => Some(Transition::Start(face.entry.clone())),
        Some(_) => None,
    });
    gone.map(|entry| Transition::Hide(entry.clone())).chain(come).collect()
}
