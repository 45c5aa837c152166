//! Key managers: who holds the key that wraps the others
