//! Failures on demand.

use tokio::sync::watch;

use super::{Error, Failure};

/// A function of `nudge:dapr`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// `pubsub.publish`
    Publish,
    /// `pubsub.publish-all`
    PublishAll,
    /// `pubsub.publish-raw`
    PublishRaw,
    /// `state.get`
    StateGet,
    /// `state.get-many`
    StateGetMany,
    /// `state.put`
    StatePut,
    /// `state.put-many`
    StatePutMany,
    /// `state.delete`
    StateDelete,
    /// `state.transact`
    StateTransact,
    /// `jobs.schedule`
    JobSchedule,
    /// `jobs.exists`
    JobExists,
    /// `jobs.delete`
    JobDelete,
    /// `secrets.get`
    Secret,
    /// `bindings.invoke`
    Binding,
    /// `invocation.invoke`
    Invoke,
    /// `health.check`
    Health,
    /// `metadata.app-max-concurrency`
    AppMaxConcurrency,
}

/// The planned result of one call.
pub(super) enum Fault {
    /// It succeeds.
    None,
    /// It fails without effect.
    Refuse(Error),
    /// It takes effect and fails.
    LoseAnswer(Error),
    /// It waits before it takes effect.
    Hold(Hold),
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Planned,
    Reached,
    Released,
}

/// A call that waits.
#[derive(Clone)]
pub struct Hold(std::sync::Arc<watch::Sender<Stage>>);

impl Hold {
    pub(super) fn new() -> Self {
        Self(std::sync::Arc::new(watch::Sender::new(Stage::Planned)))
    }

    pub(super) async fn wait(&self) {
        self.0.send_modify(|stage| *stage = (*stage).max(Stage::Reached));
        self.at_least(Stage::Released).await;
    }

    /// Returns once the call waits.
    pub async fn reached(&self) {
        self.at_least(Stage::Reached).await;
    }

    /// Releases the call.
    pub fn release(&self) {
        self.0.send_modify(|stage| *stage = Stage::Released);
    }

    async fn at_least(&self, wanted: Stage) {
        // The sender lives in `self`, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|stage| *stage >= wanted).await;
    }
}

/// No sidecar, or not yet.
pub fn unavailable(message: &str) -> Error {
    Error::Unavailable(failure(message))
}

/// The sidecar timed out: it is unknown whether the call took effect.
pub fn timeout(message: &str) -> Error {
    Error::Timeout(failure(message))
}

/// The component behind the sidecar refused.
pub fn failed(message: &str) -> Error {
    Error::Other(failure(message))
}

fn failure(message: &str) -> Failure {
    Failure {
        status: None,
        code: None,
        message: message.to_owned(),
    }
}
