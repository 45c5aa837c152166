//! Content keys, sealed rows and grants
