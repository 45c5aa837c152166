//! Finds and ranks the address to join a meeting by
