//! Nudge next to the old application: one Kafka, one PostgreSQL server with a database for each, real sidecars.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use nudge::{TokenRequest, mint};
use nudge_contract::names::app;
use nudge_test_kit::components;
use nudge_test_kit::http::Call;
use nudge_test_kit::limits;
use serde_json::Value;
use spin_host::{Host, Manifest, RunningHost};
use test_dapr::{Daprd, free_ports};
use tokio_postgres::{Client, NoTls};

use crate::old::OldApp;
use test_real::{API_TOKEN, APP_TOKEN, MailServer, Parts, Platform, blocking};

/// Timeout on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// The old system sends email this many minutes before a task is due.
pub(crate) const REMIND_BEFORE: &str = "60";

/// Everything that runs. Fields are dropped in order: clients before servers.
pub(crate) struct World {
    pub(crate) old: Arc<OldApp>,
    pub(crate) old_tables: Arc<Client>,
    pub(crate) tables: Arc<Client>,
    adapter: Option<Daprd>,
    daprds: Vec<Daprd>,
    host: RunningHost,
    adapter_host: RunningHost,
    platform: Platform,
    adapter_port: u16,
    sidecar: SocketAddr,
}

impl World {
    pub(crate) async fn start() -> Self {
        let mut platform = Platform::start(Parts::USUAL).await;
        // Prefixed topics, in the place of the usual ones.
        platform
            .resources
            .retain(|folder| !folder.ends_with("subscriptions") && !folder.ends_with("kafka"));
        platform.resources.push(resources("migration"));
        let postgres = &platform.postgres;
        let tables = connect(postgres.url()).await;
        tables
            .batch_execute("CREATE DATABASE old")
            .await
            .expect("a database");
        let old_url = old_url(postgres);
        let kafka = platform.kafka.as_ref().expect("it is the broker").address();
        let old = blocking({
            let url = old_url.clone();
            move || OldApp::start(kafka, &url)
        })
        .await;

        let ports: [u16; 5] = free_ports().expect("free ports");
        let root = components::built();
        let build = async |manifest: PathBuf, variables: Vec<(String, String)>| {
            let manifest = Manifest::load(manifest).expect("a valid manifest");
            let mut builder = Host::builder(manifest)
                .listen(([127, 0, 0, 1], 0).into())
                .state_dir(platform.folder.path())
                .cache_dir(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
                .variable("dapr_api_token", API_TOKEN)
                .variable("dapr_app_token", APP_TOKEN)
                .variable("topic_prefix", "nudge-");
            for (name, value) in variables {
                builder = builder.variable(name, value);
            }
            builder.build().await.expect("the components start").start()
        };
        let mut variables = vec![
            ("database_url".to_owned(), postgres.url().to_owned()),
            ("database_host".to_owned(), postgres.host()),
        ];
        variables.extend(limits::NONE.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for (id, port) in app::ALL.iter().zip(ports) {
            let name = format!("{}_sidecar", id.replace('-', "_"));
            variables.push((name, format!("http://127.0.0.1:{port}")));
        }
        let host = build(root.join("spin.toml"), variables).await;
        let adapter_host = build(
            root.join("components/legacy-adapter/spin.toml"),
            vec![
                (
                    "legacy_adapter_sidecar".to_owned(),
                    format!("http://127.0.0.1:{}", ports[4]),
                ),
                ("remind_before_minutes".to_owned(), REMIND_BEFORE.to_owned()),
            ],
        )
        .await;
        let mut world = Self {
            old_tables: Arc::new(connect(&old_url).await),
            old: Arc::new(old),
            tables: Arc::new(tables),
            adapter: None,
            daprds: Vec::new(),
            host,
            adapter_host,
            platform,
            adapter_port: ports[4],
            sidecar: ([127, 0, 0, 1], ports[0]).into(),
        };
        for (id, port) in app::ALL.iter().zip(ports) {
            let daprd = world.platform.sidecar(id, port, world.host.local_addr().port());
            let daprd = daprd.await;
            world.daprds.push(daprd);
        }
        let ready = async || {
            let call = Call::new(world.host.local_addr(), Method::GET, "/health/ready");
            call.send().await.is_ok_and(|answer| answer.status == 200)
        };
        until("the application is ready", ready).await;
        world
    }

    /// Starts, or starts again, the sidecar of the adapter, with or without the place of the old recurring-task service.
    pub(crate) async fn start_adapter(&mut self, take_over: bool) {
        self.adapter = None;
        let usual = self.platform.resources.clone();
        if take_over {
            self.platform.resources.push(resources("take-over"));
        }
        let app_port = self.adapter_host.local_addr().port();
        let adapter = self
            .platform
            .sidecar(app::LEGACY_ADAPTER, self.adapter_port, app_port)
            .await;
        self.adapter = Some(adapter);
        self.platform.resources = usual;
    }

    /// Ends the sidecar of the adapter.
    pub(crate) fn stop_adapter(&mut self) {
        self.adapter = None;
    }

    /// Runs the program `nudge` with the api's sidecar, and returns its output.
    pub(crate) async fn nudge(&self, arguments: &[&str]) -> (bool, String) {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_nudge"));
        command
            .args(arguments)
            .env("NUDGE_SIDECAR", self.sidecar.to_string())
            .env("DAPR_API_TOKEN", API_TOKEN);
        let output = command.output().await.expect("nudge starts");
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), text)
    }

    pub(crate) async fn import(&self) -> (bool, String) {
        let from = old_url(&self.platform.postgres);
        let arguments = [
            "import",
            "--from",
            &from,
            "--remind-before-minutes",
            REMIND_BEFORE,
        ];
        self.nudge(&arguments).await
    }

    /// Where users of Nudge write.
    pub(crate) fn address(&self) -> SocketAddr {
        self.host.local_addr()
    }

    pub(crate) fn token(&self, user: &str) -> String {
        let request = TokenRequest {
            user: user.to_owned(),
            email: Some(format!("user{user}@example.com")),
            time_zone: None,
            hours: 1,
        };
        mint(&self.platform.data, &request, jiff::Timestamp::now().as_second()).expect("a token")
    }

    /// The subjects of all emails so far.
    pub(crate) fn subjects(&self) -> Vec<String> {
        let emails = self.platform.mail.emails();
        emails.iter().map(|mail| MailServer::subject(mail)).collect()
    }
}

/// A folder of `dapr-components`.
fn resources(folder: &str) -> PathBuf {
    components::built().join("dapr-components").join(folder)
}

/// The database of the old application.
fn old_url(postgres: &test_postgres::Server) -> String {
    postgres.url().replace("/postgres?", "/old?")
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// Waits for something that takes real time; returns how long it took.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) -> Duration {
    let begun = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    while !condition().await {
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        looks.tick().await;
    }
    begun.elapsed()
}

/// A user's request to Nudge: status and body.
pub(crate) async fn ask(
    address: SocketAddr,
    token: &str,
    method: Method,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let call = Call::new(address, method, path).bearer(token).json(body);
    let answer = call.send().await.expect("Nudge answers");
    (answer.status.as_u16(), answer.json().unwrap_or_default())
}
