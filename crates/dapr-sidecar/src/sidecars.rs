//! Starting, serving and stopping.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, Uri};
use bytes::Bytes;
use step_clock::Clock;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::app::{App, AppChannel, AppHealth, Phase, chain};
use crate::bindings::smtp::Mailer;
use crate::error::Error;
use crate::jobs::{self, Jobs};
use crate::pubsub::batch::{BulkDelivery, Turn};
use crate::pubsub::broker::{Broker, PARTITIONS, Topic};
use crate::pubsub::deliver::Delivery;
use crate::resources::resiliency::Resiliency;
use crate::resources::{self, Block, Resources, in_scope};
use crate::sidecar::{Shared, Sidecar, Stop};
use crate::store::{Store, Synchronous};
use crate::{server, state};

/// How often the sidecar tries to connect to an app that does not listen yet, in real time.
const CONNECT_INTERVAL: Duration = Duration::from_millis(100);

/// How long [`Sidecars::shutdown`] waits for calls in flight, in real time.
const GRACE: Duration = Duration::from_secs(5);

/// How often expired state and old messages are removed, on the clock.
const SWEEP: Duration = Duration::from_secs(600);

/// The arguments of [`Sidecars::bind`].
#[derive(Clone, Debug)]
pub struct Options {
    /// The folders of Dapr resources; every `*.yaml` in them is loaded.
    pub resources: Vec<PathBuf>,
    /// Where relative paths in components start, as daprd's working directory does.
    pub working_dir: PathBuf,
    /// The SQLite file of messages, state and jobs. Created if it does not exist.
    pub data: PathBuf,
    /// Whether a commit waits for the disk.
    pub synchronous: Synchronous,
    /// The clock of due times, time-to-live and retries.
    pub clock: Clock,
    /// The clock of `maxAwaitDurationMs`, by which batches that are not full wait. The system's, beside a stepped clock that stands still
    /// while events are on their way.
    pub await_clock: Clock,
    /// The apps, each with a sidecar of its own.
    pub apps: Vec<App>,
}

/// The sidecars of one machine, in one process; no other process may use their database file meanwhile. Dropping
/// them stops all work at once, as a crash would; [`Sidecars::shutdown`] waits for calls in flight.
pub struct Sidecars {
    addresses: BTreeMap<String, SocketAddr>,
    sidecars: Vec<Arc<Sidecar>>,
    shared: Arc<Shared>,
    servers: JoinSet<()>,
    workers: JoinSet<()>,
}

impl std::fmt::Debug for Sidecars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sidecars")
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

impl Sidecars {
    /// Loads the resources, opens the database and listens for every app. The API answers from now on; nothing
    /// is delivered before [`Sidecars::serve`].
    pub async fn bind(options: Options) -> Result<Self, Error> {
        let mut resources = resources::load(&options.resources, &options.working_dir)?;
        let open = |source| Error::Database {
            path: options.data.clone(),
            source,
        };
        let store = Store::open(&options.data, options.synchronous).map_err(open)?;
        let mut apps = BTreeMap::new();
        for app in &options.apps {
            if apps
                .insert(app.app_id.clone(), Arc::new(AppChannel::new(app)))
                .is_some()
            {
                return Err(Error::AppTwice(app.app_id.clone()));
            }
        }
        let shared = Arc::new(Shared {
            broker: Broker::new(store.clone(), options.clock.clone()),
            store,
            clock: options.clock,
            await_clock: options.await_clock,
            jobs: Jobs::new(),
            apps,
            tracing: resources.tracing,
            stop: watch::Sender::new(Stop::Running),
        });
        let components: Vec<_> = std::mem::take(&mut resources.components)
            .into_iter()
            .map(Arc::new)
            .collect();
        let (mut addresses, mut sidecars, mut servers) = (BTreeMap::new(), Vec::new(), JoinSet::new());
        for app in options.apps {
            let sidecar = sidecar(app, &shared, &components, &resources);
            let (app_id, addr) = (sidecar.app.app_id.clone(), sidecar.app.listen);
            for subscription in &sidecar.subscriptions {
                let topic = Topic {
                    pubsub: subscription.pubsub.clone(),
                    name: subscription.topic.clone(),
                };
                shared.broker.subscribe(&app_id, &topic).await?;
            }
            let listen = |source| Error::Listen {
                app_id: app_id.clone(),
                addr,
                source,
            };
            let listener = TcpListener::bind(addr).await.map_err(listen)?;
            addresses.insert(app_id.clone(), listener.local_addr().map_err(listen)?);
            servers.spawn(serve_api(listener, sidecar.clone()));
            sidecars.push(sidecar);
        }
        Ok(Self {
            addresses,
            sidecars,
            shared,
            servers,
            workers: JoinSet::new(),
        })
    }

