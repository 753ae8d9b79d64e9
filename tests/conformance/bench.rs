//! A sidecar of either kind, an app, and the bridge.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use dapr_sidecar::{App, Clock, Sidecars};
use http::Method;
use nudge_test_kit::bindings::bridge::exports::nudge::dapr::types::Error;
use nudge_test_kit::bridge::{self, Bridge};
use nudge_test_kit::http::{Answer, Call};
use serde_json::{Value, json};
use test_app::Scripted;
use test_dapr::{Dapr, Daprd, Kafka, RabbitMq, Redis, Scheduler};

/// The sidecar under test.
#[derive(Clone)]
pub(crate) enum Subject {
    Embedded,
    /// daprd, with broker and state in its memory.
    Daprd(Dapr),
    /// daprd on a Kafka of its own.
    Kafka(Dapr),
    /// daprd on Redis Streams of its own, with its state there, too.
    Redis(Dapr),
    /// daprd on a RabbitMQ of its own.
    RabbitMq(Dapr),
    /// daprd with state in a PostgreSQL of its own.
    Postgresql(Dapr),
}

impl Subject {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Daprd(_) => "daprd",
            Self::Kafka(_) => "daprd-kafka",
            Self::Redis(_) => "daprd-redis",
            Self::RabbitMq(_) => "daprd-rabbitmq",
            Self::Postgresql(_) => "daprd-postgresql",
        }
    }

    /// Starts the broker and the store of the sidecar.
    async fn behind(&self) -> Behind {
        let mut behind = Behind {
            pubsub: IN_MEMORY_PUBSUB.to_owned(),
            statestore: IN_MEMORY_STATE.to_owned(),
            ..Behind::default()
        };
        match self {
            Self::Embedded | Self::Daprd(_) => {}
            Self::Kafka(_) => {
                let kafka = tokio::task::spawn_blocking(Kafka::start).await;
                let kafka = kafka.expect("no panic").expect("Kafka starts");
                behind.pubsub = include_str!("../../dapr-components/kafka/pubsub.yaml").to_owned();
                behind.secrets = vec![("kafka-brokers", kafka.address().to_string())];
                behind._kafka = Some(kafka);
            }
            Self::Redis(_) => {
                let redis = tokio::task::spawn_blocking(Redis::start).await;
                let redis = redis.expect("no panic").expect("Redis starts");
                // Sooner than a test gives up. daprd ignores an interval of redelivery with a unit.
                behind.pubsub = include_str!("../../dapr-components/redis-streams/pubsub.yaml")
                    .replace("value: 90s", "value: 5s")
                    .replace("value: \"15000\"", "value: \"1000\"");
                // The apps here are others.
                behind.statestore = include_str!("../../dapr-components/redis/statestore.yaml")
                    .lines()
                    .filter(|line| !line.starts_with("scopes:"))
                    .map(|line| format!("{line}\n"))
                    .collect();
                behind.secrets = vec![
                    ("redis-host", redis.address().to_string()),
                    ("redis-password", Redis::PASSWORD.to_owned()),
                ];
                behind._redis = Some(redis);
            }
            Self::RabbitMq(_) => {
                let rabbitmq = tokio::task::spawn_blocking(RabbitMq::start).await;
                let rabbitmq = rabbitmq.expect("no panic").expect("RabbitMQ starts");
                behind.pubsub = include_str!("../../dapr-components/rabbitmq/pubsub.yaml").to_owned();
                behind.secrets = vec![("rabbitmq-url", rabbitmq.url())];
                behind._rabbitmq = Some(rabbitmq);
            }
            Self::Postgresql(_) => {
                let server = test_postgres::Server::start().await;
                // The apps here are others.
                behind.statestore = include_str!("../../dapr-components/postgresql/statestore.yaml")
                    .lines()
                    .filter(|line| !line.starts_with("scopes:"))
                    .map(|line| format!("{line}\n"))
                    .collect();
                behind.secrets = vec![("postgres-connection", server.url().to_owned())];
                behind._postgres = Some(server);
            }
        }
        behind
    }
}

/// The app of most cases.
pub(crate) const ORDERS: &str = "orders";

/// A second app, for cases that need two.
pub(crate) const BILLING: &str = "billing";

const IN_MEMORY_PUBSUB: &str = "
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: pubsub}
spec: {type: pubsub.in-memory, version: v1, metadata: []}
";

