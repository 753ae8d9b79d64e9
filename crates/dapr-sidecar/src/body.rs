//! Request bodies, limited as daprd limits them.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::BytesMut;
use http_body_util::BodyExt as _;

/// daprd's default `--max-body-size`, 4 MiB.
pub(crate) const LARGEST: usize = 4 * 1024 * 1024;

/// daprd's message for a body over [`LARGEST`], and for one that is incomplete.
pub(crate) const TOO_LARGE: &str = "stream too large";

/// Reads the body before responding, as Go's server does: a response that leaves bytes unread closes the connection of a client
/// that is still sending, which then may not see the response. Bytes over [`LARGEST`] stay unread.
pub(crate) async fn before_answering(request: Request, next: Next) -> Response {
    let (parts, mut body) = request.into_parts();
    let mut read = BytesMut::new();
    while read.len() <= LARGEST
        && let Some(frame) = body.frame().await
    {
        let Ok(frame) = frame else {
            // The caller has disconnected and does not see this.
            return StatusCode::BAD_REQUEST.into_response();
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
