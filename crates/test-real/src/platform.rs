//! Everything that services need, and their sidecars.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nudge::DataDir;
use nudge_contract::names::{app, route};
use nudge_test_kit::components;
use test_dapr::{AppHealth, Dapr, Daprd, Kafka, Options, RabbitMq, Redis, Scheduler};
use test_postgres::Server;

use crate::{Broker, MailServer, Parts, blocking};

/// The token that sidecars ask their callers for.
pub const API_TOKEN: &str = "api-token";

/// The token that sidecars show to the services.
pub const APP_TOKEN: &str = "app-token";

/// Everything but sidecars and services. The fields are dropped, and so the parts ended, in their order.
pub struct Platform {
    dapr: Dapr,
    /// Dapr's scheduler.
    pub scheduler: Scheduler,
    /// The broker, if it is Kafka.
    pub kafka: Option<Kafka>,
    /// The broker, the state store, or both, if it is Redis.
    pub redis: Option<Redis>,
    /// The broker, if it is RabbitMQ.
    pub rabbitmq: Option<RabbitMq>,
    /// The database server.
    pub postgres: Server,
    /// Where emails go.
    pub mail: MailServer,
    /// Keys and tokens of the services, in `folder`.
    pub data: DataDir,
    /// The folders of resources that the next sidecars load.
    pub resources: Vec<PathBuf>,
    configuration: PathBuf,
    /// The working folder of the sidecars, deleted at the end.
    pub folder: tempfile::TempDir,
}

impl Platform {
    /// Starts a choice of parts, none of which may be [missing](Parts::missing).
    pub async fn start(parts: Parts) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = DataDir::open(folder.path()).expect("a data folder");
        let mail = MailServer::start(data.mail()).await;
        let postgres = Server::start().await;
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
    pub async fn sidecar(&self, app_id: &str, http_port: u16, app_port: u16) -> Daprd {
        let health = AppHealth {
            path: route::health_of(app_id).to_owned(),
            interval_s: 5,
            // An app that was unhealthy may never get an event again (decision 0022).
            threshold: 1_000,
            // Dapr's 500 ms are short on a busy machine.
            timeout_ms: 3_000,
        };
        self.daprd(app_id, http_port, app_port, Some(health)).await
    }

    /// Starts a sidecar of an app that is not asked how it is.
    pub async fn sidecar_of_a_test(&self, app_id: &str, http_port: u16, app_port: u16) -> Daprd {
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

/// Adds to the secrets of a data folder.
pub fn add_secrets(folder: &Path, more: &BTreeMap<&str, String>) {
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
