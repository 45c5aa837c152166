//! `check`: tries everything that the connector needs, a line each, with what to do about a failure.

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use joinery_calendar_sync::{PageRequest, Window};
use joinery_kms::{Embedded, KeyManager, KmsError, WrappedKey};
use joinery_model::{MailboxAddress, MailboxId};
use joinery_msgraph::{EventPatch, Graph, GraphError, NewEvent};
use joinery_store_sqlite::Sqlite;
use serde::Serialize;

use super::{CliError, client, table};
use crate::app::graph;
use crate::config::{Config, TenantConfig};
use crate::services::admin::{AdminRequest, MailboxLine};

#[derive(Args)]
pub(super) struct CheckArgs {
    /// Try this mailbox; without it, every mailbox that the running daemon syncs.
    #[arg(long = "mailbox")]
    mailboxes: Vec<String>,
    /// Also create, change and delete a test event in each mailbox.
    #[arg(long)]
    write: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// One thing that was tried.
#[derive(Serialize)]
struct Line {
    /// What was tried: `configuration`, `keys`, `store`, `token`, `domains`, `mailbox`, `write`.
    check: &'static str,
    /// On what.
    subject: String,
    ok: bool,
    /// What was found, or what is wrong and what to do.
    message: String,
}

impl Line {
    fn of<E: std::fmt::Display>(
        check: &'static str,
        subject: impl Into<String>,
        result: Result<String, E>,
    ) -> Self {
        let (ok, message) = match result {
            Ok(message) => (true, message),
            Err(error) => (false, error.to_string()),
        };
        Self { check, subject: subject.into(), ok, message }
    }
}

pub(super) async fn run(config: &Config, args: &CheckArgs) -> Result<(), CliError> {
    let mut wanted = Vec::new();
    for address in &args.mailboxes {
        let address: MailboxAddress =
            address.parse().map_err(|error| CliError::Usage(format!("--mailbox {address:?} {error}")))?;
        wanted.push(address);
    }
    let mut lines = vec![Line::of::<String>("configuration", "file", Ok("understood".to_owned()))];
    lines.push(Line::of("keys", config.keys.file.display().to_string(), keys(config).await));
    lines.push(Line::of("store", config.database.display().to_string(), store(config)));
    if wanted.is_empty() {
        match client::ask::<Vec<MailboxLine>>(config, &AdminRequest::MailboxList).await {
            Ok(synced) => wanted = synced.into_iter().map(|line| line.address).collect(),
            Err(error) => {
                eprintln!("joinery-connector: no mailbox is tried; name one with --mailbox: {error}");
            }
        }
    }
    for tenant in &config.tenants {
        try_tenant(config, tenant, &mut wanted, args.write, &mut lines).await;
    }
    for address in wanted {
        let nobody = format!(
            "no tenant that could be asked owns the domain {}; add it to `domains` of its [[tenant]]",
            address.domain()
        );
        lines.push(Line::of::<String>("mailbox", address.as_str(), Err(nobody)));
    }
    if args.json {
        client::print_json(&lines)?;
    } else {
        lines.iter().for_each(print);
    }
    if lines.iter().all(|line| line.ok) { Ok(()) } else { Err(CliError::Said) }
}

fn print(line: &Line) {
    let colour = std::io::stdout().is_terminal();
    let mark = match (line.ok, colour) {
        (true, true) => "\u{1b}[32mok\u{1b}[0m    ",
        (true, false) => "ok    ",
        (false, true) => "\u{1b}[31mFAILED\u{1b}[0m",
        (false, false) => "FAILED",
    };
    table::line(&format!("{mark}  {:<13} {}: {}", line.check, line.subject, line.message));
}

/// Wraps and unwraps something with the key manager.
async fn keys(config: &Config) -> Result<String, KmsError> {
    if !config.keys.file.exists() && !config.database.exists() {
        return Ok("will be made at the first start".to_owned());
    }
    let kms = KeyManager::Embedded(Embedded::open(&config.keys.file)?);
    let wrapped = kms.wrap(b"check").await?;
    kms.unwrap(&wrapped).await?;
    // The key file must also be the one that the database was made with. What cannot be looked at is told as `store`.
    for key in Sqlite::keys_at_rest(&config.database, MailboxId::DAEMON).unwrap_or_default() {
        kms.unwrap(&WrappedKey::from_bytes(&key.wrapped)?).await?;
    }
    Ok("wraps and unwraps".to_owned())
}

/// Looks at the database without opening it: the daemon may have it open, and a file made by another user would be in
/// its way.
fn store(config: &Config) -> Result<String, String> {
    if config.database.exists() {
        let looked_at = Sqlite::keys_at_rest(&config.database, MailboxId::DAEMON);
        return looked_at.map(|_| "there".to_owned()).map_err(|error| error.to_string());
    }
    match config.database.parent() {
        Some(folder) if folder.is_dir() => Ok("will be made at the first start".to_owned()),
        Some(_) | None => Err("its folder does not exist; create it, or change store.url".to_owned()),
    }
}

/// Tries the tenant and those of the wanted mailboxes that are its own; the others stay wanted.
async fn try_tenant(
    config: &Config,
    tenant: &TenantConfig,
    wanted: &mut Vec<MailboxAddress>,
    write: bool,
    lines: &mut Vec<Line>,
) {
    let name = tenant.name.as_str();
    let signed_in = sign_in(tenant).await;
    let said = signed_in.as_ref().map(|_| "the application signs in".to_owned());
    lines.push(Line::of("token", name, said));
    let alone = config.tenants.len() == 1 && tenant.domains.is_empty();
    let mut domains = tenant.domains.clone();
    if let Ok(graph) = &signed_in
        && domains.is_empty()
        && !alone
    {
        match graph.domains().await {
            Ok(told) => domains = told,
            Err(error) => lines.push(Line::of("domains", name, Err::<String, _>(error))),
        }
    }
    let mine: Vec<_> =
        wanted.extract_if(.., |address| alone || domains.iter().any(|own| own == address.domain())).collect();
    let Ok(graph) = signed_in else { return };
    for address in &mine {
        let read = read(config, &graph, address).await;
        let readable = read.is_ok();
        lines.push(Line::of("mailbox", address.as_str(), read));
        if write && readable {
            lines.push(Line::of("write", address.as_str(), write_event(&graph, address).await));
        }
    }
}

async fn sign_in(tenant: &TenantConfig) -> Result<Graph, String> {
    let graph = graph(tenant).map_err(|error| format!("{error:#}"))?;
    graph.authenticate().await.map_err(|error| error.to_string())?;
    Ok(graph)
}

async fn read(config: &Config, graph: &Graph, address: &MailboxAddress) -> Result<String, GraphError> {
    let window = Window::around(joinery_daemon::now(), config.sync.past, config.sync.future);
    graph.page(address, &PageRequest::First(window)).await?;
    Ok("its calendar can be read".to_owned())
}

/// Creates, changes and deletes an event that invites nobody, shows the time as free and lies a day ahead.
async fn write_event(graph: &Graph, address: &MailboxAddress) -> Result<String, anyhow::Error> {
    let transaction: String =
        joinery_daemon::random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let start = joinery_daemon::now().checked_add(SignedDuration::from_hours(24))?;
    let end = start.checked_add(SignedDuration::try_from(Duration::from_secs(900))?)?;
    let event = NewEvent {
        subject: "Joinery check".to_owned(),
        text: "Made by `joinery-connector check --write`; it goes away by itself.".to_owned(),
        start,
        end,
        free: true,
        transaction,
    };
    let made = graph.create_event(address, &event).await?;
    let patch = EventPatch { subject: Some("Joinery check, changed".to_owned()), ..EventPatch::default() };
    let changed = graph.update_event(address, &made.id, &patch).await;
    // Deleted whatever became of the change.
    graph.delete_event(address, &made.id).await?;
    changed?;
    Ok("an event can be created, changed and deleted".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use joinery_model::TenantName;
    use joinery_tenant::{MailboxKind, Options, Tenant};

    #[tokio::test]
    async fn of_several_tenants_without_domains_each_is_asked_for_its_own() {
        let room = "room@contoso.example";
        let mailboxes = vec![(room.to_owned(), MailboxKind::Room)];
        let tenant = Tenant::start(Options { mailboxes, ..Options::default() }).await.unwrap();
        let test = testing::app_of(&tenant).await;
        let mut config = test.app.config.clone();
        config.tenants[0].domains.clear();
        config.tenants.push(TenantConfig { name: TenantName::new("other"), ..config.tenants[0].clone() });
        let mut wanted = vec![room.parse().unwrap(), "room@fabrikam.example".parse().unwrap()];
        let mut lines = Vec::new();
        try_tenant(&config, &config.tenants[0], &mut wanted, false, &mut lines).await;
        let said: Vec<_> = lines.iter().map(|line| (line.check, line.ok)).collect();
        assert_eq!(
            said,
            [("token", true), ("mailbox", true)],
            "{:?}",
            lines.last().map(|line| &line.message)
        );
        assert_eq!(wanted.len(), 1);
    }
}
