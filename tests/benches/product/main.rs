//! Joinery's figures: `make bench`, or `cargo bench -p joinery-tests --bench product -- SECTION…` for some of them.
//!
//! Prints a table for a person and judges nothing. The programs are the real ones, of the profile that this was built
//! with; the calendars are those of the simulated tenant, which runs in this process and takes its share of the machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a measurement that cannot be made fails by panicking"
)]

mod calendars;
mod device;
mod ingest;
mod invitations;
mod links;
mod process;
mod sealing;
mod sessions;
mod spread;
mod table;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use table::Table;

/// Measures some things that belong together.
type Section = fn(&mut Table);

/// What is measured, by the name that selects it.
const SECTIONS: [(&str, Section); 5] = [
    ("links", links::measure),
    ("sealing", sealing::measure),
    ("device", device::measure),
    ("ingest", ingest::measure),
    ("sessions", sessions::measure),
];

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let unknown = wanted.iter().find(|word| SECTIONS.iter().all(|(name, _)| name != word));
    if let Some(word) = unknown {
        eprintln!("{word} is no section; there are {}", SECTIONS.map(|(name, _)| name).join(", "));
        return ExitCode::from(2);
    }
    let mut table = Table::begin();
    let mut missing = false;
    for (name, measure) in SECTIONS {
        if !wanted.is_empty() && !wanted.iter().any(|word| word == name) {
            continue;
        }
        if catch_unwind(AssertUnwindSafe(|| measure(&mut table))).is_err() {
            table.note(&format!("{name} was not measured to the end; standard error says why"));
            missing = true;
        }
    }
    table.end();
    if missing { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
