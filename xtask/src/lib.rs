//! What needs code: generate, tidy
