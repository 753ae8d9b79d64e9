//! The app's response to a batch: a status for each entry.
//!
//! Responses without a readable body, and entries without a status, are failures: the opposite of a single delivery.

use axum::http::StatusCode;
use serde::Deserialize;

/// What the app says about one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    Drop,
    /// `RETRY`, an empty or an unknown status.
    Retry,
}

/// The meaning of a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Response {
    /// By entry id, in the order of the response. Ids may be unknown, missing or repeated.
    Statuses(Vec<(String, Status)>),
    /// The app has no such path. Dapr drops the whole batch, also with a dead-letter topic.
    NotFound,
}

#[derive(Deserialize)]
struct Body {
    statuses: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    entry_id: String,
    #[serde(default)]
    status: String,
}

/// Reads a response; an error is a failure of the whole batch.
pub(super) fn read(status: StatusCode, body: &[u8]) -> Result<Response, String> {
    if status == StatusCode::NOT_FOUND {
        return Ok(Response::NotFound);
    }
    if !status.is_success() {
        return Err(format!("the app answers {status}"));
    }
    // Like Go's decoder, which ignores what follows the first value.
    let first = serde_json::Deserializer::from_slice(body).into_iter().next();
    let body: Body = first
        .ok_or("the app answers without statuses")?
        .map_err(|error| format!("the app's statuses cannot be read: {error}"))?;
    let statuses = body.statuses.unwrap_or_default().into_iter().map(|entry| {
        let status = match entry.status.as_str() {
            "SUCCESS" => Status::Success,
            "DROP" => Status::Drop,
            _ => Status::Retry,
        };
        (entry.entry_id, status)
    });
    Ok(Response::Statuses(statuses.collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reads(status: u16, body: &str) -> Option<Response> {
        read(StatusCode::from_u16(status).expect("a status"), body.as_bytes()).ok()
    }

    #[test]
    fn reads_the_status_of_each_entry() {
        let body = r#"{"statuses":[{"entryId":"1","status":"SUCCESS"},{"entryId":"0","status":"DROP"},
            {"entryId":"2","status":"RETRY"},{"entryId":"3","status":"BOGUS"},{"entryId":"4"},{"status":"SUCCESS"}]} trailing"#;
        let expected = [
            ("1", Status::Success),
            ("0", Status::Drop),
            ("2", Status::Retry),
            ("3", Status::Retry),
            ("4", Status::Retry),
            ("", Status::Success),
        ];
        let expected = expected.map(|(id, status)| (id.to_owned(), status)).to_vec();
        assert_eq!(reads(200, body), Some(Response::Statuses(expected)));
        assert_eq!(reads(404, body), Some(Response::NotFound));
    }

    #[test]
    fn a_response_without_statuses_is_a_failure_of_every_entry() {
        for (status, body) in [
            (200, ""),
            (204, ""),
            (200, "thanks"),
            (200, "[1]"),
            (500, "{}"),
            (302, "{}"),
        ] {
            assert_eq!(reads(status, body), None, "{status} {body}");
        }
        for body in ["{}", r#"{"status":"SUCCESS"}"#, r#"{"statuses":null}"#] {
            assert_eq!(reads(200, body), Some(Response::Statuses(Vec::new())), "{body}");
        }
    }
}
