//! Connections to plain HTTP servers that are kept for the next request.
//!
//! A sidecar is called several times for one request of a user; opening a connection is dearer than the call. Spin keeps
//! connections as well, but writes head and body apart without TCP_NODELAY, which costs 40 ms on a kept one; here they go at once.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::uri::Authority;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Sleep, timeout};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// A server may close a connection that nobody uses; many do after 5 s. One that is closed while a request is on its way to it
/// fails that request.
const IDLE: Duration = Duration::from_secs(4);

/// Idle connections to one server.
const MOST: usize = 64;

/// Spin's limit where the request sets none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// The kept connections of a process, by server.
#[derive(Default)]
pub(crate) struct Connections(Mutex<HashMap<Authority, Vec<Kept>>>);

/// A connection that was used.
struct Kept {
    sender: SendRequest<WasiBody>,
    since: Instant,
}

impl Connections {
    fn kept(&self) -> MutexGuard<'_, HashMap<Authority, Vec<Kept>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that waits for a request; the others stay, if they may become so.
    fn take(&self, server: &Authority) -> Option<SendRequest<WasiBody>> {
        let mut all = self.kept();
        let kept = all.get_mut(server)?;
        kept.retain(|kept| !kept.sender.is_closed() && kept.since.elapsed() < IDLE);
        let ready = kept.iter().rposition(|kept| kept.sender.is_ready())?;
        Some(kept.swap_remove(ready).sender)
    }

    fn put_back(&self, server: Authority, sender: SendRequest<WasiBody>) {
        let since = Instant::now();
        let mut all = self.kept();
        let kept = all.entry(server).or_default();
        if kept.len() < MOST && !sender.is_closed() {
            kept.push(Kept { sender, since });
        }
    }

    /// Sends a request, over a kept connection if there is one.
    ///
    /// # Errors
    ///
    /// What `wasi:http` has for it. A request that failed may have been received.
    pub(crate) async fn send(
        self: Arc<Self>,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<Response<WasiBody>, Error> {
        let server = request.uri().authority().cloned();
        let server = server.ok_or(Error::HttpRequestUriInvalid)?;
        let limit =
            |of: fn(RequestOptions) -> Option<Duration>| options.and_then(of).unwrap_or(DEFAULT_TIMEOUT);
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);

        let first_byte = limit(|options| options.first_byte_timeout);
        loop {
            let (kept, mut sender) = match self.take(&server) {
                Some(sender) => (true, sender),
                None => (
                    false,
                    connect(&server, limit(|options| options.connect_timeout)).await?,
                ),
            };
            let sent = timeout(first_byte, sender.try_send_request(request)).await;
            let response = match sent.map_err(|_| Error::ConnectionReadTimeout)? {
                Ok(response) => response,
                Err(mut error) => match error.take_message() {
                    // It was closed before anything was written.
                    Some(unsent) if kept => {
                        request = unsent;
                        continue;
                    }
                    _ => return Err(error.into_error().into()),
                },
            };
            let between = limit(|options| options.between_bytes_timeout);
            return Ok(response.map(|incoming| {
                let mut body = Answer {
                    incoming,
                    kept: Some((self, server, sender)),
                    between,
                    deadline: None,
                };
                body.keep_when_read();
                body.boxed_unsync()
            }));
        }
    }
}

async fn connect(server: &Authority, limit: Duration) -> Result<SendRequest<WasiBody>, Error> {
    let address = match server.port() {
        Some(_) => server.to_string(),
        None => format!("{server}:80"),
    };
    let opened = timeout(limit, async {
        let stream = TcpStream::connect(&address).await.map_err(Error::Connect)?;
        stream.set_nodelay(true).map_err(Error::Connect)?;
        Ok::<_, Error>(handshake(TokioIo::new(stream)).await?)
    });
    let (sender, connection) = opened.await.map_err(|_| Error::ConnectionTimeout)??;
    tokio::spawn(async move {
        // Whoever has a request on it is told.
        if let Err(error) = connection.await {
            tracing::debug!(%error, "outbound connection ended");
        }
    });
    Ok(sender)
}

