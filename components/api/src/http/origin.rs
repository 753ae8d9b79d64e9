//! Which web pages may call, and what their browsers are told (Fetch standard, section 3.3, "CORS protocol").

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ALLOW, HeaderValue, ORIGIN, VARY,
};
use http::{Method, StatusCode};
use nudge_component::Problem;
use nudge_component::settings::variable;

/// Origins of web pages that may call, between commas; those of this machine always may.
const ALLOWED_ORIGINS: &str = "mcp_allowed_origins";

/// What pages may send: what the protocol's clients send, in any revision, and a trace.
const TAKEN: &str = "Authorization, Content-Type, Accept, Mcp-Protocol-Version, Mcp-Session-Id, Mcp-Method, Mcp-Name, \
                     Last-Event-ID, Traceparent, Tracestate";

/// What pages may read of an answer, beside what every page may.
const SHOWN: &str = "WWW-Authenticate, Retry-After";

/// Seconds that browsers may go without asking again: two hours, the longest that Chromium allows.
const REMEMBERED: &str = "7200";

/// Middleware of a route that takes POSTs: refuses what a foreign web page makes a browser send (DNS rebinding), answers
/// preflights, and lets the other pages see their answers. Programs send no `Origin`.
pub(super) async fn known(request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let allowed = match &origin {
        Some(origin) => check(origin.to_str().unwrap_or_default()).await,
        None => Ok(()),
    };
    let admitted = allowed.is_ok();
    let mut response = match allowed {
        Err(problem) => problem.into_response(),
        // A preflight has no token, and must not need one.
        Ok(()) if request.method() == Method::OPTIONS => options(),
        Ok(()) => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|_| admitted) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(SHOWN));
    }
    response
}

fn options() -> Response {
    let about = [
        (ALLOW, "OPTIONS, POST"),
        (ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (ACCESS_CONTROL_ALLOW_HEADERS, TAKEN),
        (ACCESS_CONTROL_MAX_AGE, REMEMBERED),
    ];
    (StatusCode::NO_CONTENT, about).into_response()
}

async fn check(origin: &str) -> Result<(), Problem> {
    if is_loopback(origin) {
        return Ok(());
    }
    let listed = variable(ALLOWED_ORIGINS)
        .await
        .map_err(|error| Problem::unavailable("the settings", error))?
        .unwrap_or_default();
    let mut listed = listed.split(',').map(str::trim);
    if !origin.is_empty() && listed.any(|known| known.eq_ignore_ascii_case(origin)) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "foreign_origin",
        format!("web pages of this origin may not call: add it to {ALLOWED_ORIGINS}"),
    ))
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
