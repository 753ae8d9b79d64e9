//! HTTP: which path leads to which file.

use axum::Router;
use axum::extract::Path;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderValue, Uri};
use nudge_component::problem as refusals;

use crate::{config, policy, site};

/// Names with a hash of the content: a year, and no request in between (RFC 8246).
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Stored, and confirmed before each use.
const CONFIRMED: HeaderValue = HeaderValue::from_static("no-cache");

/// Addresses of the page: each leads to the shell, and the page shows the view.
const VIEWS: [&str; 10] = [
    "/",
    "/upcoming",
    "/all",
    "/completed",
    "/category/{id}",
    "/tag/{id}",
    "/search",
    "/settings",
    "/settings/agents",
    "/sign-in",
];

pub(crate) fn router() -> Router {
    let mut router = Router::new();
    for view in VIEWS {
        router = router.route(view, get(shell));
    }
    router
        .route("/config.json", get(config::read))
        .route("/manifest.webmanifest", get(by_name))
        .route("/robots.txt", get(by_name))
        .route("/assets/{name}", get(asset))
        .fallback(refusals::no_route)
        .method_not_allowed_fallback(refusals::no_method)
        .layer(middleware::from_fn(policy::protect))
}

async fn shell(uri: Uri, headers: HeaderMap) -> Response {
    file("index.html", CONFIRMED, uri, &headers).await
}

/// A file whose path is its name.
async fn by_name(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/').to_owned();
    file(&path, CONFIRMED, uri, &headers).await
}

async fn asset(Path(name): Path<String>, uri: Uri, headers: HeaderMap) -> Response {
    file(&format!("assets/{name}"), FOR_EVER, uri, &headers).await
}

async fn file(path: &str, caching: HeaderValue, uri: Uri, headers: &HeaderMap) -> Response {
    match site::file(path) {
        Some(file) => {
            let mut response = file.answer(headers);
            response.headers_mut().insert(CACHE_CONTROL, caching);
            response
        }
        None => refusals::no_route(uri).await.into_response(),
    }
}
