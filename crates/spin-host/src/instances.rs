//! Instances of an HTTP component: when one is created, how many requests it handles, and when it ends.
//!
//! This configures `wasmtime_wasi_http`'s handler, which does the work. Tasks of a guest that continue after a response keep its
//! instance alive until they are done.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, InstantiationError, ProxyHandler, ProxyPre, Request, Response, ShouldAccept,
    WorkerExpiration, WorkerState, WorkerStatus,
};

use crate::clock::CpuMeter;
use crate::component::LoadedComponent;
use crate::state::ComponentState;

/// The instances of one component.
pub(crate) struct Instances {
    handler: ProxyHandler<Factory>,
    slots: Arc<Semaphore>,
}

/// Interval at which a request that found every instance busy tries again.
const RETRY: Duration = Duration::from_millis(2);

/// The maximum number of instances exists, and none of them accepts another request at the moment.
#[derive(Debug, thiserror::Error)]
#[error("all {0} instances are busy")]
pub(crate) struct Busy(usize);

impl Instances {
    /// `draining` becomes true once no more requests arrive: idle instances then end at once.
    pub(crate) fn new(
        component: Arc<LoadedComponent>,
        draining: watch::Receiver<bool>,
    ) -> wasmtime::Result<Self> {
        let slots = Arc::new(Semaphore::new(component.limits().instances));
        let pre = component.http()?;
        let handler = ProxyHandler::new(Factory {
            component,
            pre,
            slots: slots.clone(),
            draining,
        });
        Ok(Self { handler, slots })
    }

    /// Handles the request in an instance. While every instance is busy, tries again until [`Limits::queue`](crate::Limits::queue)
    /// has passed.
    pub(crate) async fn handle(&self, mut request: Request) -> wasmtime::Result<Response> {
        let deadline = Instant::now() + self.handler.state().component.limits().queue;
        loop {
            let error = match self.handler.handle((), request).await {
                Err(error) if is_busy(&error) && Instant::now() < deadline => error,
                result => return result,
            };
            let refused = error.downcast::<InstantiationError<()>>()?;
            request = refused
                .request
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Returns when no instance is left.
    pub(crate) async fn ended(&self) {
        let all = u32::try_from(self.handler.state().component.limits().instances).unwrap_or(u32::MAX);
        let _ = self.slots.acquire_many(all).await;
    }
}

/// Returns `true` if a request failed because every instance was busy.
pub(crate) fn is_busy(error: &wasmtime::Error) -> bool {
    error
        .downcast_ref::<InstantiationError<()>>()
        .is_some_and(|error| error.error.is::<Busy>())
}

struct Factory {
    component: Arc<LoadedComponent>,
    pre: ProxyPre<ComponentState>,
    slots: Arc<Semaphore>,
    draining: watch::Receiver<bool>,
}

impl HandlerState for Factory {
    type StoreData = ComponentState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<ComponentState, Expiration, Worker>> {
        let limits = self.component.limits();
        let slot = self
            .slots
            .clone()
            .try_acquire_owned()
            .map_err(|_| Busy(limits.instances))?;
        let (mut store, meter) = self.component.store()?;
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let mut draining = self.draining.clone();
        Ok(Instance {
            store,
            proxy,
            view: ComponentState::http,
            expiration: Expiration {
                idle: limits.idle,
                request: limits.request,
                timer: None,
                meter,
                draining: Mutex::new(Box::pin(async move {
                    let _ = draining.wait_for(|draining| *draining).await;
                })),
                is_draining: false,
            },
            state: Worker {
                component: self.component.clone(),
                _slot: slot,
            },
        })
    }
}

/// When an instance ends.
struct Expiration {
    idle: Duration,
    request: Option<Duration>,
    timer: Option<(Instant, Pin<Box<tokio::time::Sleep>>)>,
    meter: CpuMeter,
    /// In a mutex only to be `Sync`, which the trait requires; it is never locked.
    draining: Mutex<Pin<Box<dyn Future<Output = ()> + Send>>>,
    is_draining: bool,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let this = &mut *self;
        this.meter.pending();
        if !this.is_draining {
            let draining = this.draining.get_mut().unwrap_or_else(PoisonError::into_inner);
            this.is_draining = draining.as_mut().poll(context).is_ready();
        }
        let limit = match status {
            WorkerStatus::Idle if this.is_draining => return Poll::Ready(()),
            WorkerStatus::Idle => Some(this.idle),
            WorkerStatus::Requests => this.request,
            // A task that continues after the response has no limit: the response has promised its result.
            WorkerStatus::PostReturn => None,
        };
        let Some(deadline) = limit.and_then(|limit| start.checked_add(limit)) else {
            return Poll::Pending;
        };
        if this.timer.as_ref().is_none_or(|(at, _)| *at != deadline) {
            this.timer = Some((deadline, Box::pin(tokio::time::sleep_until(deadline.into()))));
        }
        match &mut this.timer {
            Some((_, timer)) => timer.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

/// How an instance accepts requests.
struct Worker {
    component: Arc<LoadedComponent>,
    _slot: OwnedSemaphorePermit,
}

impl WorkerState for Worker {
    type StoreData = ComponentState;
    type RequestData = ();

    fn should_accept_request(&self, concurrent_count: usize, total_count: usize) -> ShouldAccept {
        let limits = self.component.limits();
        if total_count >= limits.requests_per_instance {
            ShouldAccept::Never
        } else if concurrent_count >= limits.concurrent_requests {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, ComponentState>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        match self.component.limits().request {
            Some(limit) => Box::pin(tokio::time::sleep(limit)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<ComponentState>, result: Result<(), wasmtime::Error>) {
        if let Err(error) = result {
            tracing::error!(component = self.component.id(), "instance ended: {error:?}");
        }
        drop(store);
    }
}
