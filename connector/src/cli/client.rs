//! Calls to the running daemon.

use joinery_daemon::control::Client;
use serde::de::DeserializeOwned;

use super::CliError;
use crate::config::Config;
use crate::services::admin::AdminRequest;

/// Asks the daemon and reads its answer.
pub(super) async fn ask<T: DeserializeOwned>(config: &Config, request: &AdminRequest) -> Result<T, CliError> {
    let answer = Client::call(&config.admin.socket, request).await?;
    Ok(serde_json::from_value(answer).map_err(anyhow::Error::from)?)
}

/// Prints a value as JSON for scripts.
pub(super) fn print_json<T: serde::Serialize>(value: &T) -> Result<(), CliError> {
    super::table::line(&serde_json::to_string(value).map_err(anyhow::Error::from)?);
    Ok(())
}

/// Asks the daemon about one thing and prints the answer: as JSON, or with `say` for a person.
pub(super) async fn tell<T: DeserializeOwned + serde::Serialize>(
    config: &Config,
    request: &AdminRequest,
    json: bool,
    say: impl Fn(&T),
) -> Result<(), CliError> {
    let answer = ask(config, request).await?;
    if json {
        return print_json(&answer);
    }
    say(&answer);
    Ok(())
}
