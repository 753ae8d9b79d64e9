//! One HTTP exchange: sends a request and reads the whole response.
//!
//! `spin_sdk::http::send` writes the body in a task of its own, which runs only after the host returns: by then a pooled connection
//! has sent the head, and Nagle's algorithm holds the body until the head is acknowledged, 40 ms later (RFC 896; RFC 9293, section
//! 3.8.6.3). Here the body is written without returning to the host in between, so both leave in one packet.

use std::future::poll_fn;
use std::pin::pin;

use bytes::Bytes;
use spin_sdk::http::FullBody;
use spin_sdk::http::body::IncomingBodyExt;
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{ErrorCode, Request};
use spin_sdk::wasip3::http_compat::{BodyWriter, RequestOptionsExtension, http_from_wasi_response};

/// Sends a request and reads its response. Options are those of the extension [`RequestOptionsExtension`].
///
/// # Errors
///
/// No connection, no response, a timeout, or an incomplete response.
pub(crate) async fn exchange(request: http::Request<Bytes>) -> Result<http::Response<Bytes>, ErrorCode> {
    let (parts, body) = request.into_parts();
    let (request, writer) = outgoing(parts, body.is_empty())?;
    let mut answer = pin!(async {
        let response = client::send(request).await?;
        let (parts, body) = http_from_wasi_response(response)?.into_parts();
        // A 204 has no body (RFC 9110, section 15.3.5). Reading it would be three more host calls.
        let body = match parts.status {
            http::StatusCode::NO_CONTENT => Bytes::new(),
            _ => body.bytes().await?,
        };
        Ok(http::Response::from_parts(parts, body))
    });
    let mut body = FullBody::new(body);
    let mut sending = pin!(writer.send_http_body(&mut body));
    let mut sent = false;
    // If the server does not read the body, that is not an error: it may have responded before.
    poll_fn(|context| {
        let answer = answer.as_mut().poll(context);
        if answer.is_pending() && !sent {
            sent = sending.as_mut().poll(context).is_ready();
        }
        answer
    })
    .await
}

/// A request for the host, and the stream for its body, which exists only if the body is not empty.
fn outgoing(mut parts: http::request::Parts, is_empty: bool) -> Result<(Request, BodyWriter), ErrorCode> {
    let options = parts.extensions.remove::<RequestOptionsExtension>();
    let headers = parts
        .headers
        .try_into()
        .map_err(|error| ErrorCode::InternalError(Some(format!("the headers: {error}"))))?;
    let (writer, contents, trailers) = BodyWriter::new();
    let contents = (!is_empty).then_some(contents);
    let (request, _) = Request::new(headers, contents, trailers, options.map(|options| options.0));
    request
        .set_method(&parts.method.into())
        .map_err(|()| ErrorCode::HttpRequestMethodInvalid)?;
    request
        .set_scheme(parts.uri.scheme().map(Into::into).as_ref())
        .map_err(|()| ErrorCode::HttpProtocolError)?;
    request
        .set_authority(parts.uri.authority().map(http::uri::Authority::as_str))
        .map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    request
        .set_path_with_query(parts.uri.path_and_query().map(http::uri::PathAndQuery::as_str))
        .map_err(|()| ErrorCode::HttpRequestUriInvalid)?;
    Ok((request, writer))
}
