//! The command line. Results go to standard output, everything else to standard error; exit codes: 0 done, 1 it ran and
//! something is wrong, 2 the call or the configuration is wrong.

mod calls;
mod text;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use joinery_daemon::control::ControlError;
use joinery_daemon::{Shutdown, start_logging};

use crate::choice::NEXT;
use crate::config::{Config, Surroundings};
use crate::enroll::Invitation;
use crate::run::run;

/// Joinery's endpoint agent: shows a device's meetings and its Join button.
#[derive(Parser)]
#[command(name = "joinery-agent", version, about, disable_help_subcommand = true)]
struct CommandLine {
    /// Configuration file [default: /etc/joinery/agent.toml, then ~/.config/joinery/agent.toml]
    #[arg(long, global = true, value_name = "FILE", env = "JOINERY_AGENT_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make this machine's keys, prove the activation code and get the certificate
    Enroll(EnrollArgs),
    /// Run the agent until it is stopped
    Run,
    /// Print the meeting list as the device shows it, also when the connector is away
    Meetings(Format),
    /// Print a line for each thing that happens, as it happens
    Watch(Format),
    /// Join a meeting, as if its button had been pressed
    Join {
        /// `next`, or the id of a meeting or its beginning
        #[arg(default_value = NEXT, value_name = "next|ID")]
        meeting: String,
    },
    /// Print connection, certificate, drivers and last revision
    Status(Format),
}

#[derive(Args, Clone, Copy)]
struct Format {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct EnrollArgs {
    /// Enrollment URL, instead of --connector and --code
    #[arg(value_name = "URL", conflicts_with_all = ["connector", "code"])]
    url: Option<String>,
    /// Address of the connector; port 8442 unless another is given
    #[arg(long, value_name = "HOST[:PORT]")]
    connector: Option<String>,
    /// Activation code, 16 digits; asked for if it is not given
    #[arg(long, requires = "connector")]
    code: Option<String>,
    /// What the device is called in the connector's list [default: the name of this machine]
    #[arg(long)]
    name: Option<String>,
    /// Replace the identity that this device has
    #[arg(long)]
    again: bool,
}

/// How a command ended when it did not do what it should: its sentence and its exit code.
struct Failure {
    sentence: String,
    exit: u8,
}

impl Failure {
    /// It ran and something is wrong.
    fn met(sentence: impl ToString) -> Self {
        Self { sentence: sentence.to_string(), exit: 1 }
    }

    /// The call or the configuration is wrong.
    fn wrong_call(sentence: impl ToString) -> Self {
        Self { sentence: sentence.to_string(), exit: 2 }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        if error.is_wrong_call() { Self::wrong_call(error) } else { Self::met(error) }
    }
}

/// What can be printed no more, because the reader has gone, is no failure.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self { sentence: String::new(), exit: 0 },
            _ => Self::met(format!("the result cannot be written: {error}")),
        }
    }
}

/// Reads the arguments of this process and does what they say.
pub fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => {
            let exit = if error.use_stderr() { 2 } else { 0 };
            let _ = error.print();
            return ExitCode::from(exit);
        }
    };
    // One thread is enough: the agent waits nearly always.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            let _ = writeln!(io::stderr(), "joinery-agent: the system gives no resources to run: {error}");
            return ExitCode::from(1);
        }
    };
    match runtime.block_on(obey(line)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { sentence, exit }) => {
            if !sentence.is_empty() {
                let _ = writeln!(io::stderr(), "joinery-agent: {sentence}");
            }
            ExitCode::from(exit)
        }
    }
}

async fn obey(line: CommandLine) -> Result<(), Failure> {
    let config = Config::find(line.config.as_deref(), &Surroundings::of_this_process())
        .map_err(Failure::wrong_call)?;
    let out = &mut io::stdout().lock();
    match line.command {
        Command::Run => {
            start_logging("joinery-agent", "info").map_err(Failure::wrong_call)?;
            let stop = Shutdown::on_signals().map_err(Failure::met)?;
            run(config, stop).await.map_err(Failure::met)
        }
        Command::Enroll(args) => {
            let (invitation, name) = invitation(&args)?;
            calls::enroll(&config, &invitation, &name, args.again, out).await
        }
        Command::Meetings(format) => calls::meetings(&config, format.json, out).await,
        Command::Watch(format) => calls::watch(&config, format.json, out).await,
        Command::Join { meeting } => calls::join(&config, &meeting, out).await,
        Command::Status(format) => calls::status(&config, format.json, out).await,
    }
}

fn invitation(args: &EnrollArgs) -> Result<(Invitation, String), Failure> {
    let invitation = match (&args.url, &args.connector, &args.code) {
        (Some(url), _, _) => Invitation::of_url(url),
        (None, Some(connector), Some(code)) => Invitation::of_parts(connector, code),
        (None, Some(connector), None) => Invitation::of_parts(connector, &ask_for_code()?),
        (None, None, _) => {
            let sentence = "say where: --connector HOST --code CODE, or an enrollment URL from `joinery-connector device invite`";
            return Err(Failure::wrong_call(sentence));
        }
    };
    let invitation = invitation.map_err(Failure::wrong_call)?;
    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name = args.name.clone().unwrap_or(machine);
    // What the connector takes for a name.
    let printable: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    let name = printable.trim();
    let name = if name.is_empty() { "device" } else { name };
    Ok((invitation, name.to_owned()))
}

/// A code on the command line is seen by every user of the machine; one that is typed is not.
fn ask_for_code() -> Result<String, Failure> {
    let _ = write!(io::stderr(), "Activation code: ");
    let mut code = String::new();
    io::stdin()
        .read_line(&mut code)
        .map_err(|error| Failure::met(format!("the code cannot be read: {error}")))?;
    Ok(code.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<CommandLine, clap::Error> {
        CommandLine::try_parse_from(std::iter::once("joinery-agent").chain(words.split_whitespace()))
    }

    #[test]
    fn the_documented_calls_are_understood() {
        for words in [
            "run",
            "--config x.toml run",
            "run --config x.toml",
            "meetings",
            "meetings --json",
            "watch --json",
            "join",
            "join next",
            "join 0123abcd",
            "status --json",
            "enroll --connector c.example --code 0123456789012345",
            "enroll --connector c.example:8442 --code 0123-4567-8901-2345 --name Room --again",
            "enroll joinery://c.example:8442/enroll/0123456789012345",
        ] {
            assert!(parse(words).is_ok(), "{words}");
        }
        for words in
            ["", "respond 1 accept", "enroll --code 1", "enroll joinery://x --connector c", "join a b"]
        {
            assert!(parse(words).is_err(), "{words}");
        }
    }

    #[test]
    fn an_invitation_is_read_from_either_form() {
        let check = |words: &str, want: Result<&str, u8>| {
            let Ok(CommandLine { command: Command::Enroll(args), .. }) = parse(words) else {
                panic!("{words}")
            };
            let got = invitation(&args)
                .map(|(invitation, name)| format!("{}:{} {name}", invitation.host, invitation.port));
            assert_eq!(got.as_deref().map_err(|failure| failure.exit), want);
        };
        check("enroll --connector c --code 0123456789012345 --name Room", Ok("c:8442 Room"));
        check("enroll joinery://c:9/enroll/0123456789012345 --name Room", Ok("c:9 Room"));
        check("enroll", Err(2));
        check("enroll joinery://c:9/enroll/012", Err(2));
        check("enroll --connector a/b --code 0123456789012345", Err(2));
    }
}
