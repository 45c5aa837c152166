//! The Joinery endpoint agent