const IN_MEMORY_STATE: &str = "
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: statestore}
spec: {type: state.in-memory, version: v1, metadata: []}
";

const SECRET_STORE: &str = "
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: secretstore}
spec:
  type: secretstores.local.file
  version: v1
  metadata: [{name: secretsFile, value: secrets.json}]
";

/// The broker and the store of a sidecar, and the components that connect to them.
#[derive(Default)]
struct Behind {
    pubsub: String,
    statestore: String,
    secrets: Vec<(&'static str, String)>,
    _kafka: Option<Kafka>,
    _redis: Option<Redis>,
    _rabbitmq: Option<RabbitMq>,
    _postgres: Option<test_postgres::Server>,
}

/// The setup of a case.
#[derive(Default)]
pub(crate) struct Setup {
    more: String,
    resiliency: Option<&'static str>,
    api_token: Option<&'static str>,
    app_token: Option<&'static str>,
    health_path: Option<&'static str>,
    max_concurrency: Option<u32>,
    scopes: Option<[&'static str; 2]>,
    jobs: bool,
}

impl Setup {
    /// A subscription of the app `orders`.
    pub(crate) fn subscription(
        mut self,
        topic: &str,
        routes: &str,
        dead_letter: Option<&str>,
        raw: bool,
    ) -> Self {
        let dead_letter =
            dead_letter.map_or_else(String::new, |topic| format!("  deadLetterTopic: {topic}\n"));
        let raw = if raw {
            "  metadata: {rawPayload: 'true'}\n"
        } else {
            ""
        };
        self.more.push_str(&format!(
            "---\napiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {{name: sub-{topic}}}\nspec:\n  \
             pubsubname: pubsub\n  topic: {topic}\n  routes: {routes}\n{dead_letter}{raw}scopes: [{ORDERS}]\n"
        ));
        self
    }

    /// Makes the last subscription one for batches of up to `max` events.
    pub(crate) fn bulk(mut self, max: u32, max_await: Duration) -> Self {
        let end = format!("scopes: [{ORDERS}]\n");
        let subscription = self.more.strip_suffix(&end).expect("a subscription comes last");
        self.more = format!(
            "{subscription}  bulkSubscribe: {{enabled: true, maxMessagesCount: {max}, maxAwaitDurationMs: {}}}\n{end}",
            max_await.as_millis()
        );
        self
    }

    /// A subscription that delivers to `/on/{topic}`.
    pub(crate) fn topic(self, topic: &str) -> Self {
        let routes = format!("{{default: /on/{topic}}}");
        self.subscription(topic, &routes, None, false)
    }

    /// A resiliency policy. daprd reads one from a file and ignores whatever else is in it.
    pub(crate) fn resiliency(mut self, yaml: &'static str) -> Self {
        self.resiliency = Some(yaml);
        self
    }

    /// Any other resource.
    pub(crate) fn resource(mut self, yaml: &str) -> Self {
        self.more.push_str("---\n");
        self.more.push_str(yaml);
        self
    }

    pub(crate) fn tokens(mut self, api: &'static str, app: &'static str) -> Self {
        (self.api_token, self.app_token) = (Some(api), Some(app));
        self
    }

    /// Checks the health of the app every second.
    pub(crate) fn health(mut self, path: &'static str) -> Self {
        self.health_path = Some(path);
        self
    }

    /// Limits the number of concurrent calls to the app.
    pub(crate) fn max_concurrency(mut self, limit: u32) -> Self {
        self.max_concurrency = Some(limit);
        self
    }

    /// `publishingScopes` and `subscriptionScopes` of the broker.
    pub(crate) fn scopes(mut self, publishing: &'static str, subscription: &'static str) -> Self {
        self.scopes = Some([publishing, subscription]);
        self
    }

    /// With a scheduler.
    pub(crate) fn jobs(mut self) -> Self {
        self.jobs = true;
        self
    }

    /// Starts a sidecar for `orders`, and waits until it is ready.
    pub(crate) async fn start(self, subject: &Subject) -> World {
        self.start_for(subject, &[ORDERS]).await
    }

