//! What shows the Join button. Each driver watches the board and makes of the difference to what it shows what its
//! device needs: nothing queues up, and whoever comes late shows what is right now.

pub mod command;
pub mod desktop;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

/// What each driver says of itself, for `status`.
#[derive(Debug, Clone)]
pub struct DriverStates(Arc<watch::Sender<BTreeMap<&'static str, String>>>);

impl Default for DriverStates {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(BTreeMap::new())))
    }
}

impl DriverStates {
    /// Says how `driver` is.
    pub fn set(&self, driver: &'static str, state: impl Into<String>) {
        let state = state.into();
        self.0.send_if_modified(|states| {
            states.insert(driver, state.clone()).is_none_or(|former| former != state)
        });
    }

    /// Drivers that are on and how they are.
    pub fn all(&self) -> BTreeMap<&'static str, String> {
        self.0.borrow().clone()
    }
}
