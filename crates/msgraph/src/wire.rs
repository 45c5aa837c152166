//! The shapes of Graph's and Entra's JSON, as far as they are read.

use serde::Deserialize;
use serde_json::Value;

use crate::error::printable;

/// Any list of Graph's: a page of events, of domains, of a delta round.
#[derive(Deserialize)]
pub(crate) struct ListBody {
    pub value: Vec<Value>,
    #[serde(default, rename = "@odata.nextLink")]
    pub next_link: Option<String>,
    #[serde(default, rename = "@odata.deltaLink")]
    pub delta_link: Option<String>,
}

/// An event. Every property may be missing or null.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventBody {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub series_master_id: Option<String>,
    pub subject: Option<String>,
    pub body: Option<ItemBody>,
    pub location: Option<LocationBody>,
    pub online_meeting: Option<OnlineMeetingBody>,
    pub start: Option<DateTimeBody>,
    pub end: Option<DateTimeBody>,
    pub is_all_day: Option<bool>,
    pub is_cancelled: Option<bool>,
    pub is_organizer: Option<bool>,
    pub organizer: Option<RecipientBody>,
    pub response_status: Option<ResponseBody>,
    pub sensitivity: Option<String>,
    pub show_as: Option<String>,
    pub recurrence: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemBody {
    pub content_type: Option<String>,
    pub content: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LocationBody {
    pub display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnlineMeetingBody {
    pub join_url: Option<String>,
}

/// `dateTimeTimeZone`: a wall clock time without offset, and the zone that it is in.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DateTimeBody {
    pub date_time: String,
    pub time_zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecipientBody {
    pub email_address: Option<EmailBody>,
}

#[derive(Deserialize)]
pub(crate) struct EmailBody {
    pub name: Option<String>,
    pub address: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct ResponseBody {
    pub response: Option<String>,
}

/// Graph's error envelope, read as leniently as possible: proxies answer with anything.
#[derive(Default, Deserialize)]
pub(crate) struct ErrorBody {
    #[serde(default)]
    error: Value,
}

impl ErrorBody {
    /// The codes, the finest first: `innerError` (also spelled `innererror`) nests to any depth.
    pub fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<_> =
            self.levels().into_iter().filter_map(|level| level.get("code").and_then(Value::as_str)).collect();
        codes.reverse();
        codes
    }

    /// The id that Graph's support asks for.
    pub fn request_id(&self) -> Option<String> {
        let id = |level: &Value| {
            level.get("request-id").and_then(Value::as_str).and_then(printable).map(str::to_owned)
        };
        self.levels().into_iter().find_map(id)
    }

    fn levels(&self) -> Vec<&Value> {
        /// No documented answer nests deeper than three.
        const DEEPEST: usize = 8;
        std::iter::successors(Some(&self.error), |&level| {
            level.get("innerError").or_else(|| level.get("innererror"))
        })
        .take(DEEPEST)
        .collect()
    }
}

/// Entra's answer to a token request.
#[derive(Deserialize)]
pub(crate) struct TokenBody {
    pub access_token: String,
    pub expires_in: u64,
    pub token_type: String,
}

/// Entra's refusal of a token request.
#[derive(Default, Deserialize)]
pub(crate) struct EntraBody {
    #[serde(default)]
    pub error: String,
    #[serde(default)]
    pub error_description: String,
    #[serde(default)]
    pub error_codes: Vec<u32>,
    #[serde(default)]
    pub trace_id: Option<String>,
}