    /// Starts a sidecar for each app.
    pub(crate) async fn start_for(self, subject: &Subject, apps: &[&str]) -> World {
        let dir = tempfile::tempdir().expect("a folder");
        let resources = dir.path().join("resources");
        std::fs::create_dir(&resources).expect("a folder");
        let behind = subject.behind().await;
        let pubsub = scoped(&behind.pubsub, self.scopes);
        let all = [pubsub.as_str(), behind.statestore.as_str(), SECRET_STORE].join("---\n");
        std::fs::write(resources.join("all.yaml"), all + &self.more).expect("written");
        if let Some(yaml) = self.resiliency {
            std::fs::write(resources.join("resiliency.yaml"), yaml).expect("written");
        }
        let mut secrets = BTreeMap::from([("jwt-key", "s3cret".to_owned()), ("empty", String::new())]);
        secrets.extend(behind.secrets.clone());
        let secrets = serde_json::to_string(&secrets).expect("JSON");
        std::fs::write(dir.path().join("secrets.json"), secrets).expect("written");
        let mut scripted = BTreeMap::new();
        for app in apps {
            scripted.insert((*app).to_owned(), Scripted::start().await);
        }
        let (addresses, running) = match subject {
            Subject::Embedded => self.embedded(dir.path(), &scripted).await,
            Subject::Daprd(dapr)
            | Subject::Kafka(dapr)
            | Subject::Redis(dapr)
            | Subject::RabbitMq(dapr)
            | Subject::Postgresql(dapr) => self.real(dapr, dir.path(), &scripted).await,
        };
        World {
            apps: scripted,
            addresses,
            token: self.api_token,
            _running: running,
            _behind: behind,
            _dir: dir,
        }
    }

    async fn embedded(
        &self,
        dir: &Path,
        apps: &BTreeMap<String, Scripted>,
    ) -> (BTreeMap<String, SocketAddr>, Running) {
        let options = dapr_sidecar::Options {
            resources: vec![dir.join("resources")],
            working_dir: dir.to_owned(),
            data: dir.join("dapr.db"),
            synchronous: dapr_sidecar::Synchronous::Full,
            clock: Clock::system(),
            await_clock: Clock::system(),
            apps: apps
                .keys()
                .map(|id| App {
                    api_token: self.api_token.map(str::to_owned),
                    app_token: self.app_token.map(str::to_owned),
                    health: self.health_path.map(|path| dapr_sidecar::AppHealth {
                        path: path.to_owned(),
                        interval: Duration::from_secs(1),
                        threshold: 1,
                        timeout: Duration::from_millis(500),
                    }),
                    max_concurrency: self.max_concurrency.map(|limit| limit as usize),
                    ..App::new(id)
                })
                .collect(),
        };
        let mut sidecars = Sidecars::bind(options).await.expect("good resources");
        let urls = apps
            .iter()
            .map(|(id, app)| (id.clone(), app.url.parse().expect("a URL")));
        sidecars.serve(urls.collect());
        let addresses: BTreeMap<String, SocketAddr> = apps
            .keys()
            .map(|id| (id.clone(), sidecars.address(id).expect("bound")))
            .collect();
        for address in addresses.values() {
            let ready = async {
                let ask = || Call::new(*address, Method::GET, "/v1.0/healthz").send();
                while ask().await.expect("an answer").status != 204 {}
            };
            tokio::time::timeout(test_app::PATIENCE, ready)
                .await
                .expect("ready in time");
        }
        (addresses, Running::Embedded { _sidecars: sidecars })
    }

