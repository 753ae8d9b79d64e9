//! One app's sidecar, as its handlers and tasks see it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use step_clock::Clock;
use tokio::sync::watch;

use crate::app::{App, AppChannel, Apps};
use crate::bindings::smtp::Mailer;
use crate::jobs::Jobs;
use crate::policy::Policy;
use crate::pubsub::broker::Broker;
use crate::resources::resiliency::Resiliency;
use crate::resources::{Component, Subscription};
use crate::store::Store;

/// State that all sidecars of the process share.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    /// By which batches wait.
    pub(crate) await_clock: Clock,
    pub(crate) broker: Broker,
    pub(crate) jobs: Jobs,
    pub(crate) apps: Apps,
    /// False if a configuration turned trace context off.
    pub(crate) tracing: bool,
    pub(crate) stop: watch::Sender<Stop>,
}

/// How far shutting down has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stop {
    Running,
    /// Nothing new is started.
    Stopping,
    /// Calls in flight are cancelled; they are repeated after a restart.
    Overdue,
}

impl Shared {
    /// Now, on the clock.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::try_from(self.clock.now()).unwrap_or(Timestamp::MAX)
    }

    pub(crate) async fn stopped(&self) {
        self.reached(Stop::Stopping).await;
    }

    pub(crate) async fn overdue(&self) {
        self.reached(Stop::Overdue).await;
    }

    async fn reached(&self, stop: Stop) {
        // The sender lives in `self`, so the wait cannot fail.
        let _ = self.stop.subscribe().wait_for(|current| *current >= stop).await;
    }
}

/// One app's sidecar.
pub(crate) struct Sidecar {
    pub(crate) app: App,
    pub(crate) channel: Arc<AppChannel>,
    pub(crate) shared: Arc<Shared>,
    /// The components in this app's scope, by name.
    pub(crate) components: BTreeMap<String, Arc<Component>>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) resiliencies: Vec<Resiliency>,
    pub(crate) mailers: BTreeMap<String, Mailer>,
    /// The attributes set with `PUT /v1.0/metadata/{key}`.
    pub(crate) attributes: Mutex<BTreeMap<String, String>>,
}

impl Sidecar {
    /// A component in this app's scope.
    pub(crate) fn component(&self, name: &str) -> Option<&Component> {
        self.components.get(name).map(Arc::as_ref)
    }

    /// The policy for deliveries from a pubsub.
    pub(crate) fn inbound_policy(&self, component: &str) -> Policy {
        self.policy(|resiliency| resiliency.inbound(component))
    }

    /// The policy for requests to a component.
    pub(crate) fn outbound_policy(&self, component: &str) -> Policy {
        self.policy(|resiliency| resiliency.outbound(component))
    }

    /// The policy for calls of another app.
    pub(crate) fn app_policy(&self, app_id: &str) -> Policy {
        self.policy(|resiliency| resiliency.app(app_id))
    }

    fn policy<'s>(&'s self, find: impl Fn(&'s Resiliency) -> Option<&'s Policy>) -> Policy {
        self.resiliencies
            .iter()
            .find_map(find)
            .cloned()
            .unwrap_or_default()
    }
}
