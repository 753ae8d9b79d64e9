//! The system on real parts.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use http::Method;
use mail_sink::MailSink;
use nudge::{DataDir, TokenRequest, mint};
use nudge_contract::names::{app, route};
use nudge_test_kit::components;
use nudge_test_kit::http::Call;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use spin_host::{Host, Manifest, RunningHost};
use test_dapr::{AppHealth, Dapr, Daprd, Kafka, Options, RabbitMq, Redis, Scheduler, free_ports};

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What carries the events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broker {
    Kafka,
    RedisStreams,
    RabbitMq,
}

/// What keeps the services' state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Postgresql,
    Redis,
}

/// What keeps the tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    Sqlite,
    Postgresql,
}

/// One combination.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) broker: Broker,
    pub(crate) state: State,
    pub(crate) data: Data,
}

impl Parts {
    /// The folders of `dapr-components` that a daprd loads.
    fn folders(self) -> [&'static str; 4] {
        let broker = match self.broker {
            Broker::Kafka => "kafka",
            Broker::RedisStreams => "redis-streams",
            Broker::RabbitMq => "rabbitmq",
        };
        let state = match self.state {
            State::Postgresql => "postgresql",
            State::Redis => "redis",
        };
        ["common", "subscriptions", broker, state]
    }
}

/// What the components are made of.
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

/// Everything that runs. Fields end in their order: those that ask before those that are asked.
pub(crate) struct System {
    host: RunningHost,
    _daprds: Vec<Daprd>,
    _scheduler: Scheduler,
    _kafka: Option<Kafka>,
    _redis: Option<Redis>,
    _rabbitmq: Option<RabbitMq>,
    _postgres: test_postgres::Server,
    mail: MailSink,
    token: String,
    _folder: tempfile::TempDir,
}

impl System {
    pub(crate) async fn start(parts: Parts) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = DataDir::open(folder.path()).expect("a data folder");
        let mail = MailSink::start(([127, 0, 0, 1], 0).into(), data.mail())
            .await
            .expect("a mail server");
        let postgres = test_postgres::Server::start()
            .await
            .expect("PostgreSQL is installed");
        let wants_redis = parts.broker == Broker::RedisStreams || parts.state == State::Redis;
        let wants_kafka = parts.broker == Broker::Kafka;
        let wants_rabbitmq = parts.broker == Broker::RabbitMq;
        let dapr = Dapr::find().expect("looked for");
        let (kafka, redis, rabbitmq, scheduler) = blocking({
            let dapr = dapr.clone();
            move || {
                Ok((
                    wants_kafka.then(Kafka::start).transpose()?,
                    wants_redis.then(Redis::start).transpose()?,
                    wants_rabbitmq.then(RabbitMq::start).transpose()?,
                    dapr.scheduler()?,
                ))
            }
        })
        .await;
        let mut secrets = BTreeMap::from([
            ("smtp-host", "127.0.0.1".to_owned()),
            ("smtp-port", mail.addr().port().to_string()),
            ("postgres-connection", postgres.url().to_owned()),
        ]);
        if let Some(kafka) = &kafka {
            secrets.insert("kafka-brokers", kafka.address().to_string());
        }
        if let Some(rabbitmq) = &rabbitmq {
            secrets.insert("rabbitmq-url", rabbitmq.url());
        }
        if let Some(redis) = &redis {
            secrets.insert("redis-host", redis.address().to_string());
            secrets.insert("redis-password", Redis::PASSWORD.to_owned());
        }
        add_secrets(folder.path(), &secrets);
        let configuration = folder.path().join("configuration.yaml");
        let yaml = format!(
            "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {{name: portability}}\nspec:\n  \
             nameResolution: {{component: sqlite, configuration: {{connectionString: {}}}}}\n",
            folder.path().join("names.db").display()
        );
        std::fs::write(&configuration, yaml).expect("written");

