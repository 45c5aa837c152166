//! `make demo`: a simulated tenant, the real connector and two real agents, and what a person would see of them.
//!
//! [`stage`] sets everything up, [`story`] decides what happens and what must then be seen, [`view`] is what a device
//! shows, [`screen`] draws it, and [`show`] runs until Ctrl-C, or unattended for `DEMO_SECONDS`.

mod calendar;
mod device;
mod look;
mod popup;
mod program;
mod screen;
mod show;
mod side;
mod stage;
mod story;
mod view;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use joinery_daemon::Shutdown;

/// Shows meetings becoming Join buttons on two devices, live.
#[derive(Parser)]
struct Cli {
    /// Run unattended for so many seconds, then say whether everything was seen on both devices (exit code 0) or what
    /// was not (exit code 1).
    #[arg(long, env = "DEMO_SECONDS")]
    seconds: Option<u32>,
    /// Folder of joinery-connector and joinery-agent; by default that of this program.
    #[arg(long)]
    programs: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("joinery-demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(cli: &Cli) -> anyhow::Result<bool> {
    let stop = Shutdown::on_signals()?;
    let stage = tokio::select! {
        stage = stage::Stage::set(cli.programs.as_deref()) => stage?,
        // What has been started ends with the future that started it.
        () = stop.cancelled() => return Ok(cli.seconds.is_none()),
    };
    show::run(stage, cli.seconds, &stop).await
}
