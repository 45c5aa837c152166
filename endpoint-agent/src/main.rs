//! The program `joinery-agent`.

fn main() -> std::process::ExitCode {
    joinery_agent::cli::main()
}
