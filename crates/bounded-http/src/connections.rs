//! Counts connections, and selects the one to close when there are too many.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The connections of a server.
#[derive(Debug)]
pub(crate) struct Connections {
    limit: usize,
    reserved: usize,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// Connections that are neither closed nor told to close.
    open: usize,
    /// The next key in `idle`.
    next: u64,
    /// The connections that may be closed, oldest first.
    idle: BTreeMap<u64, Arc<Connection>>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    connections: Arc<Connections>,
    client: SocketAddr,
    beyond_limit: bool,
    kept: AtomicBool,
    /// The number of requests that began.
    requests: AtomicU64,
    /// Whether one of them is in flight.
    busy: AtomicBool,
    /// Whether the client has to read before more can be written.
    writing: AtomicBool,
    state: Mutex<State>,
    closing: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The key in `Table::idle` while the connection has no request.
    idle: Option<u64>,
    /// Told to close, and no longer counted.
    evicted: bool,
}

impl Connections {
    pub(crate) fn new(limit: usize, reserved: usize) -> Arc<Self> {
        Arc::new(Self {
            limit,
            reserved,
            table: Mutex::default(),
        })
    }

    /// Counts a connection. Returns `None` if there are too many, and none can be closed instead.
    pub(crate) fn open(self: &Arc<Self>, client: SocketAddr) -> Option<Arc<Connection>> {
        let mut table = lock(&self.table);
        if table.open >= self.limit
            && let Some(oldest) = table.take_oldest()
        {
            let mut state = lock(&oldest.state);
            (state.idle, state.evicted) = (None, true);
            table.open -= 1;
            oldest.closing.notify_one();
        }
        if table.open >= self.limit + self.reserved {
            return None;
        }
        let connection = Arc::new(Connection {
            connections: self.clone(),
            client,
            beyond_limit: table.open >= self.limit,
            kept: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            busy: AtomicBool::new(false),
            writing: AtomicBool::new(false),
            state: Mutex::default(),
            closing: Notify::new(),
        });
        table.open += 1;
        table.wait(&connection);
        Some(connection)
    }
}

impl Table {
    /// Removes the connection that has been idle for longest. One whose client has not read the end of a response is not idle.
    fn take_oldest(&mut self) -> Option<Arc<Connection>> {
        let mut idle = self.idle.iter();
        let (key, _) = idle.find(|(_, connection)| !connection.writing.load(Ordering::Relaxed))?;
        let key = *key;
        self.idle.remove(&key)
    }

    /// Adds a connection to those that may be closed.
    fn wait(&mut self, connection: &Arc<Connection>) {
        let mut state = lock(&connection.state);
        if state.evicted || connection.kept.load(Ordering::Relaxed) {
            return;
        }
        state.idle = Some(self.next);
        self.idle.insert(self.next, connection.clone());
        self.next += 1;
    }
}

impl Connection {
    /// The number of requests so far if the next one is awaited, `None` while a request is in flight.
    pub(crate) fn awaits_request(&self) -> Option<u64> {
        (!self.busy.load(Ordering::Relaxed)).then(|| self.requests.load(Ordering::Relaxed))
    }

    /// Whether the client has to read before more can be written.
    pub(crate) fn set_writing(&self, writing: bool) {
        self.writing.store(writing, Ordering::Relaxed);
    }

    /// Completes when the connection has to be closed.
    pub(crate) async fn closing(&self) {
        self.closing.notified().await;
    }

    /// A request begins.
    pub(crate) fn begin(self: &Arc<Self>) -> InFlight {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.busy.store(true, Ordering::Relaxed);
        let mut table = lock(&self.connections.table);
        if let Some(key) = lock(&self.state).idle.take() {
            table.idle.remove(&key);
        }
        InFlight(self.clone())
    }

    /// The connection is closed.
    pub(crate) fn end(&self) {
        let mut table = lock(&self.connections.table);
        let mut state = lock(&self.state);
        if let Some(key) = state.idle.take() {
            table.idle.remove(&key);
        }
        if !state.evicted {
            state.evicted = true;
            table.open -= 1;
        }
    }
}

/// A request that has not been answered completely.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Connection>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.busy.store(false, Ordering::Relaxed);
        lock(&self.0.connections.table).wait(&self.0);
    }
}

/// The client of a request, and its connection.
#[derive(Clone, Debug)]
pub struct Client(pub(crate) Arc<Connection>);

impl Client {
    /// The client's address.
    pub fn address(&self) -> SocketAddr {
        self.0.client
    }

    /// Whether the connection was accepted although the maximum number of connections was open, see
    /// [`Limits::reserved_connections`](crate::Limits::reserved_connections).
    pub fn is_beyond_limit(&self) -> bool {
        self.0.beyond_limit
    }

    /// Keeps the connection while others are closed because there are too many.
    pub fn keep(&self) {
        self.0.kept.store(true, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
