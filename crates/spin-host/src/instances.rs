//! Instances of an HTTP component: when one is created, how many requests it handles, and when it ends.
//!
//! This configures `wasmtime_wasi_http`'s handler, which does the work. Tasks of a guest that continue after a response keep its
//! instance alive until they are done.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout_at;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, InstantiationError, ProxyHandler, ProxyPre, Request, Response, ShouldAccept,
    WorkerExpiration, WorkerState, WorkerStatus,
};

use crate::clock::CpuMeter;
use crate::component::LoadedComponent;
use crate::queue::{Place, Queue};
use crate::state::ComponentState;

/// The instances of one component: those for all requests, and those that are kept for reserved ones.
pub(crate) struct ComponentInstances {
    general: Instances,
    reserved: Option<Instances>,
}

impl ComponentInstances {
    /// `reserved` is the number of instances that are kept for reserved requests. `draining` becomes true once no more requests
    /// arrive: idle instances then end at once.
    pub(crate) fn new(
        component: &Arc<LoadedComponent>,
        reserved: usize,
        draining: &watch::Receiver<bool>,
    ) -> wasmtime::Result<Self> {
        let limits = component.limits();
        let new = |active, retiring| Instances::new(component.clone(), active, retiring, draining.clone());
        Ok(Self {
            general: new(limits.instances, limits.retiring)?,
            reserved: match reserved {
                0 => None,
                reserved => Some(new(reserved, reserved)?),
            },
        })
    }

    /// Handles the request in an instance. While every instance is busy, it waits for up to
    /// [`Limits::queue`](crate::Limits::queue); then it fails with an error that [`is_busy`] recognizes.
    pub(crate) async fn handle(&self, request: Request, is_reserved: bool) -> wasmtime::Result<Response> {
        match self.general.try_handle(request).await {
            Ok(result) => result,
            Err(request) => match &self.reserved {
                Some(reserved) if is_reserved => reserved.handle(request).await,
                _ => self.general.handle(request).await,
            },
        }
    }

    /// Returns when no instance is left.
    pub(crate) async fn ended(&self) {
        for instances in [Some(&self.general), self.reserved.as_ref()]
            .into_iter()
            .flatten()
        {
            instances.ended().await;
        }
    }
}

/// A number of instances of one component, and the requests that wait for them.
struct Instances {
    handler: ProxyHandler<Factory>,
}

/// The maximum number of instances exists, and none of them accepts another request at the moment.
#[derive(Debug, thiserror::Error)]
#[error("all {0} instances are busy")]
pub(crate) struct Busy(usize);

/// Returns `true` if a request failed because every instance was busy.
pub(crate) fn is_busy(error: &wasmtime::Error) -> bool {
    error.is::<Busy>()
}

impl Instances {
    fn new(
        component: Arc<LoadedComponent>,
        active: usize,
        retiring: usize,
        draining: watch::Receiver<bool>,
    ) -> wasmtime::Result<Self> {
        let pre = component.http()?;
        let handler = ProxyHandler::new(Factory {
            component,
            pre,
            size: active,
            active: Arc::new(Semaphore::new(active)),
            retiring: Arc::new(Semaphore::new(retiring)),
            most_retiring: retiring,
            queue: Queue::new(),
            draining,
        });
        Ok(Self { handler })
    }

    /// Handles the request if an instance accepts it now; returns it otherwise, and if others wait already.
    async fn try_handle(&self, request: Request) -> Result<wasmtime::Result<Response>, Request> {
        if !self.handler.state().queue.is_empty() {
            return Err(request);
        }
        self.attempt(request, None).await.map_err(|(request, _)| request)
    }

    async fn handle(&self, mut request: Request) -> wasmtime::Result<Response> {
        let factory = self.handler.state();
        let deadline = tokio::time::Instant::now() + factory.component.limits().queue;
        let mut place = factory.queue.join();
        let busy = |_| Busy(factory.size);
        timeout_at(deadline, place.first()).await.map_err(busy)?;
        loop {
            match self.attempt(request, Some(place)).await {
                Ok(result) => return result,
                Err((_, None)) => return Err(Busy(factory.size).into()),
                Err((refused, Some(same))) => (request, place) = (refused, same),
            }
            timeout_at(deadline, place.changed()).await.map_err(busy)?;
        }
    }

    /// Handles the request; its place in the queue is free as soon as an instance has accepted it. Returns both if no instance accepts
    /// it at the moment.
    async fn attempt(
        &self,
        request: Request,
        place: Option<Place>,
    ) -> Result<wasmtime::Result<Response>, (Request, Option<Place>)> {
        let error = match self.handler.handle(place, request).await {
            Err(error) => error,
            response => return Ok(response),
        };
        match error.downcast::<InstantiationError<Option<Place>>>() {
            Ok(refused) if refused.error.is::<Busy>() => {
                let request = refused.request.into_inner();
                Err((
                    request.unwrap_or_else(PoisonError::into_inner),
                    refused.request_data,
                ))
            }
            Ok(failed) => Ok(Err(failed.into())),
            Err(error) => Ok(Err(error)),
        }
    }

