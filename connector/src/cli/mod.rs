//! The command line: parses it, carries it out, ends with 0 (done), 1 (something is wrong) or 2 (the call or the
//! configuration is wrong).

mod check;
mod client;
mod device;
mod explain;
mod mailbox;
mod status;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use joinery_daemon::control::ControlError;

use crate::config::{Config, ConfigError};

/// Reads Office 365 calendars, seals them, and pushes meeting lists and Join buttons to devices.
#[derive(Parser)]
#[command(name = "joinery-connector", version)]
struct Cli {
    /// Configuration file.
    #[arg(long, env = "JOINERY_CONFIG", default_value = "/etc/joinery/connector.toml", global = true)]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The daemon.
    Run,
    /// Try configuration, keys, token, permissions and mailboxes, and say what to do about each failure.
    Check(check::CheckArgs),
    /// What the daemon is doing.
    Status(status::StatusArgs),
    /// Which mailboxes are synced.
    #[command(subcommand)]
    Mailbox(mailbox::MailboxCommand),
    /// Registered devices and invitations.
    #[command(subcommand)]
    Device(device::DeviceCommand),
    /// Which join target an event would get, and why: reads JSON on standard input, needs no configuration.
    Explain(explain::ExplainArgs),
}

/// Why a command ends with something else than 0.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The daemon is not there, or refused.
    #[error(transparent)]
    Daemon(#[from] ControlError),
    /// The call is wrong.
    #[error("{0}")]
    Usage(String),
    /// It ran and something is wrong; what, was printed already.
    #[error("")]
    Said,
    /// Anything else that went wrong.
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

impl CliError {
    fn exit(&self) -> ExitCode {
        let usage = match self {
            Self::Config(_) | Self::Usage(_) => true,
            Self::Daemon(error) => error.is_wrong_call(),
            Self::Said | Self::Failed(_) => false,
        };
        ExitCode::from(if usage { 2 } else { 1 })
    }
}

/// The whole program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    // Every TLS connection of this program names its provider; this is for libraries that ask for the default one.
    let _first = rustls::crypto::ring::default_provider().install_default();
    match carry_out(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, CliError::Said) {
                eprintln!("joinery-connector: {error}");
            }
            error.exit()
        }
    }
}

fn carry_out(cli: Cli) -> Result<(), CliError> {
    if let Command::Explain(args) = &cli.command {
        return explain::run(args);
    }
    let config = Config::load(&cli.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| anyhow::anyhow!("the runtime does not start: {error}"))?;
    runtime.block_on(async {
        match cli.command {
            Command::Run => run(config).await,
            Command::Check(args) => check::run(&config, &args).await,
            Command::Status(args) => status::run(&config, &args).await,
            Command::Mailbox(command) => mailbox::run(&config, command).await,
            Command::Device(command) => device::run(&config, command).await,
            // Carried out above, before the configuration was read.
            Command::Explain(_) => Ok(()),
        }
    })
}

async fn run(config: Config) -> Result<(), CliError> {
    joinery_daemon::start_logging("joinery-connector", "info").map_err(anyhow::Error::from)?;
    let shutdown = joinery_daemon::Shutdown::on_signals().map_err(anyhow::Error::from)?;
    Ok(crate::run(config, shutdown).await?)
}
