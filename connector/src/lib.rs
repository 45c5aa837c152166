//! The Joinery connector
