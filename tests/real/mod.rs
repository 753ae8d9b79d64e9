//! Real parts for the components: broker, databases, scheduler, mail server, and how a sidecar is started on them.
//!
//! `mod real` in the test binaries that run on them; each uses what it needs.
#![allow(dead_code, reason = "shared by test binaries that use different parts of it")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use mail_sink::{Fault, MailSink};
use nudge::DataDir;
use nudge_contract::names::{app, route};
use nudge_test_kit::components;
use test_dapr::{AppHealth, Dapr, Daprd, Kafka, Options, RabbitMq, Redis, Scheduler};

/// What sidecars ask of their callers.
pub(crate) const API_TOKEN: &str = "api-token";

/// What sidecars show to the services.
pub(crate) const APP_TOKEN: &str = "app-token";

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

/// One choice of broker and state store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts {
    pub(crate) broker: Broker,
    pub(crate) state: State,
}

impl Parts {
    /// Those of the suites that run on one choice.
    pub(crate) const USUAL: Self = Self {
        broker: Broker::Kafka,
        state: State::Postgresql,
    };

    fn wants_redis(self) -> bool {
        self.broker == Broker::RedisStreams || self.state == State::Redis
    }

    /// What the machine lacks for it, and how to get it; empty if nothing.
    pub(crate) fn missing(self) -> Option<String> {
        let missing = [
            Dapr::find().err(),
            (self.broker == Broker::Kafka)
                .then(Kafka::find)
                .and_then(Result::err),
            self.wants_redis().then(Redis::find).and_then(Result::err),
            (self.broker == Broker::RabbitMq)
                .then(RabbitMq::find)
                .and_then(Result::err),
        ];
        let missing = missing.iter().flatten().map(ToString::to_string);
        let mut missing: Vec<String> = missing
            .chain(test_postgres::Server::missing().map(str::to_owned))
            .collect();
        missing.dedup();
        (!missing.is_empty()).then(|| missing.join("; "))
    }

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

/// Everything but sidecars and services. Fields end in their order.
pub(crate) struct Platform {
    dapr: Dapr,
    pub(crate) scheduler: Scheduler,
    pub(crate) kafka: Option<Kafka>,
    pub(crate) redis: Option<Redis>,
    pub(crate) rabbitmq: Option<RabbitMq>,
    pub(crate) postgres: test_postgres::Server,
    pub(crate) mail: MailServer,
    pub(crate) data: DataDir,
    /// The folders of resources that the next sidecars load.
    pub(crate) resources: Vec<PathBuf>,
    configuration: PathBuf,
    pub(crate) folder: tempfile::TempDir,
}

impl Platform {
    pub(crate) async fn start(parts: Parts) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = DataDir::open(folder.path()).expect("a data folder");
        let mail = MailServer::start(data.mail()).await;
        let postgres = test_postgres::Server::start()
            .await
            .expect("PostgreSQL is installed");
        let dapr = Dapr::find().expect("looked for");
        let (kafka, redis, rabbitmq, scheduler) = blocking({
            let dapr = dapr.clone();
            move || {
                Ok((
                    (parts.broker == Broker::Kafka).then(Kafka::start).transpose()?,
                    parts.wants_redis().then(Redis::start).transpose()?,
                    (parts.broker == Broker::RabbitMq)
                        .then(RabbitMq::start)
                        .transpose()?,
                    dapr.scheduler()?,
                ))
            }
        })
        .await;
        let mut secrets = mail.secrets();
        secrets.insert("postgres-connection", postgres.url().to_owned());
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
            "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {{name: test}}\nspec:\n  \
             nameResolution: {{component: sqlite, configuration: {{connectionString: {}}}}}\n",
            folder.path().join("names.db").display()
        );
        std::fs::write(&configuration, yaml).expect("written");
        let components = components::built().join("dapr-components");
        Self {
            dapr,
            scheduler,
            kafka,
            redis,
            rabbitmq,
            postgres,
            mail,
            data,
            resources: parts.folders().map(|folder| components.join(folder)).to_vec(),
            configuration,
            folder,
        }
    }

    /// Starts a sidecar of one of the services.
    pub(crate) async fn sidecar(&self, app_id: &str, http_port: u16, app_port: u16) -> Daprd {
        let health = AppHealth {
            path: route::health_of(app_id).to_owned(),
            interval_s: 5,
            // An app that was unwell may never get an event again (decision 0022).
            threshold: 1_000,
            // Dapr's 500 ms are short on a busy machine.
            timeout_ms: 3_000,
        };
        self.daprd(app_id, http_port, app_port, Some(health)).await
    }

    /// Starts a sidecar of an app that is not asked how it is.
    pub(crate) async fn sidecar_of_a_test(&self, app_id: &str, http_port: u16, app_port: u16) -> Daprd {
        self.daprd(app_id, http_port, app_port, None).await
    }

    async fn daprd(&self, app_id: &str, http_port: u16, app_port: u16, health: Option<AppHealth>) -> Daprd {
        let options = Options {
            app_id: app_id.to_owned(),
            http_port: Some(http_port),
            app_port: Some(app_port),
            resources: self.resources.clone(),
            configuration: Some(self.configuration.clone()),
            working_dir: Some(self.folder.path().to_owned()),
            scheduler: Some(self.scheduler.address()),
            api_token: Some(API_TOKEN.to_owned()),
            app_token: Some(APP_TOKEN.to_owned()),
            health,
            max_concurrency: app::max_concurrency(app_id),
        };
        let dapr = self.dapr.clone();
        blocking(move || dapr.daprd(&options)).await
    }
}

