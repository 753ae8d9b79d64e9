//! A scripted HTTP API of a sidecar: it sends the given responses in order, and records the requests.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A response of the script.
#[derive(Debug, Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    silent: bool,
}

impl Reply {
    /// Without a body.
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
            silent: false,
        }
    }

    /// With a body of type `application/json`.
    pub fn json(status: u16, body: &str) -> Self {
        Self::empty(status)
            .header("content-type", "application/json")
            .body(body)
    }

    /// With a body of type `text/plain`.
    pub fn text(status: u16, body: &str) -> Self {
        Self::empty(status)
            .header("content-type", "text/plain; charset=utf-8")
            .body(body)
    }

    /// No response: the connection stays open.
    pub fn silence() -> Self {
        Self {
            silent: true,
            ..Self::empty(0)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }
}

#[derive(Default)]
struct Script {
    replies: VecDeque<Reply>,
    requests: Vec<String>,
}

/// A server on a free port of the loopback interface. It ends when it is dropped.
pub struct ScriptedSidecar {
    address: SocketAddr,
    script: Arc<Mutex<Script>>,
    _tasks: JoinSet<()>,
}

/// Headers that [`ScriptedSidecar::requests`] shows; the others are the HTTP client's own.
const SHOWN: [&str; 4] = ["content-type", "dapr-api-token", "if-match", "traceparent"];

impl ScriptedSidecar {
    /// Starts one without a script: it answers 500 until [`reply`](Self::reply) adds a response.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let script = Arc::new(Mutex::new(Script::default()));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, script.clone()));
        Ok(Self {
            address,
            script,
            _tasks: tasks,
        })
    }

    /// Its address, for the variable `dapr_http_endpoint`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a response to the script.
    pub fn reply(&self, reply: Reply) {
        lock(&self.script).replies.push_back(reply);
    }

    /// The requests since the last call: request line, relevant headers and body, each as text.
    pub fn requests(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.script).requests)
    }
}

fn lock(script: &Mutex<Script>) -> MutexGuard<'_, Script> {
    script.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(listener: TcpListener, script: Arc<Mutex<Script>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let script = script.clone();
        let service = service_fn(move |request| answer(script.clone(), request));
        connections.spawn(async move {
            // The client may disconnect at any time.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(
    script: Arc<Mutex<Script>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let mut shown = format!("{} {}\n", parts.method, parts.uri);
    for name in SHOWN {
        for value in parts.headers.get_all(name) {
            let _ = writeln!(shown, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        }
    }
    if !body.is_empty() {
        let _ = writeln!(shown, "\n{}", String::from_utf8_lossy(&body));
    }
    let reply = {
        let mut script = lock(&script);
        script.requests.push(shown);
        script
            .replies
            .pop_front()
            .unwrap_or_else(|| Reply::text(500, "the script is over"))
    };
    if reply.silent {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    Ok(response
        .body(Full::new(Bytes::from(reply.body)))
        .unwrap_or_default())
}
