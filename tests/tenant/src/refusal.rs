//! An answer that says no, in the shape that Graph documents (graph contract, section 11), and whether it was the
//! client's mistake.

use serde_json::{Value, json};

/// A refused request.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// `error.code`.
    pub code: String,
    /// `error.message`; clients must not match on it.
    pub message: String,
    /// Headers besides the usual ones.
    pub headers: Vec<(&'static str, String)>,
    /// A correct client never gets here: the request is counted as a violation.
    pub mistake: bool,
    /// `innerError.code`, where the documentation shows a finer one.
    pub inner: Option<String>,
}

impl Refusal {
    /// The client asked for something that the contract does not allow.
    pub fn mistake(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { mistake: true, ..Self::normal(status, code, message) }
    }

    /// Something that happens to correct clients: an item that is gone, a dead token, an ordered fault.
    pub fn normal(status: u16, code: &str, message: impl Into<String>) -> Self {
        let (code, message) = (code.to_owned(), message.into());
        Self { status, code, message, headers: Vec::new(), mistake: false, inner: None }
    }

    /// 400 for a query option that the operation does not take, or that it lacks.
    pub fn bad_query(message: impl Into<String>) -> Self {
        Self::mistake(400, "ErrorInvalidUrlQuery", message)
    }

    /// 400 for a query option whose value cannot be read.
    pub fn bad_parameter(name: &str) -> Self {
        Self::mistake(400, "ErrorInvalidParameter", format!("The value of parameter '{name}' is invalid."))
    }

    /// 400 for a body that is not what the type says.
    pub fn bad_body(message: impl Into<String>) -> Self {
        Self::mistake(400, "RequestBodyRead", message)
    }

    /// 400 for a body whose shape is right and whose values are not allowed.
    pub fn bad_value(message: impl Into<String>) -> Self {
        Self::mistake(400, "ErrorPropertyValidationFailure", message)
    }

    /// 404 for an item that is not there (any more).
    pub fn item_gone() -> Self {
        Self::normal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Graph's envelope. `date` and `request_id` as Graph writes them, `client_request_id` as the client sent it.
    pub fn envelope(&self, date: &str, request_id: &str, client_request_id: &str) -> Value {
        let mut inner = json!({
            "date": date,
            "request-id": request_id,
            "client-request-id": client_request_id,
        });
        if let (Some(code), Some(object)) = (&self.inner, inner.as_object_mut()) {
            object.insert("code".to_owned(), json!(code));
        }
        json!({ "error": { "code": self.code, "message": self.message, "innerError": inner } })
    }
}
