//! The server certificate: made for the configured names, renewed while running.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use joinery_pki::renew_at;
use joinery_transport::{ServerIdentity, SharedServerTls};

use crate::app::App;
use crate::records::ServerCertificateRecord;

/// How often it is looked whether the certificate is to be renewed.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// The certificate to serve with: the stored one while it is good, else a new one, stored before it is used.
///
/// # Errors
/// Where records cannot be read or written or the names do not make a certificate.
pub async fn current(app: &App) -> Result<ServerIdentity> {
    let names = &app.config.server.names;
    let now = joinery_daemon::now();
    let stored = app.records.only::<ServerCertificateRecord>().await?;
    let good = |record: &ServerCertificateRecord| {
        record.names == *names && now < renew_at(record.not_before, record.not_after, 0.0)
    };
    let record = match stored.filter(good) {
        Some(record) => record,
        None => issue(app).await?,
    };
    Ok(ServerIdentity::new(
        vec![record.certificate.clone(), app.authority.certificate().to_vec()],
        &record.key,
    )?)
}

async fn issue(app: &App) -> Result<ServerCertificateRecord> {
    let now = joinery_daemon::now();
    let made = app.authority.issue_server(&app.config.server.names, now, joinery_daemon::random()?)?;
    let life = joinery_pki::validity(&made.certificate)?;
    let record = ServerCertificateRecord {
        certificate: made.certificate.clone(),
        key: made.key.to_vec(),
        names: app.config.server.names.clone(),
        not_before: life.not_before,
        not_after: life.not_after,
    };
    app.records.put(&record).await?;
    tracing::info!(until = %record.not_after, "Server certificate made");
    Ok(record)
}

/// Renews the certificate in `tls` when its time comes, until `stop`. Open sessions go on.
pub async fn run(app: Arc<App>, tls: SharedServerTls, stop: joinery_daemon::Shutdown) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        match current(&app).await {
            Ok(identity) => {
                if let Err(error) = tls.replace(identity) {
                    tracing::error!("The renewed server certificate cannot be used: {error}");
                }
            }
            Err(error) => tracing::error!(
                "The server certificate is not renewed: {error:#}; it is tried again in an hour"
            ),
        }
    }
}
