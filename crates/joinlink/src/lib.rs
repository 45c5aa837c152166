//! Finds the address to join a meeting by in what a calendar entry says: location, online meeting field, body and
//! subject, in whatever markup, wrapped by whichever mail filter.
//!
//! Decides which links lead into a meeting and which of them is the meeting's, what a room system dials, the meeting's
//! number and passcode, and the location's keyword. Knows nothing of where the entry came from and opens no link. The
//! rules carry the numbers of the join-address policy. Every step takes time in proportion to the input.

mod details;
mod explain;
mod find;
mod keyword;
mod link;
mod providers;
mod rank;
mod resolve;
mod rewriters;
mod sip;
mod text;

pub use explain::{ExplainError, Explanation, Question, QuestionInput, explain, explain_line};
pub use find::{Finding, Input, find};
