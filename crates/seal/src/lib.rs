//! Content keys, sealed rows and grants.
//!
//! A mailbox has a [`ContentKey`] per epoch. [`seal`] turns a meeting into the one ciphertext that the store, the wire,
//! the backup and the agent's cache hold; [`grant`] seals the content key to one device, which alone can
//! [`accept_grant`] it. Everything is bound to where it belongs ([`KeyBinding`], [`RowBinding`], [`GrantBinding`]):
//! what was moved elsewhere does not open.
//!
//! Ring 1: nonces and seeds are arguments. Who wraps content keys is the business of key managers; here is only the
//! payload they wrap ([`wrap_payload`]).

mod binding;
mod day;
mod error;
mod grant;
mod index;
mod key;
mod row;

pub use binding::{GrantBinding, KeyBinding, RowBinding, RowKind};
pub use day::Day;
pub use error::SealError;
pub use grant::{DevicePublic, DeviceSecret, SealedGrant, accept_grant, grant};
pub use index::{BlindIndex, blind_index, row_id};
pub use key::{ContentKey, unwrap_payload, wrap_payload};
pub use row::{MAX_PLAINTEXT, PAD_STEP, Sealed, SealedRow, open, seal};
