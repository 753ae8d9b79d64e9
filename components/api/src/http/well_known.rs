//! Where OAuth clients learn who gives them a token: the metadata of a protected resource (RFC 9728), and the challenge that leads there.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ALLOW, AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE,
};
use http::{StatusCode, Uri};
use nudge_component::Problem;
use nudge_component::problem::no_route;
use nudge_component::serve::Json;
use serde_json::json;

use crate::auth::resource::{Part, resource};

/// What clients should ask for, so that a token has what is read of it: the subject, the address and the time zone. A refresh token is
/// between a client and the provider.
const SCOPES: [&str; 3] = ["openid", "email", "profile"];

/// Headers that pages send with the request, beside what every page may.
const TAKEN: &str = "Mcp-Protocol-Version, Traceparent, Tracestate";

/// Seconds that browsers may go without asking again.
const REMEMBERED: &str = "7200";

pub(super) fn router() -> Router {
    let of = |part| get(move |uri: Uri| metadata(part, uri)).options(preflight);
    Router::new()
        .route("/.well-known/oauth-protected-resource", of(Part::Rest))
        .route("/.well-known/oauth-protected-resource/mcp", of(Part::Mcp))
        .route_layer(middleware::from_fn(for_every_page))
}

/// 404 without an authorization server.
async fn metadata(part: Part, uri: Uri) -> Result<Response, Problem> {
    let Some(resource) = resource().await? else {
        return Err(no_route(uri).await);
    };
    Ok(Json(json!({
        "resource": resource.id(part),
        "authorization_servers": [resource.issuer],
        "scopes_supported": SCOPES,
        "bearer_methods_supported": ["header"],
        "resource_name": "Nudge",
    }))
    .into_response())
}

/// What a browser asks before a page may send a header of its own.
async fn preflight() -> Response {
    let about = [
        (ALLOW, "GET, HEAD, OPTIONS"),
        (ACCESS_CONTROL_ALLOW_METHODS, "GET"),
        (ACCESS_CONTROL_ALLOW_HEADERS, TAKEN),
        (ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ];
    (StatusCode::NO_CONTENT, about).into_response()
}

/// Middleware: lets pages of every origin read this. It holds nothing of a user.
async fn for_every_page(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let any = HeaderValue::from_static("*");
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
    response
}

/// Middleware: adds to the challenge of a 401 where the metadata is (RFC 9728, section 5.1), and whether it was a token that was refused
/// (RFC 6750, section 3.1).
pub(super) async fn challenge(request: Request, next: Next) -> Response {
    let part = Part::at(request.uri().path());
    let with_token = request.headers().contains_key(AUTHORIZATION);
    let mut response = next.run(request).await;
    if response.status() != StatusCode::UNAUTHORIZED {
        return response;
    }
    match resource().await {
        Ok(Some(resource)) => {
            let error = if with_token {
                "error=\"invalid_token\", "
            } else {
                ""
            };
            let text = format!("Bearer {error}resource_metadata=\"{}\"", resource.metadata(part));
            if let Ok(value) = HeaderValue::try_from(text) {
                response.headers_mut().insert(WWW_AUTHENTICATE, value);
            }
        }
        Ok(None) => {}
        Err(problem) => problem.log(),
    }
    response
}
