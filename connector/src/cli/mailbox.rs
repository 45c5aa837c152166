//! `mailbox add | import | list | show | remove | resync`.

use std::path::PathBuf;

use clap::Subcommand;
use joinery_daemon::control::ControlError;

use super::{CliError, client, table};
use crate::config::Config;
use crate::records::MailboxKind;
use crate::services::admin::{AdminRequest, MailboxLine};

#[derive(Subcommand)]
pub(super) enum MailboxCommand {
    /// Sync these mailboxes.
    Add {
        /// Mail addresses.
        #[arg(required = true)]
        addresses: Vec<String>,
        /// Whose calendars they are.
        #[arg(long, value_enum, default_value = "user")]
        kind: KindArg,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Sync the mailboxes of a CSV file: address and, optionally, kind (user or room) in each line.
    Import {
        /// The file.
        file: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// All mailboxes.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// One mailbox.
    Show {
        /// Its address.
        address: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Erase a mailbox and shred its keys; its devices are cut off.
    Remove {
        /// Its address.
        address: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Read a mailbox's calendar anew.
    Resync {
        /// Its address.
        address: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum KindArg {
    User,
    Room,
}

impl From<KindArg> for MailboxKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::User => Self::User,
            KindArg::Room => Self::Room,
        }
    }
}

pub(super) async fn run(config: &Config, command: MailboxCommand) -> Result<(), CliError> {
    match command {
        MailboxCommand::Add { addresses, kind, json } => {
            let wanted = addresses.into_iter().map(|address| (address, kind.into())).collect();
            add(config, wanted, json).await
        }
        MailboxCommand::Import { file, json } => add(config, read_csv(&file)?, json).await,
        MailboxCommand::List { json } => {
            client::tell(config, &AdminRequest::MailboxList, json, |lines: &Vec<MailboxLine>| print(lines))
                .await
        }
        MailboxCommand::Show { address, json } => {
            client::tell(config, &AdminRequest::MailboxShow { address }, json, |line| {
                print(std::slice::from_ref(line))
            })
            .await
        }
        MailboxCommand::Remove { address, json } => {
            let said = |line: &MailboxLine| {
                table::line(&format!("{} is erased and its keys are shredded", line.address.as_str()));
            };
            client::tell(config, &AdminRequest::MailboxRemove { address }, json, said).await
        }
        MailboxCommand::Resync { address, json } => {
            let said =
                |line: &MailboxLine| table::line(&format!("{} is being read anew", line.address.as_str()));
            client::tell(config, &AdminRequest::MailboxResync { address }, json, said).await
        }
    }
}

/// Adds what can be added; one refusal does not stop the others.
async fn add(config: &Config, wanted: Vec<(String, MailboxKind)>, json: bool) -> Result<(), CliError> {
    let mut added = Vec::new();
    let mut refused = None;
    for (address, kind) in wanted {
        match client::ask::<MailboxLine>(config, &AdminRequest::MailboxAdd { address, kind }).await {
            Ok(line) => added.push(line),
            Err(CliError::Daemon(error @ ControlError::Refused(_))) => {
                eprintln!("joinery-connector: {error}");
                refused = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    if json {
        client::print_json(&added)?;
    } else {
        added.iter().for_each(|line| {
            table::line(&format!(
                "{} ({}) is synced from tenant {}",
                line.address.as_str(),
                line.kind,
                line.tenant
            ));
        });
    }
    match refused {
        // Everything was refused for the same kind of reason that a single call would end with.
        Some(error) if added.is_empty() && error.is_wrong_call() => {
            Err(CliError::Usage("nothing was added".to_owned()))
        }
        Some(_) => Err(CliError::Said),
        None => Ok(()),
    }
}

fn read_csv(file: &std::path::Path) -> Result<Vec<(String, MailboxKind)>, CliError> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| CliError::Usage(format!("{} cannot be read: {error}", file.display())))?;
    parse_csv(&text).map_err(|message| CliError::Usage(format!("{}, {message}", file.display())))
}

fn parse_csv(text: &str) -> Result<Vec<(String, MailboxKind)>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let mut wanted = Vec::new();
    for (index, row) in reader.records().enumerate() {
        let row = row.map_err(|error| format!("not CSV: {error}"))?;
        let line = row.position().map_or(0, csv::Position::line);
        let address = row.get(0).unwrap_or_default();
        if index == 0 && address.eq_ignore_ascii_case("address") {
            continue;
        }
        let kind = match row.get(1).unwrap_or_default().to_ascii_lowercase().as_str() {
            "" | "user" => MailboxKind::User,
            "room" => MailboxKind::Room,
            other => return Err(format!("line {line}: {other:?} is not a kind; write user or room")),
        };
        wanted.push((address.to_owned(), kind));
    }
    Ok(wanted)
}

fn print(lines: &[MailboxLine]) {
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            [
                line.address.as_str().to_owned(),
                line.kind.to_string(),
                line.tenant.clone(),
                line.state.clone(),
                line.meetings.to_string(),
                line.revision.to_string(),
                table::time(line.last_read),
            ]
        })
        .collect();
    let heading = ["MAILBOX", "KIND", "TENANT", "STATE", "MEETINGS", "REVISION", "LAST READ"];
    table::print(heading, &rows, "no mailbox is synced; add one with `mailbox add`");
    print_problems(lines);
}

/// What is wrong and what to do, below the table.
pub(super) fn print_problems(lines: &[MailboxLine]) {
    for line in lines {
        if let Some(problem) = &line.problem {
            table::line(&format!(
                "! {} since {}: {}",
                line.address.as_str(),
                table::time(Some(problem.since)),
                problem.message
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_mailboxes_is_read() {
        let check = |text: &str, want: Result<&[(&str, MailboxKind)], &str>| match (parse_csv(text), want) {
            (Ok(got), Ok(want)) => {
                let got: Vec<_> = got.iter().map(|(address, kind)| (address.as_str(), *kind)).collect();
                assert_eq!(got, want);
            }
            (Err(got), Err(want)) => assert!(got.contains(want), "{got}"),
            (got, want) => panic!("{got:?} is not {want:?}"),
        };
        check(
            "address,kind\na@x, room\nb@x\n",
            Ok(&[("a@x", MailboxKind::Room), ("b@x", MailboxKind::User)]),
        );
        check("\u{feff}a@x,USER\r\n# note\n", Ok(&[("a@x", MailboxKind::User)]));
        check("a@x,boat", Err("line 1"));
        check("", Ok(&[]));
    }
}
