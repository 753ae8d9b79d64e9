//! Refusals of the API (RFC 9457), field by field.

use serde::{Deserialize, Serialize};

/// Why the API refused a request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// Stable code; empty if something else than the API answered.
    pub code: String,
    /// For people.
    pub detail: String,
    /// What is wrong with each field.
    pub errors: Vec<FieldError>,
    /// With 412: the version that is current.
    pub current_version: Option<u32>,
    /// Header `Retry-After`, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldError {
    /// Name or path, such as `reminders[0].at`.
    pub field: String,
    /// Stable code.
    pub code: String,
    /// For people.
    pub message: String,
}

impl Problem {
    /// The problem in a response. A body that is none, as a host or a proxy sends it, gives a sentence about the status.
    pub fn read(status: u16, body: &str, retry_after: Option<&str>) -> Self {
        let mut problem: Self = serde_json::from_str(body).unwrap_or_default();
        problem.status = status;
        problem.retry_after = retry_after.and_then(|text| text.trim().parse().ok());
        if problem.detail.is_empty() {
            about(status).clone_into(&mut problem.detail);
        }
        problem
    }

    /// What is wrong with a field, or with a part of it: `reminders` finds `reminders[0].at`, `reminders[0]` does, too.
    pub fn beside(&self, field: &str) -> Option<&str> {
        let found = |error: &&FieldError| is_part(&error.field, field);
        self.errors.iter().find(found).map(|error| error.message.as_str())
    }

    /// What is wrong with fields that are neither among `fields` nor parts of them, as sentences. A form shows these, too.
    pub fn other_than(&self, fields: &[&str]) -> Vec<String> {
        let others = |error: &&FieldError| !fields.iter().any(|field| is_part(&error.field, field));
        let with_field = |error: &FieldError| sentence(&format!("{}: {}", error.field, error.message));
        self.errors.iter().filter(others).map(with_field).collect()
    }

    /// The whole problem as a sentence.
    pub fn sentence(&self) -> String {
        match self.errors.as_slice() {
            [only] => sentence(&only.message),
            _ => sentence(&self.detail),
        }
    }
}

fn is_part(path: &str, field: &str) -> bool {
    path.strip_prefix(field)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
}

/// With a capital at the start and a full stop at the end.
pub fn sentence(text: &str) -> String {
    let mut rest = text.trim().chars();
    let Some(first) = rest.next() else {
        return String::new();
    };
    let mut sentence: String = first.to_uppercase().chain(rest).collect();
    if !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

fn about(status: u16) -> &'static str {
    match status {
        401 => "you are signed out: sign in again",
        404 => "it does not exist, or not any more",
        408 | 504 => "the server did not get the whole request in time: try again",
        413 => "this is too long for the server: shorten it",
        429 => "too much at once: wait a little and try again",
        503 => "the server is busy or unavailable: try again in a few seconds",
        500..=599 => "the server has failed: try again later",
        _ => "the server refused this",
    }
}
