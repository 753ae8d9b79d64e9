//! Limits of each component, so that none can starve the others.

use std::time::Duration;

use wasmtime::ResourceLimiter;

/// Limits per component and instance. The first four are Spin's defaults; Spin has no counterpart of the others (it never stops a
/// loop in a component), so a component that stays within them behaves the same on both.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Maximum number of requests that an instance handles in its lifetime. It handles more if it cannot retire, see
    /// [`Limits::retiring`].
    pub requests_per_instance: usize,
    /// Maximum number of requests that an instance handles at once.
    pub concurrent_requests: usize,
    /// How long an instance without a request or task is kept.
    pub idle: Duration,
    /// Maximum duration of a request; `None` for no limit.
    pub request: Option<Duration>,
    /// Maximum total size of an instance's linear memories, in bytes. Growing beyond it fails in the guest.
    pub memory_bytes: usize,
    /// Maximum time that a guest may compute without waiting for anything; then it traps.
    pub cpu: Duration,
    /// Maximum number of instances per component that accept requests.
    pub instances: usize,
    /// Maximum number of instances per component that have handled all their requests, but are still sending a response or running a
    /// task. They do not count towards `instances`. While there are that many, the others go on accepting requests instead of retiring.
    pub retiring: usize,
    /// How many more instances per component there may be for reserved requests, see
    /// [`HostBuilder::reserve`](crate::HostBuilder::reserve).
    pub reserved: usize,
    /// Maximum time that a request waits for an instance before the response is 503. Requests get instances in the order in which
    /// they came.
    pub queue: Duration,
    /// Maximum time that a shutdown waits for requests and tasks.
    pub shutdown: Duration,
    /// Limits of inbound connections, heads, bodies and unread responses.
    pub http: bounded_http::Limits,
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
            retiring: 32,
            reserved: 4,
            queue: Duration::from_secs(10),
            shutdown: Duration::from_secs(5),
            http: bounded_http::Limits::default(),
        }
    }
}

/// Counts the linear memory of one store against its limit.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    left: usize,
}

/// Maximum number of elements per table; an element is a pointer.
const TABLE_ELEMENTS: usize = 1 << 20;

impl MemoryBudget {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { left: bytes }
    }
}

impl ResourceLimiter for MemoryBudget {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        // If growing fails afterwards, the memory has been counted anyway: the guest is out of memory either way.
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
