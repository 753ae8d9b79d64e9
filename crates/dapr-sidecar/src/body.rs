//! Request bodies, limited as daprd limits them.

use axum::body::{Body, Bytes};

/// daprd's default `--max-body-size`, 4 MiB.
pub(crate) const LARGEST: usize = 4 * 1024 * 1024;

/// What daprd says about a body over [`LARGEST`], and about one that breaks off.
pub(crate) const TOO_LARGE: &str = "stream too large";

/// The whole body, or Dapr's words about why not.
pub(crate) async fn read(body: Body) -> Result<Bytes, &'static str> {
    axum::body::to_bytes(body, LARGEST).await.map_err(|_| TOO_LARGE)
}
