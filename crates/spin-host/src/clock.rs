//! The guests' time of day, and the engine's interruption of guests that compute for too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, SystemTime};

use step_clock::Clock;
use wasmtime::{Engine, Store, UpdateDeadline};
use wasmtime_wasi::HostWallClock;

/// Interval at which a computing guest lets other tasks run.
const TICK: Duration = Duration::from_millis(10);
/// How long it pauses for them.
const REST: Duration = Duration::from_millis(1);

/// `wasi:clocks` wall-clock (0.2) and system-clock (0.3), read from a [`Clock`].
pub(crate) struct GuestClock(pub(crate) Clock);

impl HostWallClock for GuestClock {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        self.0
            .now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
    }
}

/// Advances an engine's epoch until it is dropped. It has its own thread, because looping guests may occupy every thread of
/// the runtime.
pub(crate) struct Ticker {
    _stop: Sender<()>,
}

impl Ticker {
    pub(crate) fn start(engine: &Engine) -> std::io::Result<Self> {
        let engine = engine.weak();
        let (stop, stopped) = channel::<()>();
        std::thread::Builder::new()
            .name("spin-host-epoch".into())
            .spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(TICK) {
                    match engine.upgrade() {
                        Some(engine) => engine.increment_epoch(),
                        None => return,
                    }
                }
            })?;
        Ok(Self { _stop: stop })
    }
}

/// Counts the consecutive ticks that a store has computed without waiting. [`CpuMeter::pending`] resets it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CpuMeter(Arc<Ticks>);

#[derive(Debug, Default)]
struct Ticks {
    in_a_row: AtomicU32,
    /// Set while the guest pauses because of a tick, which does not count as waiting.
    resting: AtomicBool,
}

impl CpuMeter {
    /// Makes a store pause at each tick, and trap once it has used up `limit`.
    pub(crate) fn attach<T>(&self, store: &mut Store<T>, limit: Duration) {
        let ticks = self.0.clone();
        let max = u32::try_from(limit.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| match ticks.in_a_row.fetch_add(1, Ordering::Relaxed) {
            // A guest that was waiting when the tick came sees it as soon as it runs, and has not computed yet.
            0 => Ok(UpdateDeadline::Continue(1)),
            count if count >= max => Err(CpuLimit(limit).into()),
            _ => {
                ticks.resting.store(true, Ordering::Relaxed);
                let ticks = ticks.clone();
                Ok(UpdateDeadline::YieldCustom(
                    1,
                    Box::pin(async move {
                        // Yielding is not enough: while any task is ready, tokio polls sockets and timers only every 61st
                        // time, so other tasks on this thread would wait for 61 ticks.
                        tokio::time::sleep(REST).await;
                        ticks.resting.store(false, Ordering::Relaxed);
                    }),
                ))
            }
        });
    }

    /// Call this whenever the store's future is pending: unless the guest pauses because of a tick, it waits for something, so
    /// counting starts over.
    pub(crate) fn pending(&self) {
        if !self.0.resting.load(Ordering::Relaxed) {
            self.0.in_a_row.store(0, Ordering::Relaxed);
        }
    }
}

/// The trap of a guest that computed for too long.
#[derive(Debug, thiserror::Error)]
#[error("computed for {0:?} without waiting for anything")]
pub(crate) struct CpuLimit(Duration);