    /// Where the sidecar of `app_id` listens; `None` for an app that was not among the options.
    pub fn address(&self, app_id: &str) -> Option<SocketAddr> {
        self.addresses.get(app_id).copied()
    }

    /// Sets the addresses of the apps (`http://host:port` by app id) and starts delivering to each as soon as it
    /// answers. An app without a URL is never called.
    pub fn serve(&mut self, app_urls: BTreeMap<String, Uri>) {
        for (app_id, url) in app_urls {
            match self.shared.apps.get(&app_id) {
                Some(channel) => channel.set_base(url),
                None => tracing::warn!(app_id, "an address is given for an app that has no sidecar"),
            }
        }
        for sidecar in &self.sidecars {
            self.workers
                .spawn(until_stopped(self.shared.clone(), watch_app(sidecar.clone())));
            self.workers.spawn(jobs::runner::run(sidecar.clone()));
            deliver(&mut self.workers, sidecar);
        }
        self.workers
            .spawn(until_stopped(self.shared.clone(), sweep(self.shared.clone())));
    }

    /// Begins nothing new, waits up to five seconds for what is in flight, and stops. Returns `false` if something was still in
    /// flight then; it comes again after a restart.
    pub async fn shutdown(mut self) -> bool {
        self.shared.stop.send_replace(Stop::Stopping);
        let finished = async {
            while self.workers.join_next().await.is_some() {}
            while self.servers.join_next().await.is_some() {}
        };
        let in_time = tokio::time::timeout(GRACE, finished).await.is_ok();
        if !in_time {
            tracing::warn!("calls still in flight are given up");
            self.shared.stop.send_replace(Stop::Overdue);
        }
        self.workers.shutdown().await;
        self.servers.shutdown().await;
        in_time
    }
}

impl Drop for Sidecars {
    /// Closes open connections; the tasks end with their sets.
    fn drop(&mut self) {
        self.shared.stop.send_replace(Stop::Overdue);
    }
}

fn sidecar(
    app: App,
    shared: &Arc<Shared>,
    components: &[Arc<resources::Component>],
    resources: &Resources,
) -> Arc<Sidecar> {
    let in_app_scope = |scopes: &[String]| in_scope(scopes, &app.app_id);
    let components: BTreeMap<_, _> = components
        .iter()
        .filter(|component| in_app_scope(&component.scopes))
        .map(|component| (component.name.clone(), component.clone()))
        .collect();
    let mailers = components
        .values()
        .filter_map(|component| match &component.block {
            Block::Smtp(settings) => Some((component.name.clone(), Mailer::new(settings.clone()))),
            _ => None,
        });
    let mailers = mailers.collect();
    let subscriptions = resources
        .subscriptions
        .iter()
        .filter(|subscription| in_app_scope(&subscription.scopes));
    let mut taken = BTreeSet::new();
    let subscriptions = subscriptions.filter(|subscription| {
        let first = taken.insert((subscription.pubsub.clone(), subscription.topic.clone()));
        // As in daprd, which logs it and continues.
        let reason = match components.get(&subscription.pubsub).map(|c| &c.block) {
            Some(Block::Pubsub(topics)) if !topics.may_subscribe(&app.app_id, &subscription.topic) => {
                Some("the app may not subscribe to its topic")
            }
            Some(Block::Pubsub(_)) if !first => Some("the topic is subscribed to already"),
            Some(Block::Pubsub(_)) => None,
            _ => Some("its pubsub is not found"),
        };
        if let Some(reason) = reason {
            tracing::error!(
                subscription = subscription.name,
                app_id = app.app_id,
                reason,
                "a subscription is ignored"
            );
        }
        reason.is_none()
    });
    let subscriptions = subscriptions.cloned().collect();
    let resiliencies = resources
        .resiliencies
        .iter()
        .filter(|resiliency| in_app_scope(&resiliency.scopes));
    let resiliencies = resiliencies.map(Resiliency::fresh).collect();
    let channel = shared
        .apps
        .get(&app.app_id)
        .cloned()
        .unwrap_or_else(|| Arc::new(AppChannel::new(&app)));
    let attributes = std::sync::Mutex::default();
    Arc::new(Sidecar {
        app,
        channel,
        shared: shared.clone(),
        components,
        subscriptions,
        resiliencies,
        mailers,
        attributes,
    })
}

