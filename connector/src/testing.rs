//! A connector for tests: real store and key file in a temporary folder, no network.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use joinery_model::{DeviceId, DeviceKind, Revision, RowId};
use joinery_seal::{Day, KeyBinding, RowBinding, RowKind, SealedRow, seal};

use crate::app::App;
use crate::config::Config;
use crate::records::{DeviceRecord, InvitationRecord, MailboxKind, MailboxRecord};
use crate::roster::Mailbox;
use crate::workers::sync::{self, SyncLoop};

/// A connector and what it must outlive.
pub struct TestApp {
    pub app: Arc<App>,
    pub _folder: tempfile::TempDir,
    pub _sync: SyncLoop,
}

/// A connector that was started for the first time.
pub async fn app() -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let (app, sync) = open(folder.path()).await.unwrap();
    TestApp { app, _folder: folder, _sync: sync }
}

/// A connector of a simulated tenant that has these mailboxes.
pub async fn app_of(tenant: &joinery_tenant::Tenant) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display();
    std::fs::write(folder.path().join("secret"), tenant.client_secret()).unwrap();
    std::fs::write(folder.path().join("ca.pem"), tenant.ca_pem()).unwrap();
    let real = format!(
        "id = \"{}\"\nclient_id = \"{}\"\nauthority_url = \"{}\"\ngraph_url = \"{}\"\nca_file = \"{at}/ca.pem\"",
        tenant.tenant_id(),
        tenant.client_id(),
        tenant.authority_url(),
        tenant.graph_url()
    );
    let nobody = "id = \"contoso.onmicrosoft.com\"\nclient_id = \"app\"";
    let text = configuration(folder.path()).replace(nobody, &real);
    let (handle, sync) = sync::channel();
    let app = App::open(Config::parse(&text).unwrap(), handle).await.unwrap();
    TestApp { app: Arc::new(app), _folder: folder, _sync: sync }
}

/// Opens the connector in `folder`, as a start would.
pub async fn open(folder: &Path) -> anyhow::Result<(Arc<App>, SyncLoop)> {
    let (handle, sync) = sync::channel();
    Ok((Arc::new(App::open(Config::parse(&configuration(folder))?, handle).await?), sync))
}

fn configuration(folder: &Path) -> String {
    let at = folder.display();
    format!(
        r#"
[server]
names = ["connector.example.com"]
[admin]
socket = "{at}/admin.sock"
[store]
url = "sqlite:{at}/connector.db"
[keys.embedded]
file = "{at}/kek"
[[tenant]]
name = "contoso"
id = "contoso.onmicrosoft.com"
client_id = "app"
domains = ["contoso.example"]
client_secret_file = "{at}/secret"
"#
    )
}

/// A mailbox of the connector.
pub async fn mailbox(app: &App, address: &str) -> Arc<Mailbox> {
    let record = MailboxRecord {
        id: joinery_model::MailboxId::from_bytes(joinery_daemon::random().unwrap()),
        address: address.parse().unwrap(),
        kind: MailboxKind::Room,
        tenant: app.config.tenants[0].name.clone(),
        added: joinery_daemon::now(),
    };
    app.records.put(&record).await.unwrap();
    app.roster.add(record, Revision(0))
}

/// A sealed row for the mailbox's next commit.
pub async fn row(app: &App, mailbox: &Mailbox, id: u8, erase_after: Day) -> SealedRow {
    let owner = mailbox.key_owner();
    let (epoch, key) = app.keyring.current(&owner).await.unwrap();
    let revision = app.store.head(mailbox.id()).await.unwrap().revision.next();
    let id = RowId::from_bytes([id; 16]);
    let key_binding = KeyBinding { tenant: &owner.tenant, mailbox: owner.mailbox, epoch };
    let binding = RowBinding { key: key_binding, kind: RowKind::Meeting, id: id.as_bytes(), revision };
    let sealed = seal(&key, &binding, joinery_daemon::random().unwrap(), b"{}").unwrap();
    SealedRow { id, revision, erase_after, sealed }
}

/// An invitation that ends at `expires`; its password is ten nines.
pub fn invitation(mailbox: &Mailbox, lookup: &str, expires: Timestamp) -> InvitationRecord {
    InvitationRecord {
        id: joinery_daemon::random::<16>().unwrap().to_vec(),
        lookup: lookup.to_owned(),
        password: "9999999999".to_owned(),
        mailbox: mailbox.id(),
        kind: DeviceKind::Room,
        expires,
        tries: 0,
        outcome: None,
    }
}

/// A registered device of the mailbox.
pub async fn device(app: &App, mailbox: &Mailbox, name: &str) -> DeviceId {
    let record = DeviceRecord {
        id: DeviceId::from_bytes(joinery_daemon::random().unwrap()),
        name: name.to_owned(),
        kind: DeviceKind::Room,
        mailbox: mailbox.id(),
        hpke: vec![7; 32],
        enrolled: joinery_daemon::now(),
        certificate_until: joinery_daemon::now(),
        revoked: None,
        last_seen: None,
    };
    app.records.put(&record).await.unwrap();
    app.registry.put(record.clone());
    record.id
}
