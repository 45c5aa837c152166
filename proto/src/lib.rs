//! The wire: generated messages and services of `joinery/v1`. The rules are in the `.proto` files beside this crate's
//! source; `cargo xtask generate` writes the code anew.

/// Version 1 of the wire.
pub mod v1 {
    #![allow(missing_docs, clippy::all, clippy::pedantic, unused_qualifications)]
    include!("generated/joinery.v1.rs");
}