/// Starts the tasks that deliver to an app: one for each partition of each of its subscriptions.
fn deliver(workers: &mut JoinSet<()>, sidecar: &Arc<Sidecar>) {
    let mut turns: BTreeMap<&str, Turn> = BTreeMap::new();
    for subscription in &sidecar.subscriptions {
        let delivery = Delivery::new(sidecar.clone(), subscription.clone());
        if let Some(limits) = subscription.bulk {
            let turn = turns.entry(&subscription.pubsub).or_default().clone();
            let delivery = Arc::new(BulkDelivery::new(delivery, limits, turn));
            for partition in 0..PARTITIONS {
                let delivery = delivery.clone();
                let ticker = sidecar.shared.await_clock.ticker(limits.max_await);
                workers.spawn(async move { delivery.run(partition, ticker).await });
            }
        } else {
            let delivery = Arc::new(delivery);
            for partition in 0..PARTITIONS {
                let delivery = delivery.clone();
                workers.spawn(async move { delivery.run(partition).await });
            }
        }
    }
}

async fn serve_api(listener: TcpListener, sidecar: Arc<Sidecar>) {
    let shared = sidecar.shared.clone();
    server::serve(listener, sidecar, async move { shared.stopped().await }).await;
}

async fn until_stopped(shared: Arc<Shared>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = shared.stopped() => {}
        () = work => {}
    }
}

/// Waits until the app listens, sends daprd's requests at startup, and then checks its health.
async fn watch_app(sidecar: Arc<Sidecar>) {
    let channel = &sidecar.channel;
    while !channel.listens().await {
        tokio::time::sleep(CONNECT_INTERVAL).await;
    }
    startup_request(&sidecar, "/dapr/config").await;
    startup_request(&sidecar, "/dapr/subscribe").await;
    match &sidecar.app.health {
        None => channel.set_phase(Phase::Healthy),
        Some(health) => watch_health(&sidecar, health).await,
    }
}

/// Sends a request that daprd sends at startup. Only declarative subscriptions exist here, so an app's own are refused.
async fn startup_request(sidecar: &Sidecar, path: &'static str) {
    let app_id = &sidecar.app.app_id;
    let request = Request::get(path)
        .header("content-type", "application/json")
        .header("dapr-app-id", app_id);
    let answer = match request.body(Bytes::new()) {
        Ok(request) => sidecar.channel.send(request).await,
        Err(error) => {
            tracing::warn!(app_id, path, %error, "the request at startup cannot be built");
            return;
        }
    };
    match answer {
        Ok(answer) if answer.status().is_success() => {
            let list: Option<Vec<serde_json::Value>> = serde_json::from_slice(answer.body()).ok();
            if path == "/dapr/subscribe" && list.is_some_and(|list| !list.is_empty()) {
                tracing::error!(
                    app_id,
                    "programmatic subscriptions do not exist here and are ignored: declare them"
                );
            }
        }
        Ok(answer) => tracing::debug!(
            app_id,
            path,
            status = answer.status().as_u16(),
            "the app does not handle the request at startup"
        ),
        Err(error) => tracing::warn!(
            app_id,
            path,
            error = chain(&error),
            "the app does not answer the request at startup"
        ),
    }
}

async fn watch_health(sidecar: &Sidecar, health: &AppHealth) {
    let (channel, app_id) = (&sidecar.channel, &sidecar.app.app_id);
    let mut failures = 0;
    loop {
        if probe(sidecar, health).await {
            failures = 0;
            if channel.phase() != Phase::Healthy {
                tracing::info!(app_id, "the app is healthy");
            }
            channel.set_phase(Phase::Healthy);
        } else {
            failures += 1;
            if failures >= health.threshold && channel.phase() != Phase::Unhealthy {
                tracing::warn!(app_id, "the app is unhealthy: topics and jobs are held");
                channel.set_phase(Phase::Unhealthy);
            }
        }
        sidecar.shared.clock.sleep(health.interval).await;
    }
}

async fn probe(sidecar: &Sidecar, health: &AppHealth) -> bool {
    let Ok(request) = Request::get(health.path.as_str()).body(Bytes::new()) else {
        return false;
    };
    let answer = tokio::time::timeout(health.timeout, sidecar.channel.send_bare(request)).await;
    matches!(answer, Ok(Ok(answer)) if answer.status().is_success())
}

/// Removes expired state and old messages periodically.
async fn sweep(shared: Arc<Shared>) {
    loop {
        shared.clock.sleep(SWEEP).await;
        let now = shared.clock.now();
        let swept = shared.store.run(move |db| state::table::sweep(db, now)).await;
        let pruned = shared.broker.prune().await;
        for error in [swept.err(), pruned.err()].into_iter().flatten() {
            tracing::error!(
                error = chain(&error),
                "expired state and old messages could not be removed"
            );
        }
    }
}
