//! A fake Dapr in the host: it implements `nudge:dapr` for components, records their calls, and fails on demand.
//!
//! It implements the guarantees of the WIT package (ETags, preconditions, atomic transactions, jobs by name). It has no
//! network and no clock: a job fires when the test fires it.

mod fault;
mod link;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};
use serde_json::Value;
use tokio::sync::watch;

pub use crate::bindings::imports::nudge::dapr::invocation::{Request, Response};
pub use crate::bindings::imports::nudge::dapr::jobs::{FailurePolicy, Job, Timing};
pub use crate::bindings::imports::nudge::dapr::pubsub::{CloudEvent, FailedEvent, RawMessage};
pub use crate::bindings::imports::nudge::dapr::state::{Operation, Outcome, Precondition, PutOperation};
pub use crate::bindings::imports::nudge::dapr::types::{Error, Failure};
use fault::Fault;
pub use fault::{Function, Hold, failed, timeout, unavailable};

use crate::http::DEADLINE;
use crate::tokens;

/// A fake Dapr sidecar for a test. Clones are the same sidecar.
#[derive(Clone)]
pub struct FakeDapr {
    memory: Arc<Mutex<Memory>>,
    changes: Arc<watch::Sender<u64>>,
}

/// An event on a topic.
#[derive(Debug, Clone)]
pub struct Published {
    /// The pub/sub component.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// The event as it was given.
    pub event: CloudEvent,
}

/// A message without an envelope on a topic.
#[derive(Debug, Clone)]
pub struct RawPublished {
    /// The pub/sub component.
    pub pubsub: String,
    /// The topic.
    pub topic: String,
    /// The message as it was given.
    pub message: RawMessage,
}

impl Published {
    /// The payload.
    ///
    /// # Errors
    ///
    /// It is not JSON.
    pub fn data(&self) -> Result<Value> {
        Ok(serde_json::from_str(&self.event.data)?)
    }

    /// The event as Dapr delivers it (CloudEvents 1.0, JSON format).
    ///
    /// # Errors
    ///
    /// Its payload is not JSON.
    pub fn delivery(&self) -> Result<Value> {
        Ok(serde_json::json!({
            "specversion": "1.0",
            "id": self.event.id,
            "source": self.event.source,
            "type": self.event.type_,
            "subject": self.event.subject,
            "time": self.event.time,
            "datacontenttype": "application/json",
            "data": self.data()?,
            "pubsubname": self.pubsub,
            "topic": self.topic,
        }))
    }
}

/// A value of the state store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// JSON text.
    pub value: String,
    /// Changes with every write.
    pub etag: String,
    /// The time to live of the last write.
    pub ttl_seconds: Option<u32>,
}

/// A call of an output binding that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindingCall {
    /// The binding.
    pub binding: String,
    /// The operation.
    pub operation: String,
    /// In the order given.
    pub metadata: Vec<(String, String)>,
    /// JSON text.
    pub data: String,
}

/// A call of another app.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// The app that was called.
    pub app_id: String,
    /// The request.
    pub request: Request,
}

type App = Box<dyn FnMut(&Invocation) -> Response + Send>;

struct Memory {
    published: Vec<Published>,
    published_raw: Vec<RawPublished>,
    state: BTreeMap<(String, String), Stored>,
    writes: u64,
    jobs: BTreeMap<String, Job>,
    secrets: BTreeMap<String, String>,
    binding_calls: Vec<BindingCall>,
    invocations: Vec<Invocation>,
    app: App,
    app_max_concurrency: Option<u32>,
    calls: HashMap<Function, usize>,
    next: HashMap<Function, VecDeque<Fault>>,
    down: HashMap<Function, Error>,
    /// Ids of events that the broker does not accept in bulk.
    refused: BTreeSet<String>,
}

