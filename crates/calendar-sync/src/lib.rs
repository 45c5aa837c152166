//! Decides what a calendar sync asks next and what changed
