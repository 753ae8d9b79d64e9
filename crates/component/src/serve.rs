//! From Spin's request to an axum router and back.

use std::error::Error;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use spin_sdk::http::Request;
use tower::ServiceExt;
use tracing::Instrument;

use crate::log;
use crate::problem::Problem;
use crate::trace::Traceparent;

/// Maximum size of a request body in bytes. Dapr and Spin have no inbound limit of their own.
pub const MAX_BODY: usize = 256 * 1024;

/// Maximum size in bytes of a batch of events, and of what services ask and tell each other about one. A subscription's
/// `maxMessagesCount` times the largest event is less.
pub const MAX_BATCH: usize = 8 * 1024 * 1024;

/// Interval at which a body must make progress, see [`MIN_PROGRESS`]. A body that does not arrive would occupy a place among the
/// requests that an instance handles at once, and Spin does not limit its time.
pub const BODY_INTERVAL: Duration = Duration::from_secs(10);

/// How many bytes of a body must arrive in each [`BODY_INTERVAL`] until it is complete: 1,000 per second, which the slowest phones reach.
pub const MIN_PROGRESS: usize = 10_000;

/// Handles one request with the component's router and logs it with its trace id. Each instance builds the router once, since
/// building it costs more than most requests.
pub async fn serve(app_id: &'static str, router: fn() -> Router, request: Request) -> Response {
    static ROUTER: OnceLock<Router> = OnceLock::new();
    log::start();
    // The state is set here so that axum does not have to clone the handlers to set it for every request.
    let router = ROUTER.get_or_init(|| router().with_state(())).clone();
    let traceparent = Traceparent::of(request.headers());
    let (method, path) = (request.method().clone(), without_tokens(request.uri().path()));
    let span = tracing::info_span!("request", app = app_id, trace_id = traceparent.trace_id(), %method, path);
    async move {
        let started = Instant::now();
        let coded = is_coded(request.headers());
        let mut request = request.map(|body| if coded { Coded::body() } else { Body::new(body) });
        request.extensions_mut().insert(traceparent);
        let mut response = match router.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        if [StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&response.status()) {
            // axum sets 0. A 204 must not have the header, and in a 304 it means the length of the 200 (RFC 9110, section 8.6).
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        protect(response.headers_mut());
        let (status, ms) = (response.status().as_u16(), started.elapsed().as_millis() as u64);
        if response.status().is_server_error() {
            tracing::warn!(status, ms, "answered");
        } else {
            tracing::debug!(status, ms, "answered");
        }
        response
    }
    .instrument(span)
    .await
}

/// Sets the headers that keep what a response says between the service and its caller. Unless a route says otherwise, no cache stores a
/// response (RFC 9111, section 5.2.2.5): nearly all hold data of one user, and `/api/v1/me` and version tags such as `"3"` are the same
/// for all users, so a stored response could be confirmed for another one (decision 0046). No browser guesses another type than
/// `Content-Type` says.
fn protect(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// A path for the log. A segment of 43 characters or more in Base64url may be a secret of 256 bits, as in links in emails, and is left
/// out.
fn without_tokens(path: &str) -> String {
    let is_token = |segment: &str| {
        segment.len() >= 43
            && segment
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let segments: Vec<&str> = path
        .split('/')
        .map(|segment| if is_token(segment) { "…" } else { segment })
        .collect();
    segments.join("/")
}

/// A response of type `application/json`. It differs from axum's only in its writer, which is a `Vec`: a list consists mostly of
/// short strings, and axum's writer appends each through three calls.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, json)], body).into_response(),
            Err(error) => {
                Problem::internal(format!("a response cannot be written as JSON: {error}")).into_response()
            }
        }
    }
}

/// Replaces a body that has a content coding. Reading it fails, so no route parses encoded bytes as plain ones.
#[derive(Debug)]
struct Coded;

impl std::fmt::Display for Coded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body has a content coding")
    }
}

impl Error for Coded {}

impl Coded {
    fn body() -> Body {
        Body::from_stream(stream::iter([Err::<Bytes, Self>(Self)]))
    }
}

