//! The counterpart of components/dapr-bridge/src/exchange.rs, which is about streams between components and host.

use bytes::Bytes;
use spin_sdk::http::FullBody;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::wasip3::http::types::ErrorCode;

pub(crate) async fn exchange(request: http::Request<Bytes>) -> Result<http::Response<Bytes>, ErrorCode> {
    let response = spin_sdk::http::send(request.map(FullBody::new)).await?;
    let (parts, body) = response.into_parts();
    Ok(http::Response::from_parts(parts, body.bytes().await?))
}
