//! Inbound HTTP: routes each request to its component.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, RETRY_AFTER};
use http::uri::{Authority, Scheme};
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::instances::{Instances, is_busy};
use crate::manifest::Application;
use crate::routes::{RouteMatch, Router};

/// Prefix of the paths that the host serves itself, as Spin does.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// The routes and their components.
pub(crate) struct Server {
    pub(crate) application: Application,
    pub(crate) router: Router,
    pub(crate) instances: HashMap<String, Instances>,
}

impl Server {
    /// Answers one request. Never fails: an error is logged and becomes a status without a body.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> Result<Response<WasiBody>, Infallible> {
        let path = request.uri().path();
        if let Some(name) = path.strip_prefix(WELL_KNOWN) {
            return Ok(self.well_known(name));
        }
        let Some(found) = self.router.route(path) else {
            return Ok(status(StatusCode::NOT_FOUND));
        };
        // The route's component was not selected; treat it as if there were no such route.
        let Some(instances) = self.instances.get(found.component) else {
            return Ok(status(StatusCode::NOT_FOUND));
        };
        let Some(request) = prepare(request, &found, client) else {
            return Ok(status(StatusCode::BAD_REQUEST));
        };
        Ok(match instances.handle(request).await {
            Ok(response) => response,
            Err(error) if is_busy(&error) => {
                tracing::warn!(component = found.component, "request refused: {error:#}");
                let mut response = status(StatusCode::SERVICE_UNAVAILABLE);
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Err(error) => {
                tracing::error!(
                    component = found.component,
                    route = found.route,
                    "request failed: {error:#}"
                );
                status(StatusCode::INTERNAL_SERVER_ERROR)
            }
        })
    }

    fn well_known(&self, name: &str) -> Response<WasiBody> {
        match name {
            "health" => Response::new(full("OK")),
            "info" => {
                let info = serde_json::json!({
                    "name": self.application.name,
                    "version": self.application.version,
                });
                let mut response = Response::new(full(info.to_string()));
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(http::header::CONTENT_TYPE, json);
                response
            }
            _ => status(StatusCode::NOT_FOUND),
        }
    }
}

fn full(text: impl Into<Bytes>) -> WasiBody {
    Full::new(text.into())
        .map_err(|never: Infallible| match never {})
        .boxed_unsync()
}

fn status(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(full(""));
    *response.status_mut() = status;
    response
}

/// Turns the request into what a component on Spin sees: an absolute URI, no `connection`, and the `spin-…` headers.
/// Returns `None` if it names no host or two different ones.
fn prepare(
    request: Request<Incoming>,
    found: &RouteMatch<'_>,
    client: SocketAddr,
) -> Option<Request<WasiBody>> {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(CONNECTION);

    let named = match parts.headers.get(HOST) {
        Some(host) => Some(host.to_str().ok()?.parse::<Authority>().ok()?),
        None => None,
    };
    let mut uri = parts.uri.into_parts();
    let authority = match (named, uri.authority) {
        (Some(named), Some(authority)) if named != authority => return None,
        (named, authority) => named.or(authority)?,
    };
    let full_url = format!(
        "http://{authority}{}",
        uri.path_and_query.as_ref().map_or("/", |path| path.as_str())
    );
    uri.scheme = Some(Scheme::HTTP);
    uri.authority = Some(authority);
    parts.uri = Uri::from_parts(uri).ok()?;

    let mut set = |name: HeaderName, value: &str| {
        HeaderValue::from_str(value).is_ok_and(|value| {
            parts.headers.insert(name, value);
            true
        })
    };
    let headers = [
        ("spin-path-info", found.path_info.as_str()),
        ("spin-full-url", &full_url),
        ("spin-matched-route", found.route),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", found.route),
        ("spin-component-route", found.prefix()),
        ("spin-client-addr", &client.to_string()),
    ];
    let mut all = headers
        .into_iter()
        .all(|(name, value)| set(HeaderName::from_static(name), value));
    for (name, value) in &found.named {
        let name = format!("spin-path-match-{}", name.replace('_', "-").to_ascii_lowercase());
        all &= HeaderName::try_from(name).is_ok_and(|name| set(name, value));
    }
    all.then(|| Request::from_parts(parts, body.map_err(Error::from).boxed_unsync()))
}