    async fn real(
        &self,
        dapr: &Dapr,
        dir: &Path,
        apps: &BTreeMap<String, Scripted>,
    ) -> (BTreeMap<String, SocketAddr>, Running) {
        let configuration = dir.join("configuration.yaml");
        // By default daprd looks for others by multicast.
        let yaml = format!(
            "apiVersion: dapr.io/v1alpha1\nkind: Configuration\nmetadata: {{name: conformance}}\nspec:\n  \
             nameResolution: {{component: sqlite, configuration: {{connectionString: {}}}}}\n  \
             tracing: {{samplingRate: \"1\"}}\n",
            dir.join("names.db").display()
        );
        std::fs::write(&configuration, yaml).expect("written");
        let scheduler = if self.jobs {
            let dapr = dapr.clone();
            let scheduler = tokio::task::spawn_blocking(move || dapr.scheduler()).await;
            Some(scheduler.expect("no panic").expect("a scheduler"))
        } else {
            None
        };
        let mut addresses = BTreeMap::new();
        let mut running = Vec::new();
        for (id, app) in apps {
            let port = app.url.rsplit(':').next().and_then(|port| port.parse().ok());
            let options = test_dapr::Options {
                app_id: id.clone(),
                http_port: None,
                app_port: Some(port.expect("a port")),
                resources: vec![dir.join("resources")],
                configuration: Some(configuration.clone()),
                working_dir: Some(dir.to_owned()),
                scheduler: scheduler.as_ref().map(Scheduler::address),
                api_token: self.api_token.map(str::to_owned),
                app_token: self.app_token.map(str::to_owned),
                health: self.health_path.map(|path| test_dapr::AppHealth {
                    path: path.to_owned(),
                    interval_s: 1,
                    threshold: 1,
                    timeout_ms: 500,
                }),
                max_concurrency: self.max_concurrency,
            };
            let dapr = dapr.clone();
            let daprd = tokio::task::spawn_blocking(move || dapr.daprd(&options)).await;
            let daprd = daprd.expect("no panic").expect("a sidecar");
            addresses.insert(id.clone(), daprd.address());
            running.push(daprd);
        }
        let running = Running::Real {
            _daprds: running,
            _scheduler: scheduler.map(Box::new),
        };
        (addresses, running)
    }
}

/// A pubsub component with these scopes, in the place of those that it has.
fn scoped(component: &str, scopes: Option<[&str; 2]>) -> String {
    let mut parsed: Value = serde_norway::from_str(component).expect("YAML");
    let metadata = parsed["spec"]["metadata"].as_array_mut().expect("a list");
    // They are those of Nudge's apps.
    metadata.retain(|item| {
        !["publishingScopes", "subscriptionScopes"].contains(&item["name"].as_str().expect("a name"))
    });
    if let Some([publishing, subscription]) = scopes {
        metadata.push(json!({ "name": "publishingScopes", "value": publishing }));
        metadata.push(json!({ "name": "subscriptionScopes", "value": subscription }));
    }
    // JSON is YAML.
    format!("{parsed}\n")
}

/// Processes that end when it is dropped.
enum Running {
    Embedded {
        _sidecars: Sidecars,
    },
    Real {
        _daprds: Vec<Daprd>,
        _scheduler: Option<Box<Scheduler>>,
    },
}

/// A sidecar, or two, with their apps.
pub(crate) struct World {
    apps: BTreeMap<String, Scripted>,
    addresses: BTreeMap<String, SocketAddr>,
    token: Option<&'static str>,
    // Ended in this order.
    _running: Running,
    _behind: Behind,
    _dir: tempfile::TempDir,
}

impl World {
    /// The app `orders`.
    pub(crate) fn app(&self) -> &Scripted {
        &self.apps[ORDERS]
    }

    pub(crate) fn other_app(&self) -> &Scripted {
        &self.apps[BILLING]
    }

    /// The bridge next to the app `orders`.
    pub(crate) async fn bridge(&self) -> Bridge {
        self.bridge_of(ORDERS).await
    }

    pub(crate) async fn bridge_of(&self, app: &str) -> Bridge {
        let mut variables = format!("dapr_http_endpoint = \"http://{}\"\n", self.addresses[app]);
        if let Some(token) = self.token {
            variables.push_str(&format!("dapr_api_token = \"{token}\"\n"));
        }
        let cache = Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
        Bridge::start(&variables, cache).await.expect("an instance")
    }

    /// A request to the sidecar of `orders`, without a token.
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.addresses[ORDERS], method, path)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path).send().await.expect("an answer")
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path).send().await.expect("an answer")
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.post_as(path, "application/json", body.to_owned()).await
    }

    pub(crate) async fn post_as(
        &self,
        path: &str,
        content_type: &str,
        body: impl Into<bytes::Bytes>,
    ) -> Answer {
        let call = self.call(Method::POST, path).body(content_type, body);
        call.send().await.expect("an answer")
    }
}

/// The status of a response, and its body as JSON; `null` if it has none.
pub(crate) fn told(answer: &Answer) -> (u16, Value) {
    let body = if answer.body.is_empty() {
        Value::Null
    } else {
        answer.json().expect("JSON")
    };
    (answer.status.as_u16(), body)
}

/// The name of the bridge's error, and the status of the sidecar's response.
pub(crate) fn kind(error: &Error) -> (&'static str, Option<u16>) {
    let (kind, failure) = bridge::failure(error);
    (kind, failure.status)
}
