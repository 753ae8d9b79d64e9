//! Service invocation: `/v1.0/invoke/{app}/method/{path}`, or any other path with the header `dapr-app-id`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, uri::PathAndQuery};
use axum::response::{IntoResponse, Response};

use crate::app::chain;
use crate::body;
use crate::policy::Failed;
use crate::problem::Problem;
use crate::sidecar::Sidecar;
use crate::trace::{self, Trace};

/// Headers that belong to one connection (RFC 9110 section 7.6.1), and those the proxy writes itself.
const NOT_FORWARDED: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "host",
    "content-length",
];

/// Calls an app with any method, at the path after `/method`.
pub(crate) async fn by_path(
    State(sidecar): State<Arc<Sidecar>>,
    Path(segments): Path<BTreeMap<String, String>>,
    Extension(trace): Extension<Trace>,
    request: Request,
) -> Result<Response, Problem> {
    let app_id = segments.get("app").map_or("", String::as_str);
    // The path is passed on unchanged, with its percent-encoding.
    let target = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let target = target
        .splitn(6, '/')
        .nth(5)
        .map(|path| format!("/{path}"))
        .unwrap_or_default();
    call(&sidecar, app_id, &target, &trace, request).await
}

/// Requests that no other route handles.
pub(crate) async fn by_header(
    State(sidecar): State<Arc<Sidecar>>,
    Extension(trace): Extension<Trace>,
    request: Request,
) -> Result<Response, Problem> {
    let Some(app_id) = request
        .headers()
        .get("dapr-app-id")
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned)
    else {
        return Err(problem(
            StatusCode::NOT_FOUND,
            "failed getting app id either from the URL path or the header dapr-app-id".to_owned(),
        ));
    };
    let target = request
        .uri()
        .path_and_query()
        .map_or("/", PathAndQuery::as_str)
        .to_owned();
    call(&sidecar, &app_id, &target, &trace, request).await
}

fn problem(status: StatusCode, message: String) -> Problem {
    Problem::new(status, "ERR_DIRECT_INVOKE", message)
}

async fn call(
    sidecar: &Sidecar,
    app_id: &str,
    target: &str,
    trace: &Trace,
    request: Request,
) -> Result<Response, Problem> {
    let failed = |why: String| {
        let message = format!("failed to invoke, id: {app_id}, err: {why}");
        problem(StatusCode::INTERNAL_SERVER_ERROR, message)
    };
    let callee = sidecar.shared.apps.get(app_id);
    let callee = callee.ok_or_else(|| failed("no host found with the given ID".to_owned()))?;
    let (mut parts, body) = request.into_parts();
    let body = body::read(body).await.map_err(|why| failed(why.to_owned()))?;
    parts.uri = Uri::try_from(target).map_err(|error| failed(error.to_string()))?;
    parts.headers = forwarded(&parts.headers, &sidecar.app.app_id, app_id, trace);
    parts.extensions = axum::http::Extensions::new();
    let policy = sidecar.app_policy(app_id);
    let answer = policy.run(&sidecar.shared.clock, || {
        callee.send(Request::from_parts(parts.clone(), body.clone()))
    });
    let answer = answer.await.map_err(|error| match error {
        Failed::Call(error) => failed(chain(&error)),
        other => failed(other.to_string()),
    })?;
    let (mut head, body) = answer.into_parts();
    for name in NOT_FORWARDED {
        head.headers.remove(name);
    }
    Ok((head.status, head.headers, Body::from(body)).into_response())
}

fn forwarded(original: &HeaderMap, caller: &str, callee: &str, trace: &Trace) -> HeaderMap {
    let mut headers = original.clone();
    for name in NOT_FORWARDED
        .into_iter()
        .chain(["dapr-api-token", "dapr-app-id", trace::TRACEPARENT])
    {
        headers.remove(name);
    }
    let parent = trace::child(&trace.parent).unwrap_or_default();
    for (name, value) in [
        ("dapr-caller-app-id", caller),
        ("dapr-callee-app-id", callee),
        ("dapr-caller-namespace", "default"),
        ("forwarded", "for=127.0.0.1;by=127.0.0.1;host=localhost"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        (trace::TRACEPARENT, &parent),
    ] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}