/// The body of an answer. Its connection is kept once it is read.
struct Answer {
    incoming: Incoming,
    kept: Option<(Arc<Connections>, Authority, SendRequest<WasiBody>)>,
    between: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Answer {
    fn keep_when_read(&mut self) {
        if self.incoming.is_end_stream()
            && let Some((connections, server, sender)) = self.kept.take()
        {
            connections.put_back(server, sender);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.incoming).poll_frame(context) {
            this.deadline = None;
            this.keep_when_read();
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        let between = this.between;
        let deadline = this
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(between)));
        deadline
            .as_mut()
            .poll(context)
            .map(|()| Some(Err(Error::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http_body_util::{Full, StreamBody};
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use tokio::net::TcpListener;

    use super::*;

    /// A server that answers by path, and counts its connections.
    async fn server() -> (SocketAddr, Arc<AtomicUsize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let opened = Arc::new(AtomicUsize::new(0));
        let counter = opened.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer));
                tokio::spawn(connection);
            }
        });
        (address, opened)
    }

    async fn answer(request: Request<Incoming>) -> Result<Response<WasiBody>, Infallible> {
        let path = request.uri().path().to_owned();
        let said = request
            .into_body()
            .collect()
            .await
            .expect("a whole body")
            .to_bytes();
        let endless = async || {
            std::future::pending::<()>().await;
            None
        };
        Ok(match path.as_str() {
            "/never" => std::future::pending().await,
            "/begins" => {
                let first = Ok(Frame::data(Bytes::from("begun")));
                let rest = futures_util::stream::unfold((), move |()| endless());
                let frames = futures_util::stream::once(async { first });
                let frames = futures_util::StreamExt::chain(frames, rest);
                Response::new(StreamBody::new(frames).boxed_unsync())
            }
            "/closes" => {
                let mut response = Response::new(body(said));
                let close = http::HeaderValue::from_static("close");
                response.headers_mut().insert(http::header::CONNECTION, close);
                response
            }
            _ => Response::new(body(said)),
        })
    }

    fn body(bytes: Bytes) -> WasiBody {
        Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
    }

    async fn send(
        connections: &Arc<Connections>,
        server: SocketAddr,
        path: &str,
    ) -> Result<Response<WasiBody>, Error> {
        let request =
            Request::post(format!("http://{server}{path}")).body(body(Bytes::from(path.to_owned())));
        let limit = Some(Duration::from_millis(200));
        let options = RequestOptions {
            connect_timeout: None,
            first_byte_timeout: limit,
            between_bytes_timeout: limit,
        };
        connections
            .clone()
            .send(request.expect("valid"), Some(options))
            .await
    }

    async fn text(response: Result<Response<WasiBody>, Error>) -> Bytes {
        let response = response.expect("an answer");
        response
            .into_body()
            .collect()
            .await
            .expect("a whole body")
            .to_bytes()
    }

    #[tokio::test]
    async fn a_connection_is_used_again_once_its_answer_is_read() {
        let (server, opened) = server().await;
        let connections = Arc::default();
        for number in 0..20 {
            let path = format!("/{number}");
            assert_eq!(text(send(&connections, server, &path).await).await, path);
        }
        assert_eq!(opened.load(Ordering::Relaxed), 1);
        let unread = send(&connections, server, "/begins").await.expect("an answer");
        assert_eq!(text(send(&connections, server, "/other").await).await, "/other");
        assert_eq!(opened.load(Ordering::Relaxed), 2, "the first one is not free");
        drop(unread);
        assert_eq!(text(send(&connections, server, "/more").await).await, "/more");
        assert_eq!(opened.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closes_is_not_used_again() {
        let (server, opened) = server().await;
        let connections = Arc::default();
        for number in 1..=5 {
            assert_eq!(text(send(&connections, server, "/closes").await).await, "/closes");
            assert_eq!(opened.load(Ordering::Relaxed), number);
        }
    }

    #[tokio::test]
    async fn an_answer_that_does_not_come_or_does_not_go_on_is_given_up() {
        let (server, opened) = server().await;
        let connections = Arc::default();
        let never = send(&connections, server, "/never").await;
        assert!(matches!(never, Err(Error::ConnectionReadTimeout)));
        let begun = send(&connections, server, "/begins").await.expect("an answer");
        let broken = begun.into_body().collect().await.expect_err("it does not end");
        assert!(matches!(broken, Error::ConnectionReadTimeout), "{broken}");
        assert_eq!(text(send(&connections, server, "/well").await).await, "/well");
        assert_eq!(opened.load(Ordering::Relaxed), 3, "neither is used again");
    }
}
