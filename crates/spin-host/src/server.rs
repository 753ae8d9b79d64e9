//! Inbound HTTP: routes each request to its component.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bounded_http::{BodyError, Client, RequestBody};
use bytes::Bytes;
use http::header::{CONNECTION, HOST, RETRY_AFTER};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, Version};
use http_body_util::{BodyExt, Full};
use subtle::ConstantTimeEq;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::instances::{ComponentInstances, is_busy};
use crate::manifest::Application;
use crate::routes::{RouteMatch, Router};

/// Prefix of the paths that the host serves itself, as Spin does.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// The routes and their components.
pub(crate) struct Server {
    pub(crate) application: Application,
    pub(crate) router: Router,
    pub(crate) instances: HashMap<String, ComponentInstances>,
    pub(crate) reserves: Vec<Reserve>,
}

/// How reserved requests are recognized.
pub(crate) struct Reserve {
    header: HeaderName,
    secret: String,
}

impl Reserve {
    pub(crate) fn new(header: HeaderName, secret: String) -> Self {
        Self { header, secret }
    }

    /// Compares in constant time. An empty secret reserves for nothing.
    fn is_for(&self, headers: &HeaderMap) -> bool {
        let given = headers.get(&self.header).map_or(&[][..], HeaderValue::as_bytes);
        !self.secret.is_empty() && bool::from(given.ct_eq(self.secret.as_bytes()))
    }
}

impl Server {
    /// Answers one request. Never fails: an error is logged and becomes a status without a body.
    pub(crate) async fn answer(
        self: Arc<Self>,
        request: Request<RequestBody>,
        client: Client,
    ) -> Result<Response<WasiBody>, Infallible> {
        let reserved = self
            .reserves
            .iter()
            .any(|reserve| reserve.is_for(request.headers()));
        if reserved {
            client.keep();
        } else if client.is_beyond_limit() {
            tracing::warn!(client = %client.address(), "request refused: there are too many connections");
            return Ok(closing(busy()));
        }
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
        let Some(request) = prepare(request, &found, client.address()) else {
            return Ok(status(StatusCode::BAD_REQUEST));
        };
        Ok(match instances.handle(request, reserved).await {
            // The rest of the request is not awaited (RFC 9110, section 15.5.9).
            Ok(response) if response.status() == StatusCode::REQUEST_TIMEOUT => closing(response),
            Ok(response) => response,
            Err(error) if is_busy(&error) => {
                tracing::warn!(component = found.component, "request refused: {error:#}");
                busy()
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

fn busy() -> Response<WasiBody> {
    let mut response = status(StatusCode::SERVICE_UNAVAILABLE);
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// A response after which the connection is closed.
fn closing(mut response: Response<WasiBody>) -> Response<WasiBody> {
    response
        .headers_mut()
        .insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Turns the request into what a component on Spin sees: an absolute URI, no `connection`, and the `spin-…` headers.
/// Returns `None` unless it names exactly one host, without user information (RFC 9112, section 3.2).
fn prepare(
    request: Request<RequestBody>,
    found: &RouteMatch<'_>,
    client: SocketAddr,
) -> Option<Request<WasiBody>> {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(CONNECTION);

    let mut hosts = parts.headers.get_all(HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().ok()?.parse::<Authority>().ok()?),
        // HTTP/1.0 does not require the field; the target may name the host.
        (None, _) if parts.version < Version::HTTP_11 => None,
        _ => return None,
    };
    let mut uri = parts.uri.into_parts();
    let authority = match (named, uri.authority) {
        (Some(named), Some(authority)) if named != authority => return None,
        (named, authority) => named.or(authority)?,
    };
    if authority.as_str().contains('@') {
        return None;
    }
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
    all.then(|| Request::from_parts(parts, body.map_err(unread).boxed_unsync()))
}

/// How a component sees that a body cannot be read.
fn unread(error: BodyError) -> Error {
    match error {
        BodyError::Connection(error) => Error::from(error),
        BodyError::TooSlow => Error::ConnectionReadTimeout,
    }
}
