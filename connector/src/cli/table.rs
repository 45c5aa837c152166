//! Columns for a person.

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Writes a line to standard output. A reader that went away is no error of ours.
pub(super) fn line(text: &str) {
    let _gone = writeln!(std::io::stdout(), "{text}");
}

/// Prints rows under a heading, columns aligned, or `none` where there are no rows.
pub(super) fn print<const N: usize>(heading: [&str; N], rows: &[[String; N]], none: &str) {
    if rows.is_empty() {
        return line(none);
    }
    let heading = heading.map(str::to_owned);
    let mut widths = [0; N];
    for row in std::iter::once(&heading).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in std::iter::once(&heading).chain(rows) {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(cells.join("  ").trim_end());
    }
}

/// A time in the zone of the reader.
pub(super) fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(
        || "-".to_owned(),
        |at| at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}
