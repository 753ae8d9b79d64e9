//! The app beside a sidecar, and the channel to it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use axum::http::{HeaderValue, Request, Response, Uri, uri};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::{OnceCell, Semaphore, watch};

/// An app and its sidecar's settings.
#[derive(Clone)]
pub struct App {
    /// Dapr's `--app-id`: the name for service invocation, the consumer group, the prefix of state keys.
    pub app_id: String,
    /// Where this app's sidecar listens; port 0 picks a free one.
    pub listen: SocketAddr,
    /// What callers must send as `dapr-api-token` (`DAPR_API_TOKEN`). `None` accepts every caller.
    pub api_token: Option<String>,
    /// What the sidecar sends to the app as `dapr-api-token` (`APP_API_TOKEN`).
    pub app_token: Option<String>,
    /// How the app's health is checked. Without it, an app that listens is healthy.
    pub health: Option<AppHealth>,
    /// Maximum number of calls in flight to the app (`--app-max-concurrency`): events, jobs and invocations together, without
    /// health probes. `None` and 0 set no limit.
    pub max_concurrency: Option<usize>,
}

impl App {
    /// An app with a sidecar on a free loopback port and nothing else.
    pub fn new(app_id: impl Into<String>) -> Self {
        Self {
            app_id: app_id.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_token: None,
            app_token: None,
            health: None,
            max_concurrency: None,
        }
    }

    /// [`App::max_concurrency`], with 0 as `None`.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.max_concurrency.filter(|limit| *limit > 0)
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("app_id", &self.app_id)
            .field("listen", &self.listen)
            .finish_non_exhaustive()
    }
}

/// Dapr's app health checks (`--enable-app-health-check`).
#[derive(Clone, Debug)]
pub struct AppHealth {
    /// The path that is probed with GET; 2xx is healthy.
    pub path: String,
    /// Time between two probes, on the clock.
    pub interval: Duration,
    /// How many probes in a row must fail until the app is marked unhealthy. One that succeeds marks it healthy again.
    pub threshold: u32,
    /// How long a probe may take, in real time.
    pub timeout: Duration,
}

/// Why a call of the app failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("the app has no address yet")]
    NoAddress,
    #[error("the path is not valid in a URL")]
    Uri(#[source] axum::http::Error),
    #[error("the app does not answer")]
    Send(#[source] hyper_util::client::legacy::Error),
    #[error("the app's response is incomplete")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The app has not answered yet.
    Starting,
    Healthy,
    /// By its health checks: topics and jobs are held.
    Unhealthy,
}

/// The connection to one app, shared by everything that calls it.
pub(crate) struct AppChannel {
    pub(crate) app_id: String,
    token: Option<HeaderValue>,
    base: OnceCell<Uri>,
    phase: watch::Sender<Phase>,
    permits: Semaphore,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl AppChannel {
    pub(crate) fn new(app: &App) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let token = app
            .app_token
            .as_deref()
            .and_then(|token| HeaderValue::from_str(token).ok());
        Self {
            app_id: app.app_id.clone(),
            token: token.map(|mut token| {
                token.set_sensitive(true);
                token
            }),
            base: OnceCell::new(),
            phase: watch::Sender::new(Phase::Starting),
            permits: Semaphore::new(app.limit().unwrap_or(Semaphore::MAX_PERMITS)),
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
    }

    /// Sets the app's address; only the first call has an effect.
    pub(crate) fn set_base(&self, base: Uri) {
        if self.base.set(base).is_err() {
            tracing::warn!(app_id = self.app_id, "the app already has an address; it is kept");
        }
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase
            .send_if_modified(|current| std::mem::replace(current, phase) != phase);
    }

    pub(crate) fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Returns once topics and jobs may be delivered to the app.
    pub(crate) async fn ready(&self) {
        // The sender lives in `self`, so the wait cannot fail.
        let _ = self
            .phase
            .subscribe()
            .wait_for(|phase| *phase == Phase::Healthy)
            .await;
    }

    /// The app's host and port, once they are known.
    pub(crate) fn address(&self) -> Option<(&str, u16)> {
        let authority = self.base.get().and_then(Uri::authority)?;
        let host = authority.host().trim_matches(['[', ']']);
        Some((host, authority.port_u16().unwrap_or(80)))
    }

    /// Whether something listens at the app's address.
    pub(crate) async fn listens(&self) -> bool {
        match self.address() {
            Some(address) => tokio::net::TcpStream::connect(address).await.is_ok(),
            None => false,
        }
    }

    /// Sends a request whose URI is a path and query, with the app token, and reads the complete response.
    pub(crate) async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, CallError> {
        if let Some(token) = &self.token {
            request.headers_mut().insert("dapr-api-token", token.clone());
        }
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok();
        self.send_bare(request).await
    }

    /// Like [`Self::send`], without the token and the limit: for health probes, which were recorded without a token.
    pub(crate) async fn send_bare(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, CallError> {
        let base = self.base.get().ok_or(CallError::NoAddress)?;
        let mut parts = uri::Parts::default();
        parts.scheme = base.scheme().cloned();
        parts.authority = base.authority().cloned();
        parts.path_and_query = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::from_parts(parts).map_err(|error| CallError::Uri(error.into()))?;
        let answer = self
            .client
            .request(request.map(Full::new))
            .await
            .map_err(CallError::Send)?;
        let (parts, body) = answer.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|error| CallError::Body(error.into()))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

/// All apps of the process, by id.
pub(crate) type Apps = BTreeMap<String, std::sync::Arc<AppChannel>>;

/// An error with its sources, for log lines and for Dapr's one-line messages.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
