//! Chores that need code: `cargo xtask generate` and `cargo xtask tidy`.

mod generate;
mod tidy;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Chores of the workspace.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Write the protobuf code anew from proto/joinery/v1.
    Generate,
    /// Check who imports whom, and the other rules that the compiler does not know.
    Tidy,
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Generate => generate::write(&generate::workspace_root()),
        Task::Tidy => tidy::run(&generate::workspace_root()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}
