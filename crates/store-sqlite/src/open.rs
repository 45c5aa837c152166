//! From a path to connections: the file, its protection, its integrity, its schema.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use joinery_store::StoreError;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::failure::{Failure, from_io};

/// Marks the file as Joinery's in its header: "JNRY".
const APPLICATION_ID: i64 = 0x4a4e_5259;

/// Step N leads from schema N to N + 1. Steps that were released never change.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_sealed_rows.sql")];

/// Another process commits in milliseconds; one that holds the file longer than this is stuck.
pub(crate) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Between two tries of what SQLite does not wait for itself.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Opens the connection that writes, after everything about the file has been put in order.
pub(crate) fn for_writing(path: &Path, place: &str) -> Result<Connection, StoreError> {
    prepare_file(path).map_err(|error| from_io(&error, place))?;
    let set_up = || -> Result<Connection, Failure> {
        let mut connection = connect(path)?;
        refuse_foreign(&connection, place)?;
        refuse_damaged(&connection, place)?;
        // Only now is anything written: a file that was refused stays as it is.
        let mode: String =
            connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        if mode != "wal" {
            let detail = format!("its journal mode stays {mode}; keep it on a local file system");
            return Err(StoreError::Failed { place: place.to_owned(), detail }.into());
        }
        migrate(&mut connection, place)?;
        Ok(connection)
    };
    // Where waiting could be for each other, as between two that make the file a WAL one, SQLite says busy at once.
    let patience = Instant::now() + BUSY_TIMEOUT;
    loop {
        match set_up().map_err(|failure| failure.at(place)) {
            Err(StoreError::Busy { .. }) if Instant::now() < patience => std::thread::sleep(BUSY_PAUSE),
            opened => return opened,
        }
    }
}

/// Opens a connection that only reads, to a database that [`for_writing`] has put in order.
pub(crate) fn for_reading(path: &Path, place: &str) -> Result<Connection, StoreError> {
    let set_up = || -> Result<Connection, Failure> {
        let connection = connect(path)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(connection)
    };
    set_up().map_err(|failure| failure.at(place))
}

/// Opens the file itself and nothing beside it, for a look.
pub(crate) fn for_looking(path: &Path) -> rusqlite::Result<Connection> {
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags)
}

/// Creates the file if need be; its protection is what SQLite gives the files beside it too.
fn prepare_file(path: &Path) -> std::io::Result<()> {
    match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => {
            file.sync_all()?;
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let file = OpenOptions::new().read(true).write(true).open(path)?;
            if file.metadata()?.mode() & 0o077 != 0 {
                fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // On the disk before it is acknowledged; FULL syncs the WAL at each commit.
    connection.pragma_update(None, "synchronous", "full")?;
    // Overwrite what is deleted. Answers with the new setting, hence the check.
    connection.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    // No content in temporary files.
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

fn refuse_foreign(connection: &Connection, place: &str) -> Result<(), Failure> {
    let corrupt = |detail: &str| StoreError::Corrupt { place: place.to_owned(), detail: detail.to_owned() };
    // All three as of one instant: another process may be making the database at this moment.
    let instant = connection.unchecked_transaction()?;
    let application: i64 = instant.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found = schema(&instant)?;
    let tables: i64 = instant.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    drop(instant);
    let new = (application, found, tables) == (0, 0, 0);
    if !new && application != APPLICATION_ID {
        return Err(corrupt("it belongs to another program").into());
    }
    refuse_newer(found, place)
}

fn refuse_newer(found: i64, place: &str) -> Result<(), Failure> {
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { place: place.to_owned(), found, known }.into());
    }
    Ok(())
}

fn refuse_damaged(connection: &Connection, place: &str) -> Result<(), Failure> {
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" {
        return Ok(());
    }
    // Says where in the file, not what: page and cell numbers, names of tables and indexes.
    let detail = found.lines().last().unwrap_or("the integrity check failed").trim().to_owned();
    Err(StoreError::Corrupt { place: place.to_owned(), detail }.into())
}

/// Brings the schema up to date in one transaction. Another process may be doing the same.
fn migrate(connection: &mut Connection, place: &str) -> Result<(), Failure> {
    if schema(connection)? == i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut at = schema(&transaction)?;
    refuse_newer(at, place)?;
    for step in MIGRATIONS.iter().skip(usize::try_from(at).unwrap_or(0)) {
        transaction.execute_batch(step)?;
        at += 1;
    }
    transaction.pragma_update(None, "user_version", at)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()?;
    tracing::debug!(schema = at, "Database schema is up to date");
    Ok(())
}

fn schema(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}
