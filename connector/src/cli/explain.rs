//! `explain`: which join target an event would get, and why.

use std::io::{BufRead, Read, Write};

use clap::Args;
use joinery_joinlink::explain_line;
use serde_json::Value;

use super::{CliError, table};

#[derive(Args)]
pub(super) struct ExplainArgs {
    /// One event in each line of the input, one answer in each line of the output.
    #[arg(long)]
    jsonl: bool,
}

pub(super) fn run(args: &ExplainArgs) -> Result<(), CliError> {
    if args.jsonl { lines() } else { one() }
}

/// Answers each line as it comes; a line that is wrong gets an answer that says so and makes the exit code 2.
fn lines() -> Result<(), CliError> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut wrong = 0_usize;
    for (number, line) in std::io::stdin().lock().lines().enumerate() {
        let line =
            line.map_err(|error| CliError::Usage(format!("standard input, line {}: {error}", number + 1)))?;
        if line.trim().is_empty() {
            continue;
        }
        match explain_line(&line) {
            Ok(answer) => writeln!(out, "{answer}").map_err(anyhow::Error::from)?,
            Err(error) => {
                eprintln!("joinery-connector: standard input, line {}: {error}", number + 1);
                wrong += 1;
            }
        }
    }
    out.flush().map_err(anyhow::Error::from)?;
    if wrong > 0 {
        return Err(CliError::Usage(format!("{wrong} lines were not understood")));
    }
    Ok(())
}

/// One event, which may span lines, as a table for a person.
fn one() -> Result<(), CliError> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| CliError::Usage(format!("standard input cannot be read: {error}")))?;
    let event: Value = serde_json::from_str(&text)
        .map_err(|error| CliError::Usage(format!("standard input is not one JSON event: {error}")))?;
    let answer = explain_line(&event.to_string()).map_err(|error| CliError::Usage(error.to_string()))?;
    let answer: Value = serde_json::from_str(&answer).map_err(anyhow::Error::from)?;
    for key in ["provider", "url", "sip", "meetingId", "passcode", "keyword", "why"] {
        let value = answer.get(key).and_then(Value::as_str).unwrap_or("-");
        table::line(&format!("{key:<10} {value}"));
    }
    Ok(())
}
