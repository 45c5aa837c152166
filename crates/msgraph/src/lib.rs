//! Microsoft Graph and Entra over HTTP: tokens, calendar pages, events, domains.
//!
//! [`Graph`] speaks for one application in one tenant. Graph's JSON and its addresses end here: what leaves is the
//! model's, and a [`GraphError`] says in a sentence what went wrong and what to do about it. When to ask again is the
//! caller's decision; only an expired token is renewed and tried once more on the spot.
//!
//! Ring 2. Nothing here logs or prints subjects, addresses, links or tokens.

mod draft;
mod endpoints;
mod entra;
mod error;
mod exchange;
mod graph;
mod refusal;
mod tls;
mod token;
mod translate;
mod windows_zones;
mod wire;
mod zones;

pub use draft::{EventPatch, NewEvent};
pub use endpoints::GraphSettings;
pub use entra::{EntraError, EntraProblem};
pub use error::GraphError;
pub use graph::{Graph, PAGE_SIZE};
pub use refusal::{Operation, Refusal, RefusalKind};
pub use translate::OddEvent;
