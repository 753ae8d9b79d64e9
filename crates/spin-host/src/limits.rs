//! What one component may use, so that none can take the process from its neighbours.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// Bounds per component and instance. The first four are Spin's defaults; Spin has no counterpart of the others
/// (a loop in a component is never stopped there), so a component that stays inside them behaves alike on both.
#[derive(Clone, Debug)]
pub struct Limits {
    /// An instance answers this many requests in its life.
    pub requests_per_instance: usize,
    /// An instance answers this many requests at once.
    pub concurrent_requests: usize,
    /// An instance without a request and without a task ends after this time.
    pub idle: Duration,
    /// A request is given up after this time; `None` waits for ever.
    pub request: Option<Duration>,
    /// All linear memories of an instance together, in bytes. Growing beyond fails in the guest.
    pub memory_bytes: usize,
    /// How long a guest may compute without waiting for anything; then it traps.
    pub cpu: Duration,
    /// Live instances per component.
    pub instances: usize,
    /// How long a request waits for an instance before it is answered with 503.
    pub queue: Duration,
    /// How long a shutdown waits for requests and tasks.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_instance: 128,
            concurrent_requests: 16,
            idle: Duration::from_secs(1),
            request: None,
            memory_bytes: 256 * 1024 * 1024,
            cpu: Duration::from_secs(10),
            instances: 32,
            queue: Duration::from_secs(10),
            shutdown: Duration::from_secs(5),
        }
    }
}

/// Counts the linear memory of one store against its bound.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    left: usize,
}

/// Elements of all tables of an instance; a table element is a pointer.
const TABLE_ELEMENTS: usize = 1 << 20;

impl MemoryBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { left: bytes }
    }
}

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        // A memory that cannot grow in the end has been counted: the guest is out of memory either way.
        match self.left.checked_sub(desired.saturating_sub(current)) {
            Some(left) => {
                self.left = left;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}
