//! Whether there is a desktop session whose pop-ups a person would see.

use zbus::fdo::DBusProxy;
use zbus::names::BusName;

/// The service that shows pop-ups (Desktop Notifications Specification).
const NOTIFICATIONS: &str = "org.freedesktop.Notifications";

/// Whether a notification server runs in this session, or would be started by the first pop-up.
pub async fn is_there() -> bool {
    if std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_none() {
        return false;
    }
    ask().await.unwrap_or(false)
}

async fn ask() -> zbus::Result<bool> {
    let session = zbus::Connection::session().await?;
    let bus = DBusProxy::new(&session).await?;
    if bus.name_has_owner(BusName::try_from(NOTIFICATIONS)?).await? {
        return Ok(true);
    }
    Ok(bus.list_activatable_names().await?.iter().any(|name| name.as_str() == NOTIFICATIONS))
}
