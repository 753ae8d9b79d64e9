//! `/mcp`: the streamable HTTP transport of the Model Context Protocol, without sessions and without streams.

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http::header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderValue, ORIGIN};
use http::{HeaderMap, StatusCode};
use nudge_component::Problem;
use nudge_component::serve::{Json, read_body};
use nudge_component::settings::variable;
use nudge_component::trace::Traceparent;

use crate::auth::User;
use crate::mcp::{self, Caller};
use crate::rate;

/// Origins of web pages that may call, between commas; those of this machine always may.
const ALLOWED_ORIGINS: &str = "mcp_allowed_origins";

pub(super) fn router() -> Router {
    Router::new()
        .route("/mcp", post(message).fallback(only_post))
        .route_layer(middleware::from_fn(rate::limit))
        .route_layer(middleware::from_fn(known_origin))
}

/// There is no stream to open with GET and no session to end with DELETE.
async fn only_post() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "send each message as a POST: there are no sessions and no streams here",
    )
    .header(ALLOW, HeaderValue::from_static("POST"))
}

/// Refuses what a foreign web page makes a browser send (DNS rebinding). Programs send no `Origin`.
async fn known_origin(request: Request, next: Next) -> Result<Response, Problem> {
    if let Some(origin) = request.headers().get(ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        let allowed = is_loopback(origin) || {
            let listed = variable(ALLOWED_ORIGINS)
                .await
                .map_err(|error| Problem::unavailable("the settings", error))?
                .unwrap_or_default();
            listed
                .split(',')
                .any(|known| known.trim().eq_ignore_ascii_case(origin))
        };
        if !allowed || origin.is_empty() {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "foreign_origin",
                format!("web pages of this origin may not call: add it to {ALLOWED_ORIGINS}"),
            ));
        }
    }
    Ok(next.run(request).await)
}

/// Whether a page was served by this machine: `http://localhost:8080`, `http://127.0.0.1`, `http://[::1]`.
fn is_loopback(origin: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else {
        return false;
    };
    let host = match authority.strip_prefix("[::1]") {
        Some(port) => return web(scheme) && is_port(port),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let port = authority.strip_prefix(host).unwrap_or_default();
    web(scheme) && is_port(port) && (host.eq_ignore_ascii_case("localhost") || host == "127.0.0.1")
}

fn web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

fn is_port(text: &str) -> bool {
    text.is_empty()
        || text
            .strip_prefix(':')
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

async fn message(
    user: User,
    Extension(trace): Extension<Traceparent>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    sends_json(&headers)?;
    takes_json(&headers)?;
    let body = read_body(body).await?;
    let caller = Caller {
        user: &user,
        trace: &trace,
        headers: &headers,
    };
    let reply = mcp::answer(&caller, &body).await;
    Ok(match reply.body {
        Some(body) => (reply.status, Json(body)).into_response(),
        None => reply.status.into_response(),
    })
}

fn sends_json(headers: &HeaderMap) -> Result<(), Problem> {
    if essences(headers, CONTENT_TYPE).any(|kind| kind == "application/json") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "send the message as Content-Type: application/json",
    ))
}

/// The protocol has clients accept JSON and event streams both; here everything is JSON, so that is enough.
fn takes_json(headers: &HeaderMap) -> Result<(), Problem> {
    let any = ["application/json", "application/*", "*/*"];
    if !headers.contains_key(ACCEPT) || essences(headers, ACCEPT).any(|kind| any.contains(&kind.as_str())) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "not_acceptable",
        "send Accept: application/json, text/event-stream",
    ))
}

/// Media types of a header, without parameters, in lower case.
fn essences(headers: &HeaderMap, name: http::HeaderName) -> impl Iterator<Item = String> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|kind| {
            kind.split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_ascii_lowercase()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_machine_are_local() {
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "https://LOCALHOST:1",
            "http://127.0.0.1:6274",
            "http://[::1]:80",
        ] {
            assert!(is_loopback(origin), "{origin}");
        }
        for origin in [
            "",
            "null",
            "localhost",
            "http://localhost.example.com",
            "http://localhost@example.com",
            "http://localhost:80@example.com",
            "http://[::1].example.com",
            "http://127.0.0.1.example.com",
            "file://localhost",
        ] {
            assert!(!is_loopback(origin), "{origin}");
        }
    }
}
