//! Fetches the keys of the identity provider: the only code of a service that calls anything but the sidecar and the
//! database.

use std::pin::pin;
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use spin_sdk::http::EmptyBody;
use spin_sdk::wasip3::http::types::RequestOptions;
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;

/// Timeout for connecting to the provider, for the start of its response, and for the whole response.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum size of a key set, in bytes.
const MAX_BYTES: usize = 256 * 1024;

/// The text at a URL, or why it cannot be fetched. Redirects are not followed: only the URL that the operator configured counts.
pub(super) async fn fetch(url: &str) -> Result<String, String> {
    let started = Instant::now();
    let request = http::Request::get(url)
        .header("accept", "application/jwk-set+json, application/json")
        .extension(options())
        .body(EmptyBody::new())
        .map_err(|error| format!("the request cannot be built: {error}"))?;
    let response = spin_sdk::http::send(request)
        .await
        .map_err(|error| format!("no answer: {error}"))?;
    if response.status() != http::StatusCode::OK {
        return Err(format!("the answer is {}", response.status()));
    }
    let mut body = pin!(response.into_body());
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("the answer broke off: {error}"))?;
        if let Some(bytes) = frame.data_ref() {
            if text.len() + bytes.len() > MAX_BYTES {
                return Err(format!("the answer is larger than {} KiB", MAX_BYTES / 1024));
            }
            text.extend_from_slice(bytes);
        }
        if started.elapsed() > TIMEOUT {
            return Err(format!("the answer took longer than {TIMEOUT:?}"));
        }
    }
    String::from_utf8(text).map_err(|error| format!("the answer is not UTF-8: {error}"))
}

/// Spin's own limit would be 600 s each.
fn options() -> RequestOptionsExtension {
    let nanoseconds = u64::try_from(TIMEOUT.as_nanos()).ok();
    let options = RequestOptions::new();
    // A host without support for this limit returns an error; then its own limits apply.
    let _ = options.set_connect_timeout(nanoseconds);
    let _ = options.set_first_byte_timeout(nanoseconds);
    let _ = options.set_between_bytes_timeout(nanoseconds);
    RequestOptionsExtension(options)
}
