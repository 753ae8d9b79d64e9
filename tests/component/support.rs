//! A service under test: one component on a host of its own, with a stepped clock and a fake sidecar.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use nudge_contract::names::app;
use nudge_test_kit::components;
use nudge_test_kit::dapr::FakeDapr;
use nudge_test_kit::http::{Answer, Call};
use nudge_test_kit::tokens;
use serde_json::Value;
use spin_host::{Host, Manifest, RunningHost};
use step_clock::Clock;
use tempfile::TempDir;

use crate::openapi::contract;

/// When every test begins.
pub(crate) const START: &str = "2026-11-21T12:00:00Z";

/// The token that the sidecar sends to the app.
pub(crate) const APP_TOKEN: &str = "app-token-of-this-test";

/// Where links in emails begin.
pub(crate) const PUBLIC_URL: &str = "https://nudge.example";

/// The time zone of alice and all other users.
pub(crate) const ZONE: &str = "Europe/Berlin";

/// The trace context of requests, so that their effects are the same in every run.
pub(crate) const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// One component, running.
pub(crate) struct Service {
    pub(crate) host: RunningHost,
    pub(crate) dapr: FakeDapr,
    pub(crate) clock: Clock,
    state: Arc<TempDir>,
    id: &'static str,
}

/// Settings of a [`Service`].
pub(crate) struct Setup {
    id: &'static str,
    dapr: FakeDapr,
    clock: Clock,
    state: Arc<TempDir>,
    variables: Vec<(&'static str, String)>,
}

impl Setup {
    pub(crate) fn new(id: &'static str) -> Self {
        let start: jiff::Timestamp = START.parse().expect("an instant");
        Self {
            id,
            dapr: FakeDapr::new(),
            clock: Clock::stepped(start.into()),
            state: Arc::new(tempfile::tempdir().expect("a temporary folder")),
            variables: vec![("dapr_app_token", APP_TOKEN.to_owned())],
        }
    }

    /// Another replica: the same database, the same sidecar's state, the same clock.
    pub(crate) fn beside(mut self, other: &Service) -> Self {
        self.dapr = other.dapr.clone();
        self.clock = other.clock.clone();
        self.state = other.state.clone();
        self
    }

    pub(crate) fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    pub(crate) async fn start(self) -> Service {
        crate::host_log::listen();
        let file = match self.id {
            app::LEGACY_ADAPTER => "components/legacy-adapter/spin.toml",
            _ => "spin.toml",
        };
        let manifest = Manifest::load(components::built().join(file)).expect("the manifest is valid");
        let mut builder = Host::builder(manifest)
            .components([self.id])
            .listen(([127, 0, 0, 1], 0).into())
            .state_dir(self.state.path())
            .cache_dir(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
            .clock(self.clock.clone())
            .extension(Arc::new(self.dapr.clone()));
        if self.id != app::LEGACY_ADAPTER {
            builder = builder.variable("public_url", PUBLIC_URL);
        }
        for (name, value) in self.variables {
            builder = builder.variable(name, value);
        }
        let host = match builder.build().await {
            Ok(host) => host.start(),
            Err(error) => panic!("{:#}", anyhow::Error::from(error)),
        };
        Service {
            host,
            dapr: self.dapr,
            clock: self.clock,
            state: self.state,
            id: self.id,
        }
    }
}

impl Service {
    pub(crate) async fn start(id: &'static str) -> Self {
        Setup::new(id).start().await
    }

    /// Another process of the service with the same database, the same clock and a sidecar that remembers nothing. This
    /// one is left behind as it is: what it waits for never comes.
    pub(crate) async fn start_again(&self) -> Self {
        self.another().start().await
    }

    /// The same, with a variable.
    pub(crate) async fn start_again_with(&self, name: &'static str, value: &str) -> Self {
        self.another().variable(name, value).start().await
    }

    fn another(&self) -> Setup {
        let mut setup = Setup::new(self.id);
        setup.clock = self.clock.clone();
        setup.state = self.state.clone();
        setup
    }

    /// Runs a statement on the service's database, to leave there what a crash would.
    pub(crate) fn sql(&self, statement: &str) {
        let database = self.database();
        database
            .busy_timeout(Duration::from_secs(10))
            .expect("a timeout can be set");
        database.execute(statement, []).expect("the statement runs");
    }

    /// A person with a good token, minted now.
    pub(crate) fn user(&self, name: &str) -> Caller<'_> {
        self.bearer(&tokens::mint(name, ZONE, self.clock.now()))
    }

    /// A caller with this token.
    pub(crate) fn bearer(&self, token: &str) -> Caller<'_> {
        Caller {
            service: self,
            headers: vec![("authorization", format!("Bearer {token}"))],
        }
    }

    /// The service's own sidecar.
    pub(crate) fn sidecar(&self) -> Caller<'_> {
        Caller {
            service: self,
            headers: vec![("dapr-api-token", APP_TOKEN.to_owned())],
        }
    }

    /// A caller without a token.
    pub(crate) fn anybody(&self) -> Caller<'_> {
        Caller {
            service: self,
            headers: Vec::new(),
        }
    }

    /// The folder of its database.
    pub(crate) fn state(&self) -> &Path {
        self.state.path()
    }

    /// A second connection to its SQLite database.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.state.path().join("sqlite_db.db")).expect("a database")
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// A caller of a service.
pub(crate) struct Caller<'a> {
    service: &'a Service,
    headers: Vec<(&'static str, String)>,
}

impl Caller<'_> {
    pub(crate) fn service(&self) -> &Service {
        self.service
    }

    /// What every request of this caller has.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str()))
    }

    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        let call = Call::new(self.service.host.local_addr(), method, path).header("traceparent", TRACE);
        self.headers
            .iter()
            .fold(call, |call, (name, value)| call.header(name, value))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        send(self.call(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        send(self.call(Method::POST, path).json(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        send(self.call(Method::PATCH, path).json(body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        send(self.call(Method::DELETE, path)).await
    }

    /// Creates a resource, which must succeed, and returns its body.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> Value {
        json(&self.post(path, body).await, 201)
    }
}

/// Sends a call. An answer of the api that is not as docs/openapi.json says fails the test.
pub(crate) async fn send(call: Call) -> Answer {
    let asked = call.clone();
    let answer = call.send().await.expect("an answer");
    contract().check(asked.method(), asked.path(), asked.sent_body(), &answer);
    answer
}

/// The body of a response that must have this status.
pub(crate) fn json(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{:?}", answer.body);
    answer.json().expect("JSON")
}

/// A string of a JSON object.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no text {name} in {value}"))
}
