//! The interfaces of `nudge:dapr`, one `impl` each.

use spin_host::{ComponentState, Extension};
use wasmtime::Result;
use wasmtime::component::{Accessor, HasSelf, Linker};

use super::{
    BindingCall, Error, FailedEvent, Failure, FakeDapr, Function, Invocation, Job, Published, RawPublished,
};
use crate::bindings::imports::Imports;
use crate::bindings::imports::nudge::dapr::state::{self, Entry, Operation, Outcome, PutOperation};
use crate::bindings::imports::nudge::dapr::{
    bindings, health, invocation, jobs, metadata, pubsub, secrets, types,
};

impl Extension for FakeDapr {
    fn packages(&self) -> &[&str] {
        &["nudge:dapr"]
    }

    fn link(&self, linker: &mut Linker<ComponentState>, _: &str) -> Result<()> {
        Imports::add_to_linker::<_, HasSelf<ComponentState>>(linker, |state| state)
    }

    fn prepare(&self, state: &mut ComponentState) {
        state.data().insert(self.clone());
    }
}

/// The sidecar of the instance that calls.
fn sidecar<T: 'static>(accessor: &Accessor<T, HasSelf<ComponentState>>) -> Result<FakeDapr> {
    accessor
        .with(|mut access| access.get().data().get::<FakeDapr>().cloned())
        .ok_or_else(|| wasmtime::format_err!("the instance was made without its sidecar"))
}

fn invalid(message: String) -> Error {
    Error::InvalidArgument(Failure {
        status: Some(400),
        code: None,
        message,
    })
}

/// Refuses data that a real sidecar would not accept as JSON.
fn check_json(what: &str, text: &str) -> Result<(), Error> {
    serde_json::from_str::<serde_json::Value>(text)
        .map(|_| ())
        .map_err(|error| invalid(format!("{what}: {error}")))
}

impl types::Host for ComponentState {}
impl pubsub::Host for ComponentState {}
impl state::Host for ComponentState {}
impl jobs::Host for ComponentState {}
impl secrets::Host for ComponentState {}
impl bindings::Host for ComponentState {}
impl invocation::Host for ComponentState {}
impl health::Host for ComponentState {}
impl metadata::Host for ComponentState {}

impl<T: 'static> pubsub::HostWithStore<T> for HasSelf<ComponentState> {
    async fn publish(
        accessor: &Accessor<T, Self>,
        pubsub: String,
        topic: String,
        event: pubsub::CloudEvent,
    ) -> Result<Result<(), Error>> {
        let effect = |memory: &mut super::Memory| {
            check_json("data", &event.data)?;
            memory.published.push(Published { pubsub, topic, event });
            Ok(())
        };
        Ok(sidecar(accessor)?.call(Function::Publish, effect).await)
    }

    async fn publish_raw(
        accessor: &Accessor<T, Self>,
        pubsub: String,
        topic: String,
        message: pubsub::RawMessage,
    ) -> Result<Result<(), Error>> {
        let effect = |memory: &mut super::Memory| {
            check_json("data", &message.data)?;
            memory.published_raw.push(RawPublished {
                pubsub,
                topic,
                message,
            });
            Ok(())
        };
        Ok(sidecar(accessor)?.call(Function::PublishRaw, effect).await)
    }

    async fn publish_all(
        accessor: &Accessor<T, Self>,
        pubsub: String,
        topic: String,
        events: Vec<pubsub::CloudEvent>,
    ) -> Result<Result<Vec<FailedEvent>, Error>> {
        let effect = |memory: &mut super::Memory| {
            let mut failed = Vec::new();
            for (index, event) in (0..).zip(events) {
                check_json("data", &event.data)?;
                if memory.refused.contains(&event.id) {
                    failed.push(FailedEvent {
                        index,
                        message: "the broker does not accept it".to_owned(),
                    });
                    continue;
                }
                memory.published.push(Published {
                    pubsub: pubsub.clone(),
                    topic: topic.clone(),
                    event,
                });
            }
            Ok(failed)
        };
        Ok(sidecar(accessor)?.call(Function::PublishAll, effect).await)
    }
}

