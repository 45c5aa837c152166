//! Which pop-up belongs to which button. Plain values; speaking with the server is the driver's.
//!
//! Their ids are also kept in a file: an agent that was killed and starts again finds its pop-ups, instead of showing
//! each a second time beside one whose button does nothing.

use std::collections::BTreeMap;

use joinery_model::RowId;
use serde::{Deserialize, Serialize};

/// A person closed it (Desktop Notifications Specification, `NotificationClosed`).
const DISMISSED: u32 = 2;

/// One button's pop-up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Popup {
    /// Its id while it is there.
    id: Option<u32>,
    /// A person closed it, or has joined: it comes back only when the meeting changes.
    quiet: bool,
    /// For the window that the next press opens.
    token: Option<String>,
}

/// Pop-ups by button.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Popups {
    by_row: BTreeMap<RowId, Popup>,
}

impl Popups {
    /// The id to replace when a pop-up is shown for this button; 0: a new one.
    pub fn replaces(&self, row: RowId) -> u32 {
        self.by_row.get(&row).and_then(|popup| popup.id).unwrap_or(0)
    }

    /// Whether a change of this button's state alone may show its pop-up again.
    pub fn is_quiet(&self, row: RowId) -> bool {
        self.by_row.get(&row).is_some_and(|popup| popup.quiet)
    }

    /// The server shows the button's pop-up under this id.
    pub fn shown(&mut self, row: RowId, id: u32) {
        self.by_row.insert(row, Popup { id: Some(id), ..Popup::default() });
    }

    /// The button is off. Returns the id to close.
    pub fn forget(&mut self, row: RowId) -> Option<u32> {
        self.by_row.remove(&row).and_then(|popup| popup.id)
    }

    /// The meeting was joined from another place. Returns the id to close.
    pub fn hush(&mut self, row: RowId) -> Option<u32> {
        let popup = self.by_row.get_mut(&row)?;
        popup.quiet = true;
        popup.id.take()
    }

    /// A pop-up is gone by itself or by a person. True if it was one of ours.
    pub fn closed(&mut self, id: u32, reason: u32) -> bool {
        let Some(popup) = self.by_row.values_mut().find(|popup| popup.id == Some(id)) else { return false };
        popup.id = None;
        popup.token = None;
        popup.quiet |= reason == DISMISSED;
        true
    }

    /// A token for the next press, if the pop-up is one of ours.
    pub fn keep_token(&mut self, id: u32, token: String) {
        if let Some(popup) = self.by_row.values_mut().find(|popup| popup.id == Some(id)) {
            popup.token = Some(token);
        }
    }

    /// A press: whose button it was, and its token, which can be used only once. `None`: the pop-up is another program's.
    pub fn pressed(&mut self, id: u32) -> Option<(RowId, Option<String>)> {
        let (row, popup) = self.by_row.iter_mut().find(|(_, popup)| popup.id == Some(id))?;
        Some((*row, popup.token.take()))
    }

    /// The pop-ups that are there.
    pub fn ids(&self) -> BTreeMap<RowId, u32> {
        self.by_row.iter().filter_map(|(row, popup)| Some((*row, popup.id?))).collect()
    }
}

/// The pop-ups of this agent, kept for its next start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The bus.
    pub bus: String,
    /// The server's own name there: another server knows nothing of them.
    pub server: String,
    /// Their ids.
    pub ids: BTreeMap<RowId, u32>,
}

impl Kept {
    /// What can be taken over from a file: only if the same server still runs.
    pub fn adopt(file: &[u8], bus: &str, server: Option<&str>) -> Popups {
        let mut popups = Popups::default();
        if let Ok(kept) = serde_json::from_slice::<Self>(file)
            && kept.bus == bus
            && !bus.is_empty()
            && server == Some(&kept.server)
        {
            for (row, id) in kept.ids {
                popups.shown(row, id);
            }
        }
        popups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: RowId = RowId::from_bytes([1; 16]);
    const B: RowId = RowId::from_bytes([2; 16]);

    fn two() -> Popups {
        let mut popups = Popups::default();
        popups.shown(A, 7);
        popups.shown(B, 9);
        popups
    }

    #[test]
    fn a_button_keeps_its_id() {
        let mut popups = two();
        assert_eq!((popups.replaces(A), popups.replaces(B)), (7, 9));
        popups.shown(A, 7);
        assert_eq!(popups.ids(), BTreeMap::from([(A, 7), (B, 9)]));
        assert_eq!(popups.forget(A), Some(7));
        assert_eq!((popups.replaces(A), popups.forget(A)), (0, None));
    }

    #[test]
    fn presses_on_other_programs_are_not_ours() {
        let mut popups = two();
        popups.keep_token(9, "t".into());
        popups.keep_token(8, "other".into());
        assert_eq!(popups.pressed(8), None);
        assert_eq!(popups.pressed(7), Some((A, None)));
        assert_eq!(popups.pressed(9), Some((B, Some("t".into()))));
        assert_eq!(popups.pressed(9), Some((B, None)), "a token is used once");
        assert!(!popups.closed(8, 2));
    }

    #[test]
    fn what_a_person_closed_stays_closed_until_the_meeting_changes() {
        let check = |reason, quiet| {
            let mut popups = two();
            assert!(popups.closed(7, reason));
            assert_eq!((popups.is_quiet(A), popups.replaces(A), popups.pressed(7)), (quiet, 0, None));
            popups.shown(A, 12);
            assert_eq!((popups.is_quiet(A), popups.replaces(A)), (false, 12));
        };
        check(1, false);
        check(2, true);
        check(3, false);
        check(4, false);
    }

    #[test]
    fn joined_from_another_place() {
        let mut popups = two();
        assert_eq!(popups.hush(A), Some(7));
        assert!(popups.is_quiet(A));
        assert_eq!((popups.hush(A), popups.hush(RowId::from_bytes([3; 16]))), (None, None));
    }

    #[test]
    fn only_the_same_server_still_knows_them() {
        let kept = Kept { bus: "b".into(), server: ":1.5".into(), ids: two().ids() };
        let file = serde_json::to_vec(&kept).unwrap();
        let check = |bus, server, want: usize| assert_eq!(Kept::adopt(&file, bus, server).ids().len(), want);
        check("b", Some(":1.5"), 2);
        check("b", Some(":1.6"), 0);
        check("b", None, 0);
        check("c", Some(":1.5"), 0);
        assert_eq!(Kept::adopt(b"rubbish", "b", Some(":1.5")), Popups::default());
    }
}