    /// Returns when no instance is left.
    async fn ended(&self) {
        let factory = self.handler.state();
        for (permits, all) in [
            (&factory.active, factory.size),
            (&factory.retiring, factory.most_retiring),
        ] {
            let _ = permits.acquire_many(u32::try_from(all).unwrap_or(u32::MAX)).await;
        }
    }
}

struct Factory {
    component: Arc<LoadedComponent>,
    pre: ProxyPre<ComponentState>,
    /// The maximum number of instances that accept requests, and a permit for each.
    size: usize,
    active: Arc<Semaphore>,
    /// The same for those that only finish what they have begun.
    most_retiring: usize,
    retiring: Arc<Semaphore>,
    queue: Arc<Queue>,
    draining: watch::Receiver<bool>,
}

impl HandlerState for Factory {
    type StoreData = ComponentState;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<ComponentState, Expiration, Worker>> {
        let limits = self.component.limits();
        let active = self
            .active
            .clone()
            .try_acquire_owned()
            .map_err(|_| Busy(self.size))?;
        let active = Active {
            permit: Some(active),
            queue: self.queue.clone(),
        };
        let (mut store, meter) = self.component.store()?;
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let mut draining = self.draining.clone();
        let acceptance = Arc::new(Acceptance::default());
        Ok(Instance {
            store,
            proxy,
            view: ComponentState::http,
            expiration: Expiration {
                idle: limits.idle,
                request: limits.request,
                timer: None,
                meter,
                acceptance: acceptance.clone(),
                queue: self.queue.clone(),
                draining: Mutex::new(Box::pin(async move {
                    let _ = draining.wait_for(|draining| *draining).await;
                })),
                is_draining: false,
            },
            state: Worker {
                component: self.component.clone(),
                acceptance,
                active: Mutex::new(Some(active)),
                retiring: self.retiring.clone(),
                retired: OnceLock::new(),
            },
        })
    }
}

/// Permission to accept requests. When it is given back, another instance may be created.
struct Active {
    permit: Option<OwnedSemaphorePermit>,
    queue: Arc<Queue>,
}

impl Drop for Active {
    fn drop(&mut self) {
        drop(self.permit.take());
        self.queue.announce();
    }
}

/// What the handler last learned about an instance.
#[derive(Default)]
struct Acceptance {
    /// Whether it may accept another request.
    accepting: AtomicBool,
    /// Whether it has accepted one since [`Expiration`] was polled.
    started: AtomicBool,
}

/// When an instance ends.
struct Expiration {
    idle: Duration,
    request: Option<Duration>,
    timer: Option<(Instant, Pin<Box<tokio::time::Sleep>>)>,
    meter: CpuMeter,
    acceptance: Arc<Acceptance>,
    queue: Arc<Queue>,
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
        if this.acceptance.started.swap(false, Ordering::Relaxed) {
            // After it has accepted a request, the handler offers the instance to another one only when it is polled once more.
            context.waker().wake_by_ref();
        }
        // An instance that becomes available is polled again, because it has accepted a request before; so none is missed here.
        if this.acceptance.accepting.load(Ordering::Relaxed) && !this.queue.is_empty() {
            this.queue.announce();
        }
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
    acceptance: Arc<Acceptance>,
    /// Taken when it retires.
    active: Mutex<Option<Active>>,
    retiring: Arc<Semaphore>,
    retired: OnceLock<OwnedSemaphorePermit>,
}

impl Worker {
    /// Gives up the place among the instances that accept requests. Returns `false` if too many others have done so and still have
    /// something to finish.
    fn retire(&self) -> bool {
        let Ok(permit) = self.retiring.clone().try_acquire_owned() else {
            return false;
        };
        if self.retired.set(permit).is_ok() {
            self.active.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        true
    }
}

impl WorkerState for Worker {
    type StoreData = ComponentState;
    /// The place in the queue, which ends when the request starts.
    type RequestData = Option<Place>;

    fn should_accept_request(&self, concurrent_count: usize, total_count: usize) -> ShouldAccept {
        let limits = self.component.limits();
        let accept = if total_count >= limits.requests_per_instance && self.retire() {
            ShouldAccept::Never
        } else if concurrent_count >= limits.concurrent_requests {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        };
        let accepting = matches!(accept, ShouldAccept::Yes);
        self.acceptance.accepting.store(accepting, Ordering::Relaxed);
        accept
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, ComponentState>,
        _: Option<Place>,
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        self.acceptance.started.store(true, Ordering::Relaxed);
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
