//! Maps error responses of the sidecar, and missing responses, to the errors of `nudge:dapr/types`.
//!
//! Dapr's status codes are ambiguous: a missing secret store is 401, a missing binding 500. So the `errorCode` and,
//! where several causes share one, the message decide.

use serde::Deserialize;
use spin_sdk::wasip3::http::types::ErrorCode;

use crate::bindings::{Error, Failure};

/// Maximum length, in bytes, of a body that is not Dapr's JSON and becomes part of a message.
const QUOTED: usize = 300;

#[derive(Deserialize)]
struct DaprError {
    #[serde(rename = "errorCode")]
    code: String,
    #[serde(default)]
    message: String,
}

/// The failure that an error response describes.
pub(crate) fn failure(status: u16, body: &[u8]) -> Failure {
    match serde_json::from_slice::<DaprError>(body) {
        Ok(error) => Failure {
            status: Some(status),
            code: Some(error.code),
            message: error.message,
        },
        Err(_) => {
            let text = String::from_utf8_lossy(body.get(..QUOTED).unwrap_or(body));
            let message = if text.trim().is_empty() {
                format!("status {status} without a body")
            } else {
                text.trim().to_owned()
            };
            Failure {
                status: Some(status),
                code: None,
                message,
            }
        }
    }
}

/// Classifies an error response.
pub(crate) fn classify(status: u16, body: &[u8]) -> Error {
    let failure = failure(status, body);
    let code = failure.code.as_deref().unwrap_or_default();
    let says = |words: &str| failure.message.contains(words);
    if code.ends_with("_NOT_FOUND")
        || says("couldn't find output binding")
        || says("no host found with the given ID")
    {
        Error::NoSuchComponent(failure)
    } else if code == "ERR_HEALTH_NOT_READY" || says("circuit breaker is open") {
        Error::Unavailable(failure)
    } else if says("deadline exceeded") || says("DeadlineExceeded") {
        Error::Timeout(failure)
    } else if says("does not support operation") || says("invalid syntax") {
        Error::InvalidArgument(failure)
    } else {
        match status {
            401 | 403 => Error::AccessDenied(failure),
            408 | 504 => Error::Timeout(failure),
            409 => Error::Conflict(failure),
            502 | 503 => Error::Unavailable(failure),
            400..500 => Error::InvalidArgument(failure),
            _ => Error::Other(failure),
        }
    }
}

/// Classifies a call without a response.
pub(crate) fn no_answer(error: &ErrorCode) -> Error {
    let failure = Failure {
        status: None,
        code: None,
        message: format!("no answer from the sidecar: {error}"),
    };
    match error {
        ErrorCode::HttpRequestDenied => Error::AccessDenied(failure),
        ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout
        | ErrorCode::DnsTimeout => Error::Timeout(failure),
        _ => Error::Unavailable(failure),
    }
}

/// An invalid request, detected before it is sent.
pub(crate) fn invalid(message: impl Into<String>) -> Error {
    Error::InvalidArgument(Failure {
        status: None,
        code: None,
        message: message.into(),
    })
}

/// A response that does not match Dapr's documentation.
pub(crate) fn unexpected(what: &str, error: impl std::fmt::Display) -> Error {
    Error::Other(Failure {
        status: None,
        code: None,
        message: format!("the sidecar's {what} cannot be read: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> &'static str {
        match classify(status, body.as_bytes()) {
            Error::Unavailable(_) => "unavailable",
            Error::Timeout(_) => "timeout",
            Error::AccessDenied(_) => "access-denied",
            Error::NoSuchComponent(_) => "no-such-component",
            Error::InvalidArgument(_) => "invalid-argument",
            Error::Conflict(_) => "conflict",
            Error::Other(_) => "other",
        }
    }

    #[test]
    fn the_error_code_decides_where_the_status_misleads() {
        let recorded = [
            (
                401,
                r#"{"errorCode":"ERR_SECRET_STORE_NOT_FOUND","message":"failed finding secret store with key none"}"#,
                "no-such-component",
            ),
            (
                404,
                r#"{"errorCode":"ERR_PUBSUB_NOT_FOUND","message":"pubsub nope is not found"}"#,
                "no-such-component",
            ),
            (
                400,
                r#"{"errorCode":"ERR_STATE_STORE_NOT_FOUND","message":"state store nostore is not found"}"#,
                "no-such-component",
            ),
            (
                500,
                r#"{"errorCode":"ERR_INVOKE_OUTPUT_BINDING","message":"error invoking output binding zzz: couldn't find output binding zzz"}"#,
                "no-such-component",
            ),
            (
                500,
                r#"{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: nope, err: no host found with the given ID"}"#,
                "no-such-component",
            ),
            (
                500,
                r#"{"errorCode":"ERR_HEALTH_NOT_READY","message":"dapr is not ready: [runtime]"}"#,
                "unavailable",
            ),
            (
                500,
                r#"{"errorCode":"ERR_INVOKE_OUTPUT_BINDING","message":"error invoking output binding mailer: circuit breaker is open"}"#,
                "unavailable",
            ),
            (
                500,
                r#"{"errorCode":"ERR_PUBSUB_PUBLISH_MESSAGE","message":"error when publishing: context deadline exceeded"}"#,
                "timeout",
            ),
            (401, "invalid api token\n", "access-denied"),
            (
                504,
                r#"{"errorCode":"DAPR_SCHEDULER_SCHEDULE_JOB","message":"failed"}"#,
                "timeout",
            ),
            (
                409,
                r#"{"errorCode":"ERR_STATE_SAVE","message":"possible etag mismatch"}"#,
                "conflict",
            ),
            (
                400,
                r#"{"errorCode":"ERR_MALFORMED_REQUEST","message":"\"key\" is a required field"}"#,
                "invalid-argument",
            ),
            (
                500,
                r#"{"errorCode":"ERR_STATE_SAVE","message":"failed to connect"}"#,
                "other",
            ),
            (503, "", "unavailable"),
        ];
        for (status, body, expected) in recorded {
            assert_eq!(kind(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn an_answer_that_is_not_json_is_quoted_in_part() {
        let failure = failure(500, "x".repeat(5_000).as_bytes());
        assert_eq!(failure.message.len(), QUOTED);
    }
}
