//! The table that a person reads, printed as it grows.

use std::fs;
use std::time::Instant;

/// The table.
#[derive(Debug)]
pub struct Table {
    begun: Instant,
}

impl Table {
    /// Prints what the figures are of.
    pub fn begin() -> Self {
        let build = if cfg!(debug_assertions) {
            "DEBUG build: only the shape of this table means something"
        } else {
            "release build"
        };
        println!("Joinery's figures · {build} · {}", machine());
        Self { begun: Instant::now() }
    }

    /// Begins a group of lines; `about` says what they have in common.
    pub fn section(&mut self, title: &str, about: &str) {
        println!("\n{title} — {about}");
    }

    /// One figure, and what it was measured on.
    pub fn row(&mut self, name: &str, value: f64, unit: &str, on: &str) {
        println!("  {name:<46} {:>9} {unit:<9} {on}", readable(value));
    }

    /// A sentence between the lines.
    pub fn note(&mut self, text: &str) {
        println!("  {text}");
    }

    /// Prints how long it took.
    pub fn end(self) {
        println!("\nMeasured in {} s.", self.begun.elapsed().as_secs());
    }
}

/// Three digits that count, and thousands in groups.
fn readable(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.9995 || size == 0.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if place > 0 && left % 3 == 0 && digit.is_ascii_digit() && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped + rest
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("unknown processor", |(_, model)| model.trim());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cores} cores of {model} · Linux {}", kernel.trim())
}
