//! `status`.

use clap::Args;

use super::{CliError, client, device, mailbox, table};
use crate::config::Config;
use crate::services::admin::{AdminRequest, StatusAnswer, TenantLine};

#[derive(Args)]
pub(super) struct StatusArgs {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Config, args: &StatusArgs) -> Result<(), CliError> {
    client::tell(config, &AdminRequest::Status, args.json, print).await
}

fn print(status: &StatusAnswer) {
    let [sessions, enrollment] = &status.listen;
    table::line(&format!(
        "joinery-connector {}, running since {}",
        status.version,
        table::time(Some(status.started))
    ));
    table::line(&format!("sessions on {sessions}, enrollment on {enrollment}"));
    table::line(&format!("keys: {} ({})", status.keys.provider, status.keys.state));
    table::line(&format!("store: {} ({})", status.store.kind, status.store.state));
    table::line(&format!("notifications: {}, polled instead", status.notifications));
    for tenant in &status.graph {
        let TenantLine { name, graph_url, state, mailboxes } = tenant;
        table::line(&format!("tenant {name}: {state}, {mailboxes} mailboxes, {graph_url}"));
    }
    let failing: Vec<_> = status.mailboxes.iter().filter(|line| line.problem.is_some()).cloned().collect();
    let (all, well) =
        (status.mailboxes.len(), status.mailboxes.iter().filter(|line| line.state == "ok").count());
    table::line(&format!("mailboxes: {all}, {well} well, {} failing", failing.len()));
    mailbox::print_problems(&failing);
    table::line("");
    device::print(&status.devices);
}