/// Whether an error was caused by [`Coded`], however deeply it is wrapped.
fn is_of_coded(error: &(dyn Error + 'static)) -> bool {
    error.is::<Coded>() || error.source().is_some_and(is_of_coded)
}

/// Whether a body has a content coding other than `identity` (RFC 9110, section 8.4).
fn is_coded(headers: &HeaderMap) -> bool {
    let plain = |coding: &[u8]| {
        let coding = coding.trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    };
    let values = headers.get_all(CONTENT_ENCODING).iter();
    !values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .all(plain)
}

/// Reads a body that must not be larger than [`MAX_BODY`].
///
/// # Errors
///
/// 413 if it is larger, 415 if it has a content coding, 400 if it ends early, 408 if it arrives too slowly: see [`MIN_PROGRESS`].
pub async fn read_body(body: Body) -> Result<Bytes, Problem> {
    read_body_up_to(body, MAX_BODY).await
}

/// Reads a body that must not be larger than `limit` bytes.
///
/// # Errors
///
/// Those of [`read_body`].
pub async fn read_body_up_to(body: Body, limit: usize) -> Result<Bytes, Problem> {
    match collect(Limited::new(body, limit)).await {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.is::<LengthLimitError>() => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body is larger than {} KiB", limit / 1024),
        )),
        Err(error) if is_of_coded(&*error) => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_content_coding",
            "send the body as it is, without Content-Encoding",
        )
        .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
        Err(error) if error.is::<TooSlow>() => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body_too_slow",
            format!(
                "fewer than {MIN_PROGRESS} bytes of the body arrived within {} seconds",
                BODY_INTERVAL.as_secs()
            ),
        )),
        Err(error) => Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "body_incomplete",
            "the body ended too early",
        )
        .logged(error)),
    }
}

/// Why a body was given up.
#[derive(Debug)]
struct TooSlow;

impl std::fmt::Display for TooSlow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the body arrived too slowly")
    }
}

impl Error for TooSlow {}

/// Reads a body to its end, unless it arrives too slowly.
async fn collect(mut body: Limited<Body>) -> Result<Bytes, Box<dyn Error + Send + Sync>> {
    let mut interval: Option<Pin<Box<dyn Future<Output = ()> + Send>>> = None;
    let (mut first, mut rest, mut progress) = (Bytes::new(), BytesMut::new(), 0);
    loop {
        let mut frame = body.frame();
        // Most bodies are there already: no timer is set before the first wait.
        let frame = std::future::poll_fn(|context| {
            if let Poll::Ready(frame) = Pin::new(&mut frame).poll(context) {
                return Poll::Ready(Ok(frame));
            }
            loop {
                let timer = interval.get_or_insert_with(|| Box::pin(spin_sdk::time::sleep(BODY_INTERVAL)));
                ready!(timer.as_mut().poll(context));
                if progress < MIN_PROGRESS {
                    return Poll::Ready(Err(TooSlow));
                }
                (interval, progress) = (None, 0);
            }
        });
        let Some(frame) = frame.await? else {
            break;
        };
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        progress += data.len();
        if first.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

/// The only parameter of a path.
pub struct PathText(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathText {
    type Rejection = Problem;

    /// 404 for bytes that are not UTF-8: nothing has such a name.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<String>::from_request_parts(parts, state).await {
            Ok(Path(text)) => Ok(Self(text)),
            Err(error) => Err(Problem::not_found("thing").logged(error)),
        }
    }
}

/// The two parameters of a path.
pub struct PathTexts(pub String, pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathTexts {
    type Rejection = Problem;

    /// 404 for bytes that are not UTF-8: nothing has such a name.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<(String, String)>::from_request_parts(parts, state).await {
            Ok(Path((first, second))) => Ok(Self(first, second)),
            Err(error) => Err(Problem::not_found("thing").logged(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_has_no_token_of_a_link() {
        let token = "9f-_".repeat(11);
        assert_eq!(
            without_tokens(&format!("/email/confirm/{token}")),
            "/email/confirm/…"
        );
        let plain = "/api/v1/tasks/018f0000-0000-7000-8000-000000000001/reminders";
        assert_eq!(without_tokens(plain), plain);
    }
}
