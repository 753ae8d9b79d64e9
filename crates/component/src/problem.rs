//! Errors as RFC 9457 problem details (`application/problem+json`).
//!
//! `docs/http-status-codes.md` says which status means what. A problem has two messages: one for the caller, in the
//! body, and one for the log, which may say more.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use problem_details::ProblemDetails;
use serde::Serialize;

/// One thing that is wrong with the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Where: a JSON pointer-like path of the body (`reminders[0].at`), a query parameter or a header.
    pub field: String,
    /// Which rule it breaks, for machines.
    pub code: String,
    /// What is wrong and how to fix it.
    pub message: String,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    code: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_version: Option<u32>,
}

/// An error response. Boxed, since it is the error type of many results.
#[derive(Debug, Clone)]
pub struct Problem(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    status: StatusCode,
    detail: String,
    extensions: Extensions,
    headers: Vec<(http::HeaderName, HeaderValue)>,
    log: Option<String>,
}

impl Problem {
    /// An error with a machine-readable `code` (`invalid_body`) and a sentence for the caller.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let extensions = Extensions {
            code: code.to_owned(),
            ..Extensions::default()
        };
        Self(Box::new(Details {
            status,
            detail: detail.into(),
            extensions,
            headers: Vec::new(),
            log: None,
        }))
    }

    /// 400: several fields are invalid; the body lists each.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.field, one.message),
            many => format!("{} fields are not valid", many.len()),
        };
        let mut problem = Self::new(StatusCode::BAD_REQUEST, "validation_error", detail);
        problem.0.extensions.errors = errors;
        problem
    }

    /// 400: one field is invalid.
    pub fn field(field: impl Into<String>, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError {
            field: field.into(),
            code: code.into(),
            message: message.into(),
        }])
    }

    /// 401: the caller is not authenticated. `detail` says what to send.
    pub fn unauthorized(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 404: there is no such thing, or it belongs to another user.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("there is no such {what}"),
        )
    }

    /// 503: a dependency is unavailable. The caller learns when to retry; the log says which dependency it was.
    pub fn unavailable(what: &str, log: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            format!("{what} cannot be reached: try again in a few seconds"),
        )
        .header(RETRY_AFTER, HeaderValue::from_static("5"))
        .logged(log)
    }

    /// 500: a defect. The details go only to the log.
    pub fn internal(log: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal_error",
            "something went wrong on our side: read it again before you repeat the change",
        )
        .logged(log)
    }

    /// Adds the current version.
    #[must_use]
    pub fn current_version(mut self, version: u32) -> Self {
        self.0.extensions.current_version = Some(version);
        self
    }

    /// Adds a header to the response.
    #[must_use]
    pub fn header(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// Adds details for the log only.
    #[must_use]
    pub fn logged(mut self, log: impl std::fmt::Display) -> Self {
        self.0.log = Some(log.to_string());
        self
    }

    /// The same without details for the log.
    #[must_use]
    pub fn without_log(mut self) -> Self {
        self.0.log = None;
        self
    }

    /// The details for the log.
    pub fn log_text(&self) -> Option<&str> {
        self.0.log.as_deref()
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The sentence for the caller.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The code for machines.
    pub fn code(&self) -> &str {
        &self.0.extensions.code
    }

    /// What is wrong field by field.
    pub fn errors(&self) -> &[FieldError] {
        &self.0.extensions.errors
    }

    /// The body, for a response that holds several problems; details for the log are logged.
    pub fn into_value(self) -> serde_json::Value {
        self.log();
        serde_json::to_value(self.0.body()).unwrap_or_default()
    }

    /// Logs the details that only the log may have. Converting the problem into a response does so as well.
    pub fn log(&self) {
        let Some(log) = &self.0.log else { return };
        let (status, code) = (self.status(), self.code());
        if status.is_server_error() {
            tracing::error!(status = status.as_u16(), code, "{log}");
        } else {
            tracing::info!(status = status.as_u16(), code, "{log}");
        }
    }
}

impl Details {
    fn body(self) -> ProblemDetails<Extensions> {
        ProblemDetails::from_status_code(self.status)
            .with_detail(self.detail)
            .with_extensions(self.extensions)
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        self.log();
        let (status, headers) = (self.status(), std::mem::take(&mut self.0.headers));
        let body = serde_json::to_vec(&self.0.body()).unwrap_or_default();
        let mut response = (status, body).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().extend(headers);
        response
    }
}

/// The fallback of a router: 404, since no route matches.
pub async fn no_route(uri: http::Uri) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no_such_route",
        format!("there is nothing at {}", uri.path()),
    )
}

/// 405 of a route that exists with other methods.
pub async fn no_method(method: http::Method, uri: http::Uri) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        format!("{} does not take {method}", uri.path()),
    )
}