        let ports: [u16; 4] = free_ports().expect("free ports");
        let root = components::built();
        let manifest = Manifest::load(root.join("spin.toml")).expect("spin.toml is valid");
        let mut builder = Host::builder(manifest)
            .listen(([127, 0, 0, 1], 0).into())
            .state_dir(folder.path())
            .cache_dir(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"))
            .variable("dapr_api_token", "api-token")
            .variable("dapr_app_token", "app-token");
        for (id, port) in app::ALL.iter().zip(ports) {
            let name = format!("{}_sidecar", id.replace('-', "_"));
            builder = builder.variable(name, format!("http://127.0.0.1:{port}"));
        }
        if parts.data == Data::Postgresql {
            builder = builder
                .variable("database_url", postgres.url())
                .variable("database_host", postgres.host());
        }
        let host = builder.build().await.expect("the components start").start();
        let resources: Vec<_> = parts
            .folders()
            .map(|folder| root.join("dapr-components").join(folder))
            .to_vec();
        let mut daprds = Vec::new();
        for (id, port) in app::ALL.iter().zip(ports) {
            let options = Options {
                app_id: (*id).to_owned(),
                http_port: Some(port),
                app_port: Some(host.local_addr().port()),
                resources: resources.clone(),
                configuration: Some(configuration.clone()),
                working_dir: Some(folder.path().to_owned()),
                scheduler: Some(scheduler.address()),
                api_token: Some("api-token".to_owned()),
                app_token: Some("app-token".to_owned()),
                health: Some(AppHealth {
                    path: route::health_of(id).to_owned(),
                    interval_s: 1,
                    threshold: 3,
                }),
            };
            let dapr = dapr.clone();
            daprds.push(blocking(move || dapr.daprd(&options)).await);
        }
        let request = TokenRequest {
            user: "alice".to_owned(),
            email: Some("alice@example.com".to_owned()),
            time_zone: Some("Europe/Berlin".to_owned()),
            hours: 1,
        };
        let token = mint(&data, &request, jiff::Timestamp::now().as_second()).expect("a token");
        let system = Self {
            host,
            _daprds: daprds,
            _scheduler: scheduler,
            _kafka: kafka,
            _redis: redis,
            _rabbitmq: rabbitmq,
            _postgres: postgres,
            mail,
            token,
            _folder: folder,
        };
        system
            .until("the application is ready", async |system| {
                let ready = Call::new(system.host.local_addr(), Method::GET, "/health/ready");
                ready.send().await.is_ok_and(|answer| answer.status == 200)
            })
            .await;
        system
    }

    /// Sends a request of alice, whose answer must have this status, and gives back its body.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>, status: u16) -> Value {
        let call = Call::new(self.host.local_addr(), method, path).bearer(&self.token);
        let call = body.iter().fold(call, Call::json);
        let answer = call.send().await.expect("an answer");
        assert_eq!(answer.status, status, "{path}: {:?}", answer.body);
        answer.json().unwrap_or_default()
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

    /// The subjects of all mails so far.
    pub(crate) fn subjects(&self) -> Vec<String> {
        let mails = self.mail.mails().expect("a readable folder");
        mails
            .iter()
            .map(|path| {
                let mail = std::fs::read_to_string(path).expect("a whole mail");
                assert!(mail.contains("To: alice@example.com\r\n"), "{mail}");
                let subject = mail.lines().find_map(|line| line.strip_prefix("Subject: "));
                subject.expect("a subject").to_owned()
            })
            .collect()
    }
}

fn add_secrets(folder: &Path, more: &BTreeMap<&str, String>) {
    let file = folder.join("secrets.json");
    let text = std::fs::read_to_string(&file).expect("secrets");
    let mut secrets: BTreeMap<String, String> = serde_json::from_str(&text).expect("JSON");
    secrets.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    let text = serde_json::to_string(&secrets).expect("JSON");
    std::fs::write(&file, text).expect("written");
}

/// Runs something that waits for a process, off the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await.expect("no panic") {
        Ok(value) => value,
        Err(error) => panic!("{error:#}"),
    }
}
