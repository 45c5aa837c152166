//! `joinery-connector`: the daemon and its command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    joinery_connector::cli::main()
}
