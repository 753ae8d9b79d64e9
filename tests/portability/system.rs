//! The system on real parts.
#![allow(dead_code, reason = "shared with tests/load")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Method;
use nudge::{TokenRequest, mint};
use nudge_contract::names::app;
use nudge_test_kit::components;
use nudge_test_kit::http::Call;
use nudge_test_kit::limits;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use spin_host::{Host, Manifest, RunningHost};
use test_dapr::{Daprd, free_ports};

use test_real::{API_TOKEN, APP_TOKEN, MailServer, Parts, Platform};

/// Timeout on a busy machine.
const PATIENCE: Duration = Duration::from_secs(420);

/// The database of tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Sqlite,
    Postgresql,
}

/// One combination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Combination {
    pub(crate) parts: Parts,
    pub(crate) data: Data,
}

/// The resource files of the components.
pub(crate) fn digest() -> String {
    let mut sha = Sha256::new();
    let folder = components::built().join("target/wasm32-wasip2/release");
    for name in [
        "api",
        "notification",
        "email_delivery",
        "recurring_task",
        "dapr_bridge",
    ] {
        let file = folder.join(format!("nudge_{name}.wasm"));
        sha.update(std::fs::read(file).expect("a component"));
    }
    sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn token(platform: &Platform, user: &str) -> String {
    let request = TokenRequest {
        user: user.to_owned(),
        email: Some(format!("{user}@example.com")),
        time_zone: Some("Europe/Berlin".to_owned()),
        hours: 1,
    };
    mint(&platform.data, &request, jiff::Timestamp::now().as_second()).expect("a token")
}

/// Everything that runs. Fields are dropped in order: clients before servers.
pub(crate) struct System {
    host: RunningHost,
    /// More replicas of notification.
    _replicas: Vec<RunningHost>,
    /// In the order of [`app::ALL`], then of the replicas.
    pub(crate) daprds: Vec<Daprd>,
    pub(crate) platform: Platform,
    token: String,
}

impl System {
    pub(crate) async fn start(combination: Combination) -> Self {
        Self::start_with(combination, 1, |_| {}).await
    }

    /// Starts with a number of replicas of notification, each with a sidecar of its own, after `prepare` changed the platform.
    pub(crate) async fn start_with(
        combination: Combination,
        replicas: usize,
        prepare: impl FnOnce(&mut Platform),
    ) -> Self {
        let mut platform = Platform::start(combination.parts).await;
        prepare(&mut platform);
        let ports: [u16; 4] = free_ports().expect("free ports");
        let builder = |notification: u16| {
            let manifest = Manifest::load(components::built().join("spin.toml")).expect("spin.toml is valid");
            let mut builder = Host::builder(manifest)
                .listen(([127, 0, 0, 1], 0).into())
                .state_dir(platform.folder.path())
                .cache_dir(components::built().join("target/compiled"))
                .variable("dapr_api_token", API_TOKEN)
                .variable("dapr_app_token", APP_TOKEN);
            for (name, value) in limits::NONE {
                builder = builder.variable(name, value);
            }
            for (id, port) in app::ALL.iter().zip(ports) {
                let name = format!("{}_sidecar", id.replace('-', "_"));
                let port = if *id == app::NOTIFICATION {
                    notification
                } else {
                    port
                };
                builder = builder.variable(name, format!("http://127.0.0.1:{port}"));
            }
            if combination.data == Data::Postgresql {
                builder = builder
                    .variable("database_url", platform.postgres.url())
                    .variable("database_host", platform.postgres.host());
            }
            builder
        };
        let host = builder(ports[1])
            .build()
            .await
            .expect("the components start")
            .start();
        let mut beside: Vec<(&str, u16, u16)> = app::ALL
            .into_iter()
            .zip(ports)
            .map(|(id, port)| (id, port, host.local_addr().port()))
            .collect();
        let mut more = Vec::new();
        for _ in 1..replicas {
            let [port] = free_ports().expect("a free port");
            let replica = builder(port).components([app::NOTIFICATION]);
            let replica = replica.build().await.expect("the component starts").start();
            beside.push((app::NOTIFICATION, port, replica.local_addr().port()));
            more.push(replica);
        }
        let mut daprds = Vec::new();
        for (id, port, app) in beside {
            daprds.push(platform.sidecar(id, port, app).await);
        }
        let token = token(&platform, "alice");
        let system = Self {
            host,
            _replicas: more,
            daprds,
            platform,
            token,
        };
        system
            .until("the application is ready", async |system| {
                let ready = Call::new(system.host.local_addr(), Method::GET, "/health/ready");
                ready.send().await.is_ok_and(|answer| answer.status == 200)
            })
            .await;
        system
    }

    /// The address of the application.
    pub(crate) fn address(&self) -> SocketAddr {
        self.host.local_addr()
    }

    /// A token of that user, whose address is `{user}@example.com`.
    pub(crate) fn token_of(&self, user: &str) -> String {
        token(&self.platform, user)
    }

    /// Sends a request of alice, which must be answered with this status, and returns the body.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>, status: u16) -> Value {
        self.send_as(&self.token, method, path, body, status).await
    }

    /// The same of another user.
    pub(crate) async fn send_as(
        &self,
        token: &str,
        method: Method,
        path: &str,
        body: Option<Value>,
        status: u16,
    ) -> Value {
        let call = Call::new(self.host.local_addr(), method, path).bearer(token);
        let call = body.iter().fold(call, Call::json);
        let answer = call.send().await.expect("an answer");
        assert_eq!(answer.status, status, "{path}: {:?}", answer.body);
        answer.json().unwrap_or_default()
    }

    /// Whether notification has a job of that name.
    pub(crate) async fn has_job(&self, name: &str) -> bool {
        let path = format!("/v1.0-alpha1/jobs/{name}");
        let call = Call::new(self.daprds[1].address(), Method::GET, path).header("dapr-api-token", API_TOKEN);
        call.send().await.is_ok_and(|answer| answer.status == 200)
    }

    /// Waits for something that takes real time.
    pub(crate) async fn until(&self, what: &str, condition: impl AsyncFn(&Self) -> bool) {
        let begun = Instant::now();
        let mut looks = tokio::time::interval(Duration::from_millis(50));
        while !condition(self).await {
            assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
            looks.tick().await;
        }
    }

    /// The subjects of all emails so far.
    pub(crate) fn subjects(&self) -> Vec<String> {
        let emails = self.platform.mail.emails();
        emails
            .iter()
            .map(|path| {
                let mail = std::fs::read_to_string(path).expect("a whole mail");
                assert!(mail.contains("To: alice@example.com\r\n"), "{mail}");
                MailServer::subject(path)
            })
            .collect()
    }
}
