//! Requests to the api through service invocation.

use nudge_contract::names::app;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::dapr::invocation::{self, Request};
use crate::events::Disposition;
use crate::subscriber::retry;
use crate::trace::Traceparent;

/// Sends a GET request to a route of the api. `path` may end with a query. Returns the response, which is JSON.
///
/// # Errors
///
/// Retry: the api cannot be reached, its status is not 2xx, or its response cannot be read.
pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, Disposition> {
    ask("GET", path, None).await
}

/// Sends a POST request without a body to a route of the api. Returns the response, which is JSON.
///
/// # Errors
///
/// Those of [`get`].
pub async fn post_empty<T: DeserializeOwned>(path: &str) -> Result<T, Disposition> {
    ask("POST", path, None).await
}

/// Sends a POST request to a route of the api. Returns the response, which is JSON.
///
/// # Errors
///
/// Those of [`get`]; drop: `body` cannot be written as JSON.
pub async fn post<T: DeserializeOwned>(path: &str, body: &impl Serialize) -> Result<T, Disposition> {
    ask("POST", path, Some(to_json(path, body)?)).await
}

/// Sends a POST request to a route of the api whose response has no content.
///
/// # Errors
///
/// Those of [`post`]; any 2xx is success.
pub async fn tell(path: &str, body: &impl Serialize) -> Result<(), Disposition> {
    send("POST", path, Some(to_json(path, body)?)).await?;
    Ok(())
}

fn to_json(path: &str, body: &impl Serialize) -> Result<String, Disposition> {
    serde_json::to_string(body)
        .map_err(|error| Disposition::Drop(format!("a request to {path} cannot be written as JSON: {error}")))
}

async fn ask<T: DeserializeOwned>(method: &str, path: &str, body: Option<String>) -> Result<T, Disposition> {
    let response = send(method, path, body).await?;
    serde_json::from_slice(&response)
        .map_err(|error| Disposition::Retry(format!("the api's answer to {path} cannot be read: {error}")))
}

async fn send(method: &str, path: &str, body: Option<String>) -> Result<Vec<u8>, Disposition> {
    let request = Request {
        method: method.to_owned(),
        path: path.trim_start_matches('/').to_owned(),
        body,
        traceparent: Some(Traceparent::start().to_string()),
    };
    let response = invocation::invoke(app::API.to_owned(), request)
        .await
        .map_err(retry)?;
    if !(200..300).contains(&response.status) {
        return Err(Disposition::Retry(format!(
            "the api answered {} to {method} {path}",
            response.status
        )));
    }
    Ok(response.body)
}
