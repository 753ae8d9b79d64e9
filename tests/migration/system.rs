//! Nudge beside the old application: one Kafka, one PostgreSQL server with a database for each, real sidecars.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use mail_sink::MailSink;
use nudge::{DataDir, TokenRequest, mint};
use nudge_contract::names::{app, route};
use nudge_test_kit::components;
use nudge_test_kit::http::Call;
use serde_json::Value;
use spin_host::{Host, Manifest, RunningHost};
use test_dapr::{AppHealth, Dapr, Daprd, Kafka, Options, Scheduler, free_ports};
use tokio_postgres::{Client, NoTls};

use crate::old::OldApp;

/// How long something may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// The old system mails so many minutes before a task is due.
pub(crate) const REMIND_BEFORE: &str = "60";

const API_TOKEN: &str = "api-token";

/// Everything that runs. Fields end in their order: those that ask before those that are asked.
pub(crate) struct World {
    pub(crate) old: Arc<OldApp>,
    pub(crate) old_tables: Arc<Client>,
    pub(crate) tables: Arc<Client>,
    pub(crate) mail: MailSink,
    adapter: Option<Daprd>,
    daprds: Vec<Daprd>,
    host: RunningHost,
    adapter_host: RunningHost,
    _scheduler: Scheduler,
    _kafka: Kafka,
    pub(crate) postgres: test_postgres::Server,
    dapr: Dapr,
    data: DataDir,
    adapter_port: u16,
    sidecar: SocketAddr,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = DataDir::open(folder.path()).expect("a data folder");
        let mail = MailSink::start(([127, 0, 0, 1], 0).into(), data.mail())
            .await
            .expect("a mail server");
        let postgres = test_postgres::Server::start()
            .await
            .expect("PostgreSQL is installed");
        let tables = connect(postgres.url()).await;
        tables
            .batch_execute("CREATE DATABASE old")
            .await
            .expect("a database");
        let dapr = Dapr::find().expect("looked for");
        let (kafka, scheduler) = blocking({
            let dapr = dapr.clone();
            move || Ok((Kafka::start()?, dapr.scheduler()?))
        })
        .await;
        let old_url = old_url(&postgres);
        let old = blocking({
            let (address, url) = (kafka.address(), old_url.clone());
            move || OldApp::start(address, &url)
        })
        .await;

        let file = folder.path().join("secrets.json");
        let text = std::fs::read_to_string(&file).expect("secrets");
        let mut secrets: BTreeMap<String, String> = serde_json::from_str(&text).expect("JSON");
        for (name, value) in [
            ("smtp-host", "127.0.0.1".to_owned()),
            ("smtp-port", mail.addr().port().to_string()),
            ("postgres-connection", postgres.url().to_owned()),
            ("kafka-brokers", kafka.address().to_string()),
        ] {
            secrets.insert(name.to_owned(), value);
        }
        std::fs::write(&file, serde_json::to_string(&secrets).expect("JSON")).expect("written");
        let configuration = format!(
            "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {{name: migration}}\nspec:\n  \
             nameResolution: {{component: sqlite, configuration: {{connectionString: {}}}}}\n",
            folder.path().join("names.db").display()
        );
        std::fs::write(folder.path().join("configuration.yaml"), configuration).expect("written");

        let ports: [u16; 5] = free_ports().expect("free ports");
        let root = components::built();
        let build = async |manifest: PathBuf, variables: Vec<(String, String)>| {
            let manifest = Manifest::load(manifest).expect("a valid manifest");
            let mut builder = Host::builder(manifest)
                .listen(([127, 0, 0, 1], 0).into())
                .state_dir(folder.path())
                .cache_dir(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
                .variable("dapr_api_token", API_TOKEN)
                .variable("dapr_app_token", "app-token")
                .variable("topic_prefix", "nudge-");
            for (name, value) in variables {
                builder = builder.variable(name, value);
            }
            builder.build().await.expect("the components start").start()
        };
        let mut variables = vec![
            ("database_url".to_owned(), postgres.url().to_owned()),
            ("database_host".to_owned(), postgres.host()),
            ("rate_limit_per_minute".to_owned(), "0".to_owned()),
        ];
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
            mail,
            adapter: None,
            daprds: Vec::new(),
            host,
            adapter_host,
            _scheduler: scheduler,
            _kafka: kafka,
            postgres,
            dapr,
            data,
            adapter_port: ports[4],
            sidecar: ([127, 0, 0, 1], ports[0]).into(),
            folder,
        };
        for (id, port) in app::ALL.iter().zip(ports) {
            let options = world.options(id, port, world.host.local_addr().port(), &["migration"]);
            let dapr = world.dapr.clone();
            world.daprds.push(blocking(move || dapr.daprd(&options)).await);
        }
        let ready = async || {
            let call = Call::new(world.host.local_addr(), Method::GET, "/health/ready");
            call.send().await.is_ok_and(|answer| answer.status == 200)
        };
        until("the application is ready", ready).await;
        world
    }

    fn options(&self, id: &str, port: u16, app_port: u16, more: &[&str]) -> Options {
        let folders = ["common", "kafka", "postgresql"].iter().chain(more);
        Options {
            app_id: id.to_owned(),
            http_port: Some(port),
            app_port: Some(app_port),
            resources: folders
                .map(|folder| components::built().join("dapr-components").join(folder))
                .collect(),
            configuration: Some(self.folder.path().join("configuration.yaml")),
            working_dir: Some(self.folder.path().to_owned()),
            scheduler: Some(self._scheduler.address()),
            api_token: Some(API_TOKEN.to_owned()),
            app_token: Some("app-token".to_owned()),
            health: Some(AppHealth {
                path: route::health_of(id).to_owned(),
                interval_s: 1,
                threshold: 3,
            }),
        }
    }

    /// Starts, or starts again, the sidecar of the adapter, with or without the place of the old recurring-task service.
    pub(crate) async fn start_adapter(&mut self, take_over: bool) {
        let more: &[&str] = if take_over {
            &["migration", "take-over"]
        } else {
            &["migration"]
        };
        self.adapter = None;
        let app_port = self.adapter_host.local_addr().port();
        let options = self.options(app::LEGACY_ADAPTER, self.adapter_port, app_port, more);
        let dapr = self.dapr.clone();
        self.adapter = Some(blocking(move || dapr.daprd(&options)).await);
    }

    /// Ends the sidecar of the adapter.
    pub(crate) fn stop_adapter(&mut self) {
        self.adapter = None;
    }

    /// Runs the program `nudge` with the api's sidecar, and gives back what it printed.
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
        let from = old_url(&self.postgres);
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
        mint(&self.data, &request, jiff::Timestamp::now().as_second()).expect("a token")
    }

    /// The subjects of all mails so far.
    pub(crate) fn subjects(&self) -> Vec<String> {
        let mails = self.mail.mails().expect("a readable folder");
        let subject = |path: &PathBuf| {
            let mail = std::fs::read_to_string(path).expect("a whole mail");
            let subject = mail.lines().find_map(|line| line.strip_prefix("Subject: "));
            subject.expect("a subject").to_owned()
        };
        mails.iter().map(subject).collect()
    }
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

/// Waits for something that takes real time; gives back how long it took.
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

/// Runs something that waits for a process, off the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await.expect("no panic") {
        Ok(value) => value,
        Err(error) => panic!("{error:#}"),
    }
}
