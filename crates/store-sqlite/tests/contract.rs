//! SQLite keeps the contract of every store.
#![expect(clippy::unwrap_used, reason = "this is a test")]

use std::ops::Deref;

use joinery_store_sqlite::Sqlite;
use tempfile::TempDir;

struct Temporary {
    store: Sqlite,
    _folder: TempDir,
}

impl Deref for Temporary {
    type Target = Sqlite;

    fn deref(&self) -> &Sqlite {
        &self.store
    }
}

fn temporary() -> Temporary {
    let folder = tempfile::tempdir().unwrap();
    Temporary { store: Sqlite::open(&folder.path().join("connector.db")).unwrap(), _folder: folder }
}

joinery_store::row_store_contract!(temporary());