impl Default for FakeDapr {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeDapr {
    /// A sidecar with the secret `jwt-key` ([`tokens::KEY`]) and nothing else, which says that it makes one call at a time to
    /// its app, and does not hold a test to it; other apps answer 404.
    pub fn new() -> Self {
        let memory = Memory {
            published: Vec::new(),
            published_raw: Vec::new(),
            state: BTreeMap::new(),
            writes: 0,
            jobs: BTreeMap::new(),
            secrets: BTreeMap::from([("jwt-key".to_owned(), tokens::KEY.to_owned())]),
            binding_calls: Vec::new(),
            invocations: Vec::new(),
            app: Box::new(|_| Response {
                status: 404,
                body: Vec::new(),
            }),
            app_max_concurrency: Some(1),
            calls: HashMap::new(),
            next: HashMap::new(),
            down: HashMap::new(),
            refused: BTreeSet::new(),
        };
        Self {
            memory: Arc::new(Mutex::new(memory)),
            changes: Arc::new(watch::Sender::new(0)),
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets how the other apps respond. The function must not use this sidecar.
    pub fn answer(&self, app: impl FnMut(&Invocation) -> Response + Send + 'static) {
        self.memory().app = Box::new(app);
    }

    /// Makes the other apps respond with this JSON.
    pub fn answer_json(&self, status: u16, body: &Value) {
        let body = body.to_string().into_bytes();
        self.answer(move |_| Response {
            status,
            body: body.clone(),
        });
    }

    /// Sets the number of concurrent calls to its app that the sidecar reports; none is no limit.
    pub fn set_app_max_concurrency(&self, limit: Option<u32>) {
        self.memory().app_max_concurrency = limit;
    }

    /// Sets or replaces a secret.
    pub fn set_secret(&self, name: &str, value: &str) {
        self.memory().secrets.insert(name.to_owned(), value.to_owned());
    }

    /// Writes a key as another replica would.
    pub fn set_state(&self, key: &str, value: &Value) {
        let operation = PutOperation {
            key: key.to_owned(),
            value: value.to_string(),
            precondition: Precondition::None,
            ttl_seconds: None,
        };
        self.memory().put("statestore", operation);
    }

    /// The next call of `function` without a planned fault fails without effect.
    pub fn fail_next(&self, function: Function, error: Error) {
        self.plan(function, Fault::Refuse(error));
    }

    /// The next call of `function` without a planned fault succeeds: for faults that come later.
    pub fn pass_next(&self, function: Function) {
        self.plan(function, Fault::None);
    }

    /// The next call of `function` without a planned fault takes effect, but its response is lost.
    pub fn lose_answer(&self, function: Function, error: Error) {
        self.plan(function, Fault::LoseAnswer(error));
    }

    /// The next call of `function` without a planned fault waits, before it takes effect, until it is released.
    pub fn hold_next(&self, function: Function) -> Hold {
        let hold = Hold::new();
        self.plan(function, Fault::Hold(hold.clone()));
        hold
    }

    fn plan(&self, function: Function, fault: Fault) {
        self.memory().next.entry(function).or_default().push_back(fault);
    }

    /// Every call of `function` fails without effect, until [`up`](Self::up).
    pub fn down(&self, function: Function, error: Error) {
        self.memory().down.insert(function, error);
    }

    /// Ends [`down`](Self::down).
    pub fn up(&self, function: Function) {
        self.memory().down.remove(&function);
    }

    /// The broker no longer accepts the event of this id in a bulk publish.
    pub fn refuse_event(&self, id: &str) {
        self.memory().refused.insert(id.to_owned());
    }

    /// The broker accepts all events again.
    pub fn accept_events(&self) {
        self.memory().refused.clear();
    }

    /// The number of calls of all functions.
    pub fn all_calls(&self) -> usize {
        self.memory().calls.values().sum()
    }

    /// How often `function` was called, whatever the result.
    pub fn calls(&self, function: Function) -> usize {
        self.memory().calls.get(&function).copied().unwrap_or_default()
    }

    /// Events on a topic, oldest first.
    pub fn published(&self, topic: &str) -> Vec<Published> {
        self.memory()
            .published
            .iter()
            .filter(|published| published.topic == topic)
            .cloned()
            .collect()
    }

    /// Messages without an envelope, oldest first.
    pub fn published_raw(&self) -> Vec<RawPublished> {
        self.memory().published_raw.clone()
    }

    /// Events on a topic, once there are `count` or more.
    ///
    /// # Errors
    ///
    /// There are fewer at the deadline.
    pub async fn wait_for(&self, topic: &str, count: usize) -> Result<Vec<Published>> {
        let enough = || Some(self.published(topic)).filter(|published| published.len() >= count);
        match self.until(enough).await {
            Some(published) => Ok(published),
            None => bail!("{} of {count} events on {topic}", self.published(topic).len()),
        }
    }

    /// Waits for a condition, which is checked after every call. None after [`DEADLINE`].
    pub async fn until<T>(&self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let mut changes = self.changes.subscribe();
        let found = async {
            loop {
                if let Some(found) = look() {
                    return Some(found);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(DEADLINE, found).await.ok().flatten()
    }

    /// A value of the state store `statestore`.
    pub fn stored(&self, key: &str) -> Option<Stored> {
        self.memory()
            .state
            .get(&("statestore".to_owned(), key.to_owned()))
            .cloned()
    }

    /// Keys of the state store `statestore`.
    pub fn keys(&self) -> Vec<String> {
        self.memory()
            .state
            .keys()
            .filter(|(store, _)| store == "statestore")
            .map(|(_, key)| key.clone())
            .collect()
    }

    /// The scheduled jobs, by name.
    pub fn jobs(&self) -> BTreeMap<String, Job> {
        self.memory().jobs.clone()
    }

    /// Removes a job, as if it had fired or the scheduler had lost it.
    pub fn take_job(&self, name: &str) -> Option<Job> {
        self.memory().jobs.remove(name)
    }

    /// Calls of output bindings that took effect, oldest first.
    pub fn binding_calls(&self) -> Vec<BindingCall> {
        self.memory().binding_calls.clone()
    }

    /// Calls of other apps, oldest first.
    pub fn invocations(&self) -> Vec<Invocation> {
        self.memory().invocations.clone()
    }

    /// Runs one call: the planned fault, if any, around the effect. It is logged under the target `nudge_test_kit::call`.
    async fn call<T>(
        &self,
        function: Function,
        effect: impl FnOnce(&mut Memory) -> Result<T, Error>,
    ) -> Result<T, Error> {
        tracing::trace!(target: "nudge_test_kit::call", "{function:?}");
        let fault = {
            let mut memory = self.memory();
            *memory.calls.entry(function).or_default() += 1;
            match memory.down.get(&function) {
                Some(error) => Fault::Refuse(error.clone()),
                None => memory
                    .next
                    .get_mut(&function)
                    .and_then(VecDeque::pop_front)
                    .unwrap_or(Fault::None),
            }
        };
        let result = match fault {
            Fault::Refuse(error) => Err(error),
            Fault::LoseAnswer(error) => effect(&mut self.memory()).and(Err(error)),
            Fault::None => effect(&mut self.memory()),
            Fault::Hold(hold) => {
                hold.wait().await;
                effect(&mut self.memory())
            }
        };
        self.changes.send_modify(|changes| *changes += 1);
        result
    }
}

impl Memory {
    fn allows(&self, store: &str, key: &str, precondition: &Precondition) -> bool {
        let stored = self.state.get(&(store.to_owned(), key.to_owned()));
        match precondition {
            Precondition::None => true,
            Precondition::Absent => stored.is_none(),
            Precondition::Unchanged(etag) => stored.is_some_and(|stored| stored.etag == *etag),
        }
    }

    fn put(&mut self, store: &str, operation: PutOperation) -> Outcome {
        if !self.allows(store, &operation.key, &operation.precondition) {
            return Outcome::Lost;
        }
        self.writes += 1;
        let stored = Stored {
            value: operation.value,
            etag: format!("etag-{}", self.writes),
            ttl_seconds: operation.ttl_seconds,
        };
        self.state.insert((store.to_owned(), operation.key), stored);
        Outcome::Done
    }

    fn delete(&mut self, store: String, key: String, etag: Option<String>) -> Outcome {
        if etag.is_some_and(|etag| !self.allows(&store, &key, &Precondition::Unchanged(etag))) {
            return Outcome::Lost;
        }
        self.state.remove(&(store, key));
        Outcome::Done
    }

    fn transact(&mut self, store: &str, operations: Vec<Operation>) -> Outcome {
        let possible = operations.iter().all(|operation| match operation {
            Operation::Put(put) => self.allows(store, &put.key, &put.precondition),
            Operation::Delete(_) => true,
        });
        if !possible {
            return Outcome::Lost;
        }
        for operation in operations {
            match operation {
                Operation::Put(put) => self.put(store, put),
                Operation::Delete(key) => self.delete(store.to_owned(), key, None),
            };
        }
        Outcome::Done
    }
}
