//! The lines that `joinery-connector explain` reads and writes: a calendar entry in, its join target and the reason out.

use std::fmt;

use joinery_model::BodyKind;
use serde::{Deserialize, Serialize};

use crate::find::{Input, find};

/// A line of input.
#[derive(Clone, Deserialize)]
pub struct Question {
    /// Repeated in the answer, so that the two can be matched.
    #[serde(default)]
    pub id: Option<String>,
    /// The calendar entry.
    pub input: QuestionInput,
}

/// A calendar entry, reduced to what the answer depends on. What is missing or null is empty.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuestionInput {
    /// Title.
    #[serde(default)]
    pub subject: Option<String>,
    /// `location.displayName`.
    #[serde(default)]
    pub location: Option<String>,
    /// `html` (also where it is missing, as with Graph) or `text`.
    #[serde(default)]
    pub body_type: BodyType,
    /// Text of the invitation.
    #[serde(default)]
    pub body: Option<String>,
    /// Graph's `onlineMeeting`.
    #[serde(default)]
    pub online_meeting: Option<OnlineMeeting>,
    /// Hosts of the organisation's own meeting sites.
    #[serde(default)]
    pub own_sites: Option<Vec<String>>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyType {
    /// Markup.
    #[default]
    #[serde(alias = "HTML")]
    Html,
    /// Plain text.
    #[serde(alias = "TEXT", alias = "Text")]
    Text,
}

/// Graph's `onlineMeeting`, as far as it matters.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnlineMeeting {
    /// The link that the organizer's service gave the meeting.
    #[serde(default)]
    pub join_url: Option<String>,
}

/// A line of output: the answer, null where there is none.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The question's id.
    pub id: Option<String>,
    /// What a person's click opens.
    pub url: Option<String>,
    /// What a room system dials.
    pub sip: Option<String>,
    /// Whose meeting it is.
    pub provider: Option<String>,
    /// The meeting's number or code.
    pub meeting_id: Option<String>,
    /// What has to be typed to get in.
    pub passcode: Option<String>,
    /// The location's keyword.
    pub keyword: Option<String>,
    /// Source and rule, in a sentence.
    pub why: String,
}

impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Question(..)")
    }
}

impl fmt::Debug for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Explanation(..)")
    }
}

/// Why a line got no answer. Names the place and never the content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// The line is no JSON.
    #[error("is not valid JSON at column {column}; give one event as a JSON object")]
    NotJson {
        /// Where reading stopped, counted from 1.
        column: usize,
    },
    /// The line is JSON of another shape.
    #[error(
        "is not an event at column {column}; give {{\"id\",\"input\":{{\"subject\",\"location\",\"bodyType\",\"body\",\"onlineMeeting\",\"ownSites\"}}}} with bodyType html or text"
    )]
    NotAnEvent {
        /// Where reading stopped, counted from 1.
        column: usize,
    },
    /// The answer could not be written as JSON.
    #[error("got an answer that cannot be written as JSON; report this as a fault of the program")]
    Unwritable,
}

impl ExplainError {
    /// A stable name of the case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotJson { .. } => "explain-not-json",
            Self::NotAnEvent { .. } => "explain-not-an-event",
            Self::Unwritable => "explain-unwritable",
        }
    }

    /// Never: the same line gets the same answer.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::NotJson { .. } | Self::NotAnEvent { .. } | Self::Unwritable => false,
        }
    }
}

/// Answers one question.
pub fn explain(question: Question) -> Explanation {
    let Question { id, input } = question;
    let own_sites = input.own_sites.unwrap_or_default();
    let finding = find(&Input {
        subject: input.subject.as_deref().unwrap_or_default(),
        location: input.location.as_deref().unwrap_or_default(),
        body_kind: match input.body_type {
            BodyType::Html => BodyKind::Html,
            BodyType::Text => BodyKind::Text,
        },
        body: input.body.as_deref().unwrap_or_default(),
        online_meeting_url: input.online_meeting.as_ref().and_then(|meeting| meeting.join_url.as_deref()),
        own_sites: &own_sites,
    });
    let (url, sip) = finding.target.map(|target| (target.url, target.sip)).unwrap_or_default();
    Explanation {
        id,
        url,
        sip,
        provider: finding.provider,
        meeting_id: finding.meeting_id,
        passcode: finding.passcode,
        keyword: finding.keyword,
        why: finding.why,
    }
}

/// Answers one line of JSON with one line of JSON.
///
/// # Errors
/// [`ExplainError`], where the line is no event.
pub fn explain_line(line: &str) -> Result<String, ExplainError> {
    let question: Question = serde_json::from_str(line).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => ExplainError::NotAnEvent { column: error.column() },
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => ExplainError::NotJson { column: error.column() },
    })?;
    serde_json::to_string(&explain(question)).map_err(|_| ExplainError::Unwritable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_gives_a_line_out() {
        let line = r#"{"id":"a","input":{"subject":null,"location":"https://zoom.us/j/123456789","bodyType":"text"}}"#;
        assert_eq!(
            explain_line(line).unwrap(),
            r#"{"id":"a","url":"https://zoom.us/j/123456789","sip":"123456789@zoomcrc.com","provider":"zoom","meetingId":"123456789","passcode":null,"keyword":null,"why":"The location holds a zoom link and decides (policy 4.1); the address to dial was derived (policy 5.4 to 5.6)."}"#
        );
    }

    #[test]
    fn a_wrong_line_says_where_and_not_what() {
        let check = |line: &str, code: &str| {
            let error = explain_line(line).unwrap_err();
            assert_eq!(error.code(), code, "{line}");
            assert!(!error.is_retryable() && !error.to_string().contains("canary"), "{line}");
        };
        check("{", "explain-not-json");
        check("canary", "explain-not-json");
        check(r#"{"id":"a"}"#, "explain-not-an-event");
        check(r#"{"input":{"bodyType":"canary"}}"#, "explain-not-an-event");
        check(r#"{"input":"canary"}"#, "explain-not-an-event");
    }
}
