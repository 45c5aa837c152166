//! The storage port: what the connector keeps, and what every store promises about it.
//!
//! A store only ever receives sealed values. In the clear it sees opaque ids, revisions, padded sizes, the day after
//! which a row is erased, the kind of a record and blind indexes. The promises stand at [`Store`]'s methods and are
//! checked by `row_store_contract!` (feature `contract`), which every store runs.

#[cfg(any(test, feature = "contract"))]
mod contract;
mod error;
mod memory;
mod port;
mod shapes;

#[cfg(any(test, feature = "contract"))]
#[doc(hidden)]
pub use contract::{AsStore, checks};
pub use error::StoreError;
pub use memory::Memory;
pub use port::Store;
pub use shapes::{Changes, Commit, Head, Record, RecordKind, StoredKey, UnknownRecordKind};
