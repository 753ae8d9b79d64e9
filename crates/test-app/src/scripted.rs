//! The script.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

/// The longest a test waits, in real time, for something that must happen.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Every path that has no gate of its own.
pub const ANY: &str = "*";

/// What daprd asks an app when it starts.
const DAPRS_QUESTIONS: &str = "/dapr/";

/// A request that an app received.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its method.
    pub method: Method,
    /// Its path, with its query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Seen {
    /// A header's text.
    ///
    /// # Panics
    ///
    /// It is no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("a text header"))
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// It is none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text body")
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// It is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// What responds to a path.
type Responder = Arc<dyn Fn(&Seen) -> (u16, String) + Send + Sync>;

struct Script {
    seen: watch::Sender<Vec<Seen>>,
    in_flight: AtomicUsize,
    most_in_flight: AtomicUsize,
    answers: Mutex<BTreeMap<String, VecDeque<(u16, String)>>>,
    responders: Mutex<BTreeMap<String, Responder>>,
    /// Paths whose answers wait for the test.
    gates: Mutex<BTreeMap<String, Arc<Notify>>>,
}

/// An app that records what it gets. It answers 200 unless told otherwise, and 404 to daprd's questions.
#[derive(Clone)]
pub struct Scripted {
    script: Arc<Script>,
    /// Where it listens, such as `http://127.0.0.1:40000`.
    pub url: String,
}

impl Scripted {
    /// Starts one on a free port.
    ///
    /// # Panics
    ///
    /// No port is free.
    pub async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.expect("a free port"))
    }

    /// Starts one on a port.
    ///
    /// # Panics
    ///
    /// The listener is not bound.
    pub fn on(listener: TcpListener) -> Self {
        let script = Arc::new(Script {
            seen: watch::Sender::new(Vec::new()),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            answers: Mutex::default(),
            responders: Mutex::default(),
            gates: Mutex::default(),
        });
        let url = format!("http://{}", listener.local_addr().expect("a bound address"));
        let router = Router::new().fallback(record).with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { script, url }
    }

    /// The next answers to a path, as status and JSON; the last one stays.
    ///
    /// # Panics
    ///
    /// An answer panicked.
    pub fn answers(&self, path: &str, answers: &[(u16, &str)]) {
        let answers = answers
            .iter()
            .map(|(status, body)| (*status, (*body).to_owned()))
            .collect();
        self.script
            .answers
            .lock()
            .expect("not poisoned")
            .insert(path.to_owned(), answers);
    }

    /// Responds to a path, as status and body, by what has come; instead of [`Scripted::answers`].
    ///
    /// # Panics
    ///
    /// An answer panicked.
    pub fn responds(&self, path: &str, respond: impl Fn(&Seen) -> (u16, String) + Send + Sync + 'static) {
        self.script
            .responders
            .lock()
            .expect("not poisoned")
            .insert(path.to_owned(), Arc::new(respond));
    }

    /// Holds the answers to a path, or with [`ANY`] those to all others, until the returned gate is notified, once for each.
    ///
    /// # Panics
    ///
    /// An answer panicked.
    pub fn gate(&self, path: &str) -> Arc<Notify> {
        let gate = Arc::new(Notify::new());
        self.script
            .gates
            .lock()
            .expect("not poisoned")
            .insert(path.to_owned(), gate.clone());
        gate
    }

    /// How many requests were in flight at the same time at most, without daprd's questions.
    pub fn most_in_flight(&self) -> usize {
        self.script.most_in_flight.load(Ordering::Relaxed)
    }

    /// What has come to a path so far.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        self.script
            .seen
            .borrow()
            .iter()
            .filter(|seen| seen.path == path)
            .cloned()
            .collect()
    }

    /// What has come to a path since it was last taken. It is not seen any more.
    pub fn take(&self, path: &str) -> Vec<Seen> {
        let mut taken = Vec::new();
        self.script.seen.send_modify(|seen| {
            let (these, others) = std::mem::take(seen)
                .into_iter()
                .partition(|seen| seen.path == path);
            taken = these;
            *seen = others;
        });
        taken
    }

    /// Waits until `count` requests have come, whatever their paths, without daprd's questions.
    ///
    /// # Panics
    ///
    /// They do not come within [`PATIENCE`].
    pub async fn wait_for_any(&self, count: usize) {
        let mut seen = self.script.seen.subscribe();
        let enough = seen.wait_for(|seen| {
            let asked = |seen: &&Seen| !seen.path.starts_with(DAPRS_QUESTIONS);
            seen.iter().filter(asked).count() >= count
        });
        let enough = tokio::time::timeout(PATIENCE, enough).await.is_ok();
        assert!(enough, "fewer than {count} requests have come");
    }

    /// Waits until `count` requests have come to a path.
    ///
    /// # Panics
    ///
    /// They do not come within [`PATIENCE`].
    pub async fn wait(&self, path: &str, count: usize) -> Vec<Seen> {
        let mut seen = self.script.seen.subscribe();
        let enough = seen.wait_for(|seen| seen.iter().filter(|seen| seen.path == path).count() >= count);
        let enough = tokio::time::timeout(PATIENCE, enough).await;
        assert!(
            enough.is_ok(),
            "{count} requests to {path}, but only {:#?}",
            self.seen(path)
        );
        drop(enough);
        self.seen(path)
    }
}

/// A request that is being answered.
struct InFlight(Arc<Script>);

impl InFlight {
    fn enter(script: Arc<Script>) -> Self {
        let now = script.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        script.most_in_flight.fetch_max(now, Ordering::Relaxed);
        Self(script)
    }
}

impl Drop for InFlight {
    /// Also when the sidecar has gone away.
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn record(State(script): State<Arc<Script>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("a whole body");
    let path = parts.uri.path().to_owned();
    if path.starts_with(DAPRS_QUESTIONS) {
        script.seen.send_modify(|seen| {
            seen.push(Seen {
                method: parts.method,
                path,
                headers: parts.headers,
                body,
            })
        });
        return StatusCode::NOT_FOUND.into_response();
    }
    let _in_flight = InFlight::enter(script.clone());
    let seen = Seen {
        method: parts.method,
        path: parts
            .uri
            .path_and_query()
            .map_or("", |all| all.as_str())
            .to_owned(),
        headers: parts.headers,
        body,
    };
    script.seen.send_modify(|all| all.push(seen.clone()));
    let gate = {
        let gates = script.gates.lock().expect("not poisoned");
        gates.get(&path).or_else(|| gates.get(ANY)).cloned()
    };
    if let Some(gate) = gate {
        gate.notified().await;
    }
    let responder = script
        .responders
        .lock()
        .expect("not poisoned")
        .get(&path)
        .cloned();
    if let Some(responder) = responder {
        let (status, body) = responder(&seen);
        let status = StatusCode::from_u16(status).expect("a status");
        return (status, [("x-app", "1")], body).into_response();
    }
    let mut answers = script.answers.lock().expect("not poisoned");
    let answer = answers.get_mut(&path).and_then(|answers| match answers.len() {
        0 | 1 => answers.front().cloned(),
        _ => answers.pop_front(),
    });
    let (status, body) = answer.unwrap_or((200, String::new()));
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("x-app", "1")], body).into_response()
}
