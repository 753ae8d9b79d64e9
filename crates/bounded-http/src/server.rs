//! Accepts connections and serves them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::body::{RequestBody, ResponseBody};
use crate::connections::{Client, Connection, Connections};
use crate::limits::Limits;
use crate::stream::TimedStream;

/// Pause after a connection could not be accepted, for example because the process is out of file handles: existing connections must
/// end first.
const PAUSE: Duration = Duration::from_millis(50);

/// A server that accepts no more connections. Dropping it closes those that are left.
pub struct Serving {
    graceful: GracefulShutdown,
    connections: JoinSet<()>,
}

impl Serving {
    /// Closes idle connections, and returns once the requests in flight have been answered.
    pub async fn ended(mut self) {
        self.graceful.shutdown().await;
        while self.connections.join_next().await.is_some() {}
    }
}

/// Maximum size of each of the two buffers of a connection, in bytes; hyper's default is 400 KiB.
const BUFFER: usize = 64 * 1024;

/// Accepts connections and answers their requests with `service` until `shutdown` completes. Then it stops listening.
///
/// A head over [`Limits::head_bytes`] is answered with 431 and an invalid one with 400, both without a body.
/// [`Client::keep`] and [`Client::is_beyond_limit`] concern the maximum number of connections.
pub async fn serve<S, F, B>(
    listener: TcpListener,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
    service: S,
) -> Serving
where
    S: Fn(Request<RequestBody>, Client) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body<Data: Send, Error: std::error::Error + Send + Sync + 'static> + Send + Unpin + 'static,
{
    let connections = Connections::new(limits.connections, limits.reserved_connections);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.idle.max(limits.head))
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes.max(BUFFER));
    let (mut tasks, graceful) = (JoinSet::new(), GracefulShutdown::new());
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next() => continue,
            () = &mut shutdown => break,
        };
        match accepted {
            Ok((stream, client)) => match connections.open(client) {
                Some(connection) => {
                    let served = converse(
                        http.clone(),
                        stream,
                        connection,
                        limits.clone(),
                        service.clone(),
                        graceful.watcher(),
                    );
                    tasks.spawn(served);
                }
                None => tracing::warn!(%client, "connection refused: there are too many"),
            },
            Err(error) => {
                tracing::warn!(%error, "connection not accepted");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    Serving {
        graceful,
        connections: tasks,
    }
}

/// Serves one connection.
async fn converse<S, F, B>(
    http: http1::Builder,
    stream: TcpStream,
    connection: Arc<Connection>,
    limits: Limits,
    service: S,
    watcher: Watcher,
) where
    S: Fn(Request<RequestBody>, Client) -> F + Send + 'static,
    F: Future<Output = Result<Response<B>, Infallible>> + Send + 'static,
    B: Body<Data: Send, Error: std::error::Error + Send + Sync + 'static> + Send + Unpin + 'static,
{
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY not set");
    }
    let _ending = Ending(connection.clone());
    let client: SocketAddr = Client(connection.clone()).address();
    let stream = TimedStream::new(stream, connection.clone(), &limits);
    let answering = connection.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let in_flight = answering.begin();
        let request = request.map(|body| RequestBody::new(body, limits.request_body));
        let answer = service(request, Client(answering.clone()));
        async move {
            let Ok(response) = answer.await;
            Ok::<_, Infallible>(response.map(|body| ResponseBody {
                body,
                _in_flight: in_flight,
            }))
        }
    });
    let served = watcher.watch(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        ended = served => if let Err(error) = ended {
            tracing::debug!(%error, %client, "connection ended");
        },
        () = connection.closing() => tracing::debug!(%client, "idle connection closed: there are too many"),
    }
}

/// Uncounts a connection when its task ends in any way.
struct Ending(Arc<Connection>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}
