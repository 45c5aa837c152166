//! Sealed rows in SQLite