impl<T: 'static> state::HostWithStore<T> for HasSelf<ComponentState> {
    async fn get(
        accessor: &Accessor<T, Self>,
        store: String,
        key: String,
    ) -> Result<Result<Option<Entry>, Error>> {
        let effect = |memory: &mut super::Memory| {
            let stored = memory.state.get(&(store, key.clone())).cloned();
            Ok(stored.map(|stored| Entry {
                key,
                value: stored.value,
                etag: stored.etag,
            }))
        };
        Ok(sidecar(accessor)?.call(Function::StateGet, effect).await)
    }

    async fn get_many(
        accessor: &Accessor<T, Self>,
        store: String,
        keys: Vec<String>,
    ) -> Result<Result<Vec<Entry>, Error>> {
        let effect = |memory: &mut super::Memory| {
            let found = keys.into_iter().filter_map(|key| {
                let stored = memory.state.get(&(store.clone(), key.clone()))?.clone();
                Some(Entry {
                    key,
                    value: stored.value,
                    etag: stored.etag,
                })
            });
            Ok(found.collect())
        };
        Ok(sidecar(accessor)?.call(Function::StateGetMany, effect).await)
    }

    async fn put(
        accessor: &Accessor<T, Self>,
        store: String,
        operation: PutOperation,
    ) -> Result<Result<Outcome, Error>> {
        let effect = |memory: &mut super::Memory| {
            check_json("value", &operation.value)?;
            Ok(memory.put(&store, operation))
        };
        Ok(sidecar(accessor)?.call(Function::StatePut, effect).await)
    }

    async fn put_many(
        accessor: &Accessor<T, Self>,
        store: String,
        operations: Vec<PutOperation>,
    ) -> Result<Result<Outcome, Error>> {
        let effect = |memory: &mut super::Memory| {
            let mut all = Outcome::Done;
            for operation in operations {
                check_json("value", &operation.value)?;
                if memory.put(&store, operation) == Outcome::Lost {
                    all = Outcome::Lost;
                }
            }
            Ok(all)
        };
        Ok(sidecar(accessor)?.call(Function::StatePutMany, effect).await)
    }

    async fn delete(
        accessor: &Accessor<T, Self>,
        store: String,
        key: String,
        etag: Option<String>,
    ) -> Result<Result<Outcome, Error>> {
        let effect = |memory: &mut super::Memory| Ok(memory.delete(store, key, etag));
        Ok(sidecar(accessor)?.call(Function::StateDelete, effect).await)
    }

    async fn transact(
        accessor: &Accessor<T, Self>,
        store: String,
        operations: Vec<Operation>,
    ) -> Result<Result<Outcome, Error>> {
        let effect = |memory: &mut super::Memory| Ok(memory.transact(&store, operations));
        Ok(sidecar(accessor)?.call(Function::StateTransact, effect).await)
    }
}

impl<T: 'static> jobs::HostWithStore<T> for HasSelf<ComponentState> {
    async fn schedule(
        accessor: &Accessor<T, Self>,
        name: String,
        job: Job,
    ) -> Result<Result<jobs::Outcome, Error>> {
        let effect = |memory: &mut super::Memory| {
            check_json("data", &job.data)?;
            if memory.jobs.contains_key(&name) && !job.overwrite {
                return Ok(jobs::Outcome::Exists);
            }
            memory.jobs.insert(name, job);
            Ok(jobs::Outcome::Scheduled)
        };
        Ok(sidecar(accessor)?.call(Function::JobSchedule, effect).await)
    }

    async fn exists(accessor: &Accessor<T, Self>, name: String) -> Result<Result<bool, Error>> {
        let effect = |memory: &mut super::Memory| Ok(memory.jobs.contains_key(&name));
        Ok(sidecar(accessor)?.call(Function::JobExists, effect).await)
    }

    async fn delete(accessor: &Accessor<T, Self>, name: String) -> Result<Result<(), Error>> {
        let effect = |memory: &mut super::Memory| {
            memory.jobs.remove(&name);
            Ok(())
        };
        Ok(sidecar(accessor)?.call(Function::JobDelete, effect).await)
    }
}

impl<T: 'static> secrets::HostWithStore<T> for HasSelf<ComponentState> {
    async fn get(
        accessor: &Accessor<T, Self>,
        _store: String,
        name: String,
    ) -> Result<Result<Option<Vec<(String, String)>>, Error>> {
        let effect = |memory: &mut super::Memory| {
            let value = memory.secrets.get(&name).cloned();
            Ok(value.map(|value| vec![(name, value)]))
        };
        Ok(sidecar(accessor)?.call(Function::Secret, effect).await)
    }
}

impl<T: 'static> bindings::HostWithStore<T> for HasSelf<ComponentState> {
    async fn invoke(
        accessor: &Accessor<T, Self>,
        binding: String,
        operation: String,
        metadata: Vec<(String, String)>,
        data: String,
    ) -> Result<Result<Vec<u8>, Error>> {
        let effect = |memory: &mut super::Memory| {
            check_json("data", &data)?;
            memory.binding_calls.push(BindingCall {
                binding,
                operation,
                metadata,
                data,
            });
            Ok(Vec::new())
        };
        Ok(sidecar(accessor)?.call(Function::Binding, effect).await)
    }
}

impl<T: 'static> invocation::HostWithStore<T> for HasSelf<ComponentState> {
    async fn invoke(
        accessor: &Accessor<T, Self>,
        app_id: String,
        request: invocation::Request,
    ) -> Result<Result<invocation::Response, Error>> {
        let effect = |memory: &mut super::Memory| {
            let invocation = Invocation { app_id, request };
            let response = (memory.app)(&invocation);
            memory.invocations.push(invocation);
            Ok(response)
        };
        Ok(sidecar(accessor)?.call(Function::Invoke, effect).await)
    }
}

impl<T: 'static> health::HostWithStore<T> for HasSelf<ComponentState> {
    async fn check(accessor: &Accessor<T, Self>) -> Result<Result<(), Error>> {
        Ok(sidecar(accessor)?.call(Function::Health, |_| Ok(())).await)
    }
}

impl<T: 'static> metadata::HostWithStore<T> for HasSelf<ComponentState> {
    async fn app_max_concurrency(accessor: &Accessor<T, Self>) -> Result<Result<Option<u32>, Error>> {
        let effect = |memory: &mut super::Memory| Ok(memory.app_max_concurrency);
        Ok(sidecar(accessor)?.call(Function::AppMaxConcurrency, effect).await)
    }
}
