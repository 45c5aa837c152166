//! `device invite | list | show | rename | revoke`.

use clap::Subcommand;
use joinery_model::DeviceKind;

use super::{CliError, client, table};
use crate::config::{Config, read_duration};
use crate::services::admin::{AdminRequest, DeviceLine, InviteAnswer};

#[derive(Subcommand)]
pub(super) enum DeviceCommand {
    /// An activation code for a device that may show a mailbox.
    Invite {
        /// Address of the mailbox.
        address: String,
        /// What kind of device.
        #[arg(long, value_enum, default_value = "room")]
        kind: KindArg,
        /// How long the code is good.
        #[arg(long, default_value = "24h")]
        ttl: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// All devices.
    List {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// One device, by id or name.
    Show {
        /// Its id, the beginning of it, or its name.
        device: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Call a device something else.
    Rename {
        /// Its id, the beginning of it, or its name.
        device: String,
        /// The new name.
        name: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Cut a device off at once and for good.
    Revoke {
        /// Its id, the beginning of it, or its name.
        device: String,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, clap::ValueEnum)]
pub(super) enum KindArg {
    Room,
    Desktop,
}

pub(super) async fn run(config: &Config, command: DeviceCommand) -> Result<(), CliError> {
    match command {
        DeviceCommand::Invite { address, kind, ttl, json } => {
            let kind = match kind {
                KindArg::Room => DeviceKind::Room,
                KindArg::Desktop => DeviceKind::Desktop,
            };
            let ttl = read_duration(&ttl).map_err(|message| CliError::Usage(format!("--ttl {message}")))?;
            let request = AdminRequest::DeviceInvite { address, kind, ttl_s: ttl.as_secs() };
            client::tell(config, &request, json, invited).await
        }
        DeviceCommand::List { json } => {
            client::tell(config, &AdminRequest::DeviceList, json, |lines: &Vec<DeviceLine>| print(lines))
                .await
        }
        DeviceCommand::Show { device, json } => {
            client::tell(config, &AdminRequest::DeviceShow { device }, json, show).await
        }
        DeviceCommand::Rename { device, name, json } => {
            let said = |line: &DeviceLine| table::line(&format!("{} is called {} now", line.id, line.name));
            client::tell(config, &AdminRequest::DeviceRename { device, name }, json, said).await
        }
        DeviceCommand::Revoke { device, json } => {
            let said = |line: &DeviceLine| table::line(&format!("{} ({}) is cut off", line.name, line.id));
            client::tell(config, &AdminRequest::DeviceRevoke { device }, json, said).await
        }
    }
}

fn invited(answer: &InviteAnswer) {
    table::line(&format!("Code for a {} of {}: {}", answer.kind, answer.mailbox.as_str(), answer.code));
    table::line(&format!("Good until {}. On the device:", table::time(Some(answer.expires))));
    table::line(&format!("  joinery-agent enroll {}", answer.url));
}

fn mailbox(line: &DeviceLine) -> String {
    line.mailbox.as_ref().map_or_else(|| "-".to_owned(), |address| address.as_str().to_owned())
}

pub(super) fn print(lines: &[DeviceLine]) {
    let rows: Vec<_> = lines
        .iter()
        .map(|line| {
            [
                line.id.chars().take(8).collect(),
                line.name.clone(),
                line.kind.to_string(),
                mailbox(line),
                line.state.clone(),
                line.acknowledged.map_or_else(|| "-".to_owned(), |revision| revision.to_string()),
                line.shown.to_string(),
                table::time(line.last_seen),
            ]
        })
        .collect();
    let heading = ["DEVICE", "NAME", "KIND", "MAILBOX", "STATE", "REVISION", "BUTTONS", "LAST SEEN"];
    table::print(heading, &rows, "no device is registered; invite one with `device invite`");
}

fn show(line: &DeviceLine) {
    let fields = [
        ("device", line.id.clone()),
        ("name", line.name.clone()),
        ("kind", line.kind.to_string()),
        ("mailbox", mailbox(line)),
        ("state", line.state.clone()),
        ("agent", line.agent_version.clone().unwrap_or_else(|| "-".to_owned())),
        ("drivers", line.drivers.join(", ")),
        ("meetings", line.listed.to_string()),
        ("buttons", line.shown.to_string()),
        ("revision", line.acknowledged.map_or_else(|| "-".to_owned(), |revision| revision.to_string())),
        ("clock", format!("{:+} s", line.clock_ahead_s)),
        ("enrolled", table::time(Some(line.enrolled))),
        ("certificate", format!("until {}", table::time(Some(line.certificate_until)))),
        ("last seen", table::time(line.last_seen)),
        ("revoked", table::time(line.revoked)),
        ("problem", line.problem.clone().unwrap_or_else(|| "-".to_owned())),
    ];
    for (name, value) in fields {
        table::line(&format!("{name:<12} {value}"));
    }
}
