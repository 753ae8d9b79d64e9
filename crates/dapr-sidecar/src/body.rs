//! Request bodies, limited as daprd limits them.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bounded_http::Pace;
use bytes::BytesMut;
use http_body_util::BodyExt as _;

/// daprd's default `--max-body-size`, 4 MiB.
pub(crate) const LARGEST: usize = 4 * 1024 * 1024;

/// daprd's message for a body over [`LARGEST`], and for one that is incomplete.
pub(crate) const TOO_LARGE: &str = "stream too large";

/// How much of a body Go's server reads and drops before it sends a response that has not read it.
const DISCARDED: usize = 256 * 1024;

/// How slowly a body may arrive before the request is given up. daprd waits for ever.
pub(crate) const PACE: Pace = Pace {
    patience: Duration::from_secs(30),
    bytes_per_second: 1_000,
};

/// Drops a body that no one reads, but lets the caller send it if it is small, so that the caller sees the response.
pub(crate) async fn discard(mut body: Body) {
    if body.size_hint().lower() > DISCARDED as u64 {
        return;
    }
    let mut read = 0;
    while read <= DISCARDED
        && let Some(Ok(frame)) = body.frame().await
    {
        read += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// Reads the body before responding, as Go's server does: a response that leaves bytes unread closes the connection of a client
/// that is still sending, which then may not see the response. Bytes over [`LARGEST`] stay unread.
pub(crate) async fn before_answering(request: Request, next: Next) -> Response {
    let (parts, mut body) = request.into_parts();
    let mut read = BytesMut::new();
    while read.len() <= LARGEST
        && let Some(frame) = body.frame().await
    {
        let Ok(frame) = frame else {
            // The caller has disconnected and does not see this, or is too slow.
            return StatusCode::REQUEST_TIMEOUT.into_response();
        };
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
    }
    next.run(Request::from_parts(parts, Body::from(read.freeze())))
        .await
}

/// The complete body, or Dapr's message.
pub(crate) async fn read(body: Body) -> Result<Bytes, &'static str> {
    axum::body::to_bytes(body, LARGEST).await.map_err(|_| TOO_LARGE)
}
