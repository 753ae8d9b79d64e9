//! A sidecar on a stepped clock, with scripted apps.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::HeaderMap;
use dapr_sidecar::{App, Clock, Error, Options, Sidecars, Synchronous};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use test_app::PATIENCE;
pub(crate) use test_app::Scripted;

/// A pubsub and a state store with default settings.
pub(crate) const BASICS: &str = "
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: pubsub}
spec: {type: pubsub.in-memory, version: v1}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: statestore}
spec: {type: state.in-memory, version: v1}
";

/// A response of the sidecar.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a text header"))
    }
}

/// The sidecars of one test.
pub(crate) struct Bench {
    pub(crate) clock: Clock,
    pub(crate) dir: Arc<tempfile::TempDir>,
    pub(crate) sidecars: Sidecars,
    client: Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>,
}

/// The instant at which every stepped clock starts.
pub(crate) const START: &str = "2026-11-21T20:57:11Z";

pub(crate) fn start() -> SystemTime {
    START
        .parse::<jiff::Timestamp>()
        .expect("a literal instant")
        .into()
}

impl Bench {
    /// Sidecars for `apps` with the resources in `yaml`, which do not deliver yet.
    pub(crate) async fn bind(yaml: &str, apps: Vec<App>) -> Self {
        let dir = Arc::new(tempfile::tempdir().expect("a folder"));
        std::fs::create_dir(dir.path().join("resources")).expect("a folder");
        // daprd requires a file of its own for each Resiliency.
        let (policies, others): (Vec<&str>, Vec<&str>) = yaml
            .split("---\n")
            .partition(|document| document.contains("kind: Resiliency"));
        for (number, policy) in policies.iter().enumerate() {
            let file = format!("resources/resiliency-{number}.yaml");
            std::fs::write(dir.path().join(file), policy).expect("written");
        }
        std::fs::write(dir.path().join("resources/all.yaml"), others.join("---\n")).expect("written");
        let clock = Clock::stepped(start());
        Self::bind_in(dir, clock, apps).await.expect("good resources")
    }

    pub(crate) async fn bind_in(
        dir: Arc<tempfile::TempDir>,
        clock: Clock,
        apps: Vec<App>,
    ) -> Result<Self, Error> {
        Self::bind_synchronous(dir, clock, apps, Synchronous::Full).await
    }

    pub(crate) async fn bind_synchronous(
        dir: Arc<tempfile::TempDir>,
        clock: Clock,
        apps: Vec<App>,
        synchronous: Synchronous,
    ) -> Result<Self, Error> {
        let options = Options {
            resources: vec![dir.path().join("resources")],
            working_dir: dir.path().to_owned(),
            data: dir.path().join("dapr.db"),
            synchronous,
            clock: clock.clone(),
            await_clock: clock.clone(),
            apps,
        };
        let sidecars = Sidecars::bind(options).await?;
        Ok(Self {
            clock,
            dir,
            sidecars,
            client: Client::builder(TokioExecutor::new()).build_http(),
        })
    }

    /// One sidecar of the app `orders`, delivering to a scripted app.
    pub(crate) async fn with_app(yaml: &str) -> (Self, Scripted) {
        let mut bench = Self::bind(yaml, vec![App::new("orders")]).await;
        let app = Scripted::start().await;
        bench.serve(&[("orders", &app)]);
        bench.ready("orders").await;
        (bench, app)
    }

    pub(crate) fn serve(&mut self, apps: &[(&str, &Scripted)]) {
        let urls = apps
            .iter()
            .map(|(id, app)| ((*id).to_owned(), app.url.parse().expect("a URL")));
        self.sidecars.serve(urls.collect());
    }

    /// Waits until the sidecar of an app reports ready.
    pub(crate) async fn ready(&self, app_id: &str) {
        let ready = async {
            while self.get_as(app_id, "/v1.0/healthz").await.status != 204 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, ready)
            .await
            .expect("the sidecar becomes ready");
    }

    /// Stops everything as a crash does, and starts again on the same files.
    pub(crate) async fn crash_and_restart(self, apps: Vec<App>) -> Self {
        let (dir, clock) = (self.dir.clone(), self.clock.clone());
        drop(self);
        Self::bind_in(dir, clock, apps).await.expect("the same resources")
    }

    /// Steps the clock by `step` until `condition` holds. Tasks that are about to sleep get the time to do so.
    pub(crate) async fn step_until(&self, step: Duration, condition: impl Fn() -> bool) {
        let steps = async {
            while !condition() {
                self.clock.advance(step);
                self.settle().await;
            }
        };
        tokio::time::timeout(PATIENCE, steps)
            .await
            .expect("the condition holds in the end");
    }

    /// Lets running tasks make progress: two round trips through the sidecar and its database.
    pub(crate) async fn settle(&self) {
        for _ in 0..2 {
            self.request_as("orders", "GET", "/v1.0-alpha1/jobs/nothing", &[], "")
                .await;
        }
    }

    pub(crate) async fn request_as(
        &self,
        app_id: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let address = self.sidecars.address(app_id).expect("a sidecar of this app");
        let mut request = axum::http::Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).expect("a good request");
        let answer = self.client.request(request).await.expect("the sidecar answers");
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a complete response").to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("a text response");
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }
    }

    pub(crate) async fn get_as(&self, app_id: &str, path: &str) -> Answer {
        self.request_as(app_id, "GET", path, &[], "").await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_as("orders", path).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.request_as("orders", "DELETE", path, &[], "").await
    }

    /// Posts JSON to the sidecar of `orders`.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.request_as(
            "orders",
            "POST",
            path,
            &[("content-type", "application/json")],
            body.to_owned(),
        )
        .await
    }
}

/// A subscription of the app `orders` to a topic of `pubsub`, to be appended to [`BASICS`].
pub(crate) fn subscription(topic: &str, routes: &str, dead_letter: Option<&str>) -> String {
    let dead_letter = dead_letter
        .map(|topic| format!("  deadLetterTopic: {topic}\n"))
        .unwrap_or_default();
    format!(
        "---\napiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {{name: sub-{topic}}}\nspec:\n  \
         pubsubname: pubsub\n  topic: {topic}\n  routes: {routes}\n{dead_letter}scopes: [orders]\n"
    )
}

/// Compares a response with a recorded one in `tests/fixtures`: the status in its first line, the JSON in the rest.
pub(crate) fn assert_recorded(answer: &Answer, fixture: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(fixture);
    let recorded = std::fs::read_to_string(&path).expect("a fixture");
    let (status, body) = recorded.split_once('\n').unwrap_or((&recorded, ""));
    assert_eq!(
        answer.status.to_string(),
        status.trim(),
        "{fixture}: {}",
        answer.body
    );
    match serde_json::from_str::<Value>(body) {
        Ok(body) => assert_eq!(answer.json(), body, "{fixture}"),
        Err(_) => assert_eq!(answer.body.trim(), body.trim(), "{fixture}"),
    }
}