/// A mail server that can go away and come back at its address.
pub(crate) struct MailServer {
    address: SocketAddr,
    folder: PathBuf,
    sink: Option<MailSink>,
}

impl MailServer {
    pub(crate) async fn start(folder: PathBuf) -> Self {
        let sink = MailSink::start(([127, 0, 0, 1], 0).into(), &folder)
            .await
            .expect("a mail server");
        Self {
            address: sink.addr(),
            folder,
            sink: Some(sink),
        }
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        self.sink = None;
    }

    /// Starts it again, if it does not run. It may not succeed while the former one still lets go of the port.
    pub(crate) async fn revive(&mut self) -> Result<(), mail_sink::Error> {
        if self.sink.is_none() {
            self.sink = Some(MailSink::start(self.address, &self.folder).await?);
        }
        Ok(())
    }

    /// Has it refuse, if it runs.
    pub(crate) fn inject(&self, fault: Fault) {
        if let Some(sink) = &self.sink {
            sink.inject(fault);
        }
    }

    /// How many mails it was being sent at the same time at most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.sink.as_ref().map_or(0, MailSink::most_at_once)
    }

    /// The files of the mails so far, oldest first.
    pub(crate) fn mails(&self) -> Vec<PathBuf> {
        let mut mails: Vec<PathBuf> = std::fs::read_dir(&self.folder)
            .expect("a readable folder")
            .map(|entry| entry.expect("a readable folder").path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
            .collect();
        mails.sort();
        mails
    }

    /// When a mail came, which its file's name says.
    pub(crate) fn came(mail: &Path) -> Timestamp {
        let name = mail.file_stem().expect("a name").to_string_lossy();
        let at = name.split('-').next().expect("an instant");
        jiff::fmt::strtime::parse("%Y%m%dT%H%M%S%.fZ", at)
            .and_then(|parts| parts.to_datetime()?.in_tz("UTC"))
            .expect("an instant")
            .timestamp()
    }

    /// What a mail is about.
    pub(crate) fn subject(mail: &Path) -> String {
        let mail = std::fs::read_to_string(mail).expect("a whole mail");
        let subject = mail.lines().find_map(|line| line.strip_prefix("Subject: "));
        subject.expect("a subject").to_owned()
    }

    /// How many seconds after an instant mails came, sorted.
    pub(crate) fn late(&self, at: Timestamp) -> Vec<f64> {
        let mails = self.mails();
        let mut late: Vec<f64> = mails
            .iter()
            .map(|mail| Self::came(mail).duration_since(at).as_secs_f64())
            .collect();
        late.sort_by(f64::total_cmp);
        late
    }

    /// Where it is, as the secret store says it.
    pub(crate) fn secrets(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("smtp-host", self.address.ip().to_string()),
            ("smtp-port", self.address.port().to_string()),
        ])
    }
}

/// A trial on real parts. If the machine lacks something it is ignored, says why, and is counted so.
pub(crate) fn trial<T: Future<Output = ()>>(
    name: &str,
    missing: Option<String>,
    test: impl FnOnce() -> T + Send + 'static,
) -> Trial {
    if let Some(missing) = &missing {
        eprintln!("{name} is ignored: {missing}");
    }
    let trial = Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime.block_on(test());
        runtime.shutdown_timeout(Duration::from_secs(1));
        Ok(())
    });
    trial.with_ignored_flag(missing.is_some())
}

/// The instant so many seconds from now, as the API keeps it.
pub(crate) fn in_seconds(seconds: i64) -> Timestamp {
    let at = Timestamp::now() + SignedDuration::from_secs(seconds);
    Timestamp::from_second(at.as_second()).expect("soon")
}

/// Adds to the secrets of a data folder.
pub(crate) fn add_secrets(folder: &Path, more: &BTreeMap<&str, String>) {
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
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> T {
    match tokio::task::spawn_blocking(work).await.expect("no panic") {
        Ok(value) => value,
        Err(error) => panic!("{error:#}"),
    }
}
