//! What SQLite reports, as what an operator can do about it.

use std::io;
use std::path::Path;

use joinery_store::StoreError;
use rusqlite::types::{FromSqlError, Type};
use rusqlite::{ErrorCode, ffi};

/// With less than this free, a failed write is put down to lack of space: SQLite itself needs some pages for its
/// shared index and reports running out there as an input/output error.
const NEARLY_FULL: u64 = 256 * 1024;

/// A failed query: SQLite's word, or a finished sentence.
#[derive(Debug)]
pub(crate) enum Failure {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Failure {
    /// The error for the caller; `place` is the database file.
    pub(crate) fn at(self, place: &str) -> StoreError {
        match self {
            Self::Sql(error) => from_sql(&error, place),
            Self::Store(error) => error,
        }
    }
}

/// A stored value that cannot be what this program wrote.
pub(crate) fn misshapen(column: usize) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(FromSqlError::InvalidType))
}

/// An extended result code of a broken unique constraint.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    let unique = [ffi::SQLITE_CONSTRAINT_UNIQUE, ffi::SQLITE_CONSTRAINT_PRIMARYKEY];
    error.sqlite_error().is_some_and(|error| unique.contains(&error.extended_code))
}

fn from_sql(error: &rusqlite::Error, place: &str) -> StoreError {
    let place = place.to_owned();
    let (code, detail) = match error {
        rusqlite::Error::SqliteFailure(failure, _) => (failure.code, failure.to_string()),
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::IntegralValueOutOfRange(..) => {
            return StoreError::Corrupt {
                place,
                detail: "a stored value has not the shape of one".to_owned(),
            };
        }
        other => return StoreError::Failed { place, detail: other.to_string() },
    };
    match code {
        ErrorCode::DiskFull => StoreError::Full { place },
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt { place, detail },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            StoreError::Busy { place }
        }
        ErrorCode::PermissionDenied | ErrorCode::ReadOnly => {
            StoreError::Permission { place, action: "written" }
        }
        // The file itself was found and may be read, so it is the files beside it that cannot be made.
        ErrorCode::CannotOpen if has_room(&place) => StoreError::Permission { place, action: "opened" },
        ErrorCode::CannotOpen => StoreError::Full { place },
        ErrorCode::SystemIoFailure if !has_room(&place) => StoreError::Full { place },
        _ => StoreError::Failed { place, detail },
    }
}

/// What the system says about the file, before SQLite sees it.
pub(crate) fn from_io(error: &io::Error, place: &str) -> StoreError {
    let place = place.to_owned();
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StoreError::Missing { place },
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::Permission { place, action: "opened" }
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { place },
        _ => StoreError::Failed { place, detail: error.to_string() },
    }
}

fn has_room(place: &str) -> bool {
    rustix::fs::statvfs(Path::new(place))
        .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) >= NEARLY_FULL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_of_sqlites_words_has_its_sentence() {
        let check = |extended: i32, code: &str| {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(extended), None);
            let told = Failure::from(error).at("/");
            assert_eq!(told.code(), code, "{told}");
        };
        check(ffi::SQLITE_FULL, "store-full");
        check(ffi::SQLITE_CORRUPT, "store-corrupt");
        check(ffi::SQLITE_CORRUPT_INDEX, "store-corrupt");
        check(ffi::SQLITE_NOTADB, "store-corrupt");
        check(ffi::SQLITE_BUSY, "store-busy");
        check(ffi::SQLITE_BUSY_RECOVERY, "store-busy");
        check(ffi::SQLITE_READONLY, "store-permission");
        check(ffi::SQLITE_READONLY_DIRECTORY, "store-permission");
        check(ffi::SQLITE_CANTOPEN, "store-permission");
        check(ffi::SQLITE_IOERR_FSYNC, "store-failed");
        check(ffi::SQLITE_NOMEM, "store-failed");
        assert_eq!(Failure::from(misshapen(0)).at("/").code(), "store-corrupt");
    }

    #[test]
    fn each_of_the_systems_words_has_its_sentence() {
        let check = |kind: io::ErrorKind, code: &str| assert_eq!(from_io(&kind.into(), "/").code(), code);
        check(io::ErrorKind::NotFound, "store-missing");
        check(io::ErrorKind::PermissionDenied, "store-permission");
        check(io::ErrorKind::ReadOnlyFilesystem, "store-permission");
        check(io::ErrorKind::StorageFull, "store-full");
        check(io::ErrorKind::Other, "store-failed");
    }
}
