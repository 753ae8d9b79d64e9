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

/// What daprd says about a body over [`LARGEST`], and about one that breaks off.
pub(crate) const TOO_LARGE: &str = "stream too large";

/// Reads the body before anything is answered, as Go's server does: an answer that leaves bytes unread closes the connection under
/// a client that still sends, which then may not see the answer. What is over [`LARGEST`] stays unread.
pub(crate) async fn before_answering(request: Request, next: Next) -> Response {
    let (parts, mut body) = request.into_parts();
    let mut read = BytesMut::new();
    while read.len() <= LARGEST
        && let Some(frame) = body.frame().await
    {
        let Ok(frame) = frame else {
            // The caller has gone; nobody sees this.
            return StatusCode::BAD_REQUEST.into_response();
        };
        if let Ok(data) = frame.into_data() {
            read.extend_from_slice(&data);
        }
    }
    next.run(Request::from_parts(parts, Body::from(read.freeze())))
        .await
}

/// The whole body, or Dapr's words about why not.
pub(crate) async fn read(body: Body) -> Result<Bytes, &'static str> {
    axum::body::to_bytes(body, LARGEST).await.map_err(|_| TOO_LARGE)
}
