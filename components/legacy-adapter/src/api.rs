//! Calls of the api, by service invocation.

use nudge_component::dapr::invocation::{self, Request};
use nudge_component::events::Disposition;
use nudge_component::subscriber::retry;
use nudge_contract::names::app;
use serde::Serialize;

/// Calls the api and returns the body of a 2xx answer. A call that the api can never accept is dropped, with the answer as the
/// reason; other failures are tried again.
pub(crate) async fn ask(
    path: &str,
    body: &impl Serialize,
    traceparent: Option<String>,
) -> Result<Vec<u8>, Disposition> {
    let body = serde_json::to_string(body)
        .map_err(|error| Disposition::Drop(format!("the request cannot be written as JSON: {error}")))?;
    let request = Request {
        method: "POST".to_owned(),
        path: path.trim_start_matches('/').to_owned(),
        body: Some(body),
        traceparent,
    };
    let response = invocation::invoke(app::API.to_owned(), request)
        .await
        .map_err(retry)?;
    let reason = || {
        let body = String::from_utf8_lossy(&response.body);
        format!("the api answered {} to {path}: {body}", response.status)
    };
    match response.status {
        200..300 => Ok(response.body),
        400 | 404 | 413 | 422 => Err(Disposition::Drop(reason())),
        _ => Err(Disposition::Retry(reason())),
    }
}
