//! HTTP in: from a connection to the component that its path belongs to.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt;
use http::StatusCode;
use spin_sdk::component::Component;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::components::{Entry, entry};
use crate::manifest::Manifest;

/// What the host answers itself, as Spin does.
const HEALTH: &str = "/.well-known/spin/health";

/// How long a shutdown waits for requests, as the spin host does: a feed of changes does not end by itself.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// The routes and what is behind them, the longest first.
pub(crate) struct Server(Vec<Route>);

struct Route {
    /// What the path begins with, or is.
    prefix: String,
    wildcard: bool,
    /// None for a component that was not selected.
    target: Option<(Arc<Component>, Entry)>,
}

impl Server {
    /// Serves the selected components, or all that are built in if none is selected.
    pub(crate) fn new(
        manifest: &Manifest,
        variables: Vec<(String, String)>,
        selected: &[String],
        state_dir: &Path,
    ) -> Result<Self> {
        let values = manifest.values(variables)?;
        let names = manifest.trigger.http.iter().map(|route| &route.component);
        let mut targets = BTreeMap::new();
        for name in names.filter(|name| selected.is_empty() || selected.contains(name)) {
            let entry = entry(name).with_context(|| format!("component {name:?} is not built in"))?;
            let variables = manifest.variables(name, &values)?;
            let component = Component::new(variables, state_dir.join("sqlite_db.db"));
            targets.insert(name.clone(), (component, entry));
        }
        if let Some(name) = selected.iter().find(|name| !targets.contains_key(*name)) {
            anyhow::bail!("there is no component {name:?} with a route in the manifest");
        }
        let routes = manifest.trigger.http.iter().map(|route| {
            let (prefix, wildcard) = match route.route.strip_suffix("/...") {
                Some(prefix) => (prefix, true),
                None => (route.route.as_str(), false),
            };
            Route {
                prefix: prefix.trim_end_matches('/').to_owned(),
                wildcard,
                target: targets.get(&route.component).cloned(),
            }
        });
        let mut routes: Vec<_> = routes.collect();
        routes.sort_by_key(|route| std::cmp::Reverse((route.prefix.len(), !route.wildcard)));
        Ok(Self(routes))
    }

    /// Answers requests until it is asked to stop.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<()> {
        let listener = listener.tap_io(|stream| {
            // Without it, small answers may wait. A socket that refuses it is as good as gone.
            let _ = stream.set_nodelay(true);
        });
        let server = Arc::new(self);
        let service = tower::service_fn(move |request: Request| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        let (stopping, stopped) = oneshot::channel();
        let serving =
            axum::serve(listener, tower::make::Shared::new(service)).with_graceful_shutdown(async {
                stop.await;
                // Without a receiver it ends already.
                let _ = stopping.send(());
            });
        let patience = async {
            let _ = stopped.await;
            tokio::time::sleep(SHUTDOWN).await;
        };
        tokio::select! {
            served = serving.into_future() => served?,
            () = patience => {}
        }
        Ok(())
    }

    async fn answer(&self, request: Request) -> Response {
        let path = request.uri().path();
        if path == HEALTH {
            return "OK".into_response();
        }
        let route = self.0.iter().find(|route| route.matches(path));
        match route.and_then(|route| route.target.clone()) {
            Some((component, entry)) => component.run(entry(request)).await,
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

impl Route {
    fn matches(&self, path: &str) -> bool {
        match path.strip_prefix(self.prefix.as_str()) {
            Some("" | "/") => true,
            Some(below) => self.wildcard && below.starts_with('/'),
            None => false,
        }
    }
}
