//! Connections to plain HTTP servers that are kept for the next request.
//!
//! A sidecar is called several times for one request of a user; opening a connection is dearer than the call. Spin keeps
//! connections as well, but writes head and body apart without TCP_NODELAY, which costs 40 ms on a kept one; here they go at once.
//!
//! A connection has no task of its own: whoever waits for its answer drives it. Two tasks would wake each other twice a
//! call, mostly from one processor to another, which is dearer than what they do.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::uri::Authority;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
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
    line: Line,
    since: Instant,
}

/// What drives a request on that is answered before it is sent.
pub(crate) type Rest = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl Connections {
    fn kept(&self) -> MutexGuard<'_, HashMap<Authority, Vec<Kept>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one that was used last. Those that waited too long end.
    fn take(&self, server: &Authority) -> Option<Line> {
        let mut all = self.kept();
        all.retain(|_, kept| {
            kept.retain(|kept| kept.since.elapsed() < IDLE);
            !kept.is_empty()
        });
        all.get_mut(server)?.pop().map(|kept| kept.line)
    }

    /// One that takes a request. Those that the server closed meanwhile end.
    async fn free(&self, server: &Authority) -> Option<Line> {
        while let Some(mut line) = self.take(server) {
            if line.is_free().await {
                return Some(line);
            }
        }
        None
    }

    fn put_back(&self, server: Authority, line: Line) {
        let since = Instant::now();
        let mut all = self.kept();
        let kept = all.entry(server).or_default();
        if kept.len() < MOST && !line.sender.is_closed() {
            kept.push(Kept { line, since });
        }
    }

    /// Sends a request, over a kept connection if there is one. The second part of the result is to be polled until it is ready, or
    /// what is left of the request's body goes no further unless the answer is read.
    ///
    /// # Errors
    ///
    /// What `wasi:http` has for it. A request that failed may have been received.
    pub(crate) async fn send(
        self: Arc<Self>,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<(Response<WasiBody>, Rest), Error> {
        let server = request.uri().authority().cloned();
        let server = server.ok_or(Error::HttpRequestUriInvalid)?;
        let limit =
            |of: fn(RequestOptions) -> Option<Duration>| options.and_then(of).unwrap_or(DEFAULT_TIMEOUT);
        // The body has the other one of these until it is sent, and dropped.
        let sending = Arc::new(());
        let held = sending.clone();
        let mut request = request.map(|body| {
            body.map_err(move |error| {
                let _until_sent = &held;
                error
            })
            .boxed_unsync()
        });
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);

        let first_byte = limit(|options| options.first_byte_timeout);
        loop {
            let (kept, mut line) = match self.free(&server).await {
                Some(line) => (true, line),
                None => (
                    false,
                    connect(&server, limit(|options| options.connect_timeout)).await?,
                ),
            };
            if kept && request.body().size_hint().exact() != Some(0) {
                // The component goes on meanwhile and writes the body, so that it leaves with the head.
                tokio::task::yield_now().await;
            }
            let sent = line.sender.try_send_request(request);
            let sent = timeout(first_byte, line.drive(sent)).await;
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
            let (parts, incoming) = response.into_parts();
            let shared = Arc::new(Mutex::new(Shared {
                line: Some(line),
                rest: None,
            }));
            let mut body = Answer {
                incoming,
                shared: shared.clone(),
                home: Some((self, server)),
                between: limit(|options| options.between_bytes_timeout),
                deadline: None,
            };
            if body.incoming.is_end_stream() {
                body.keep();
            }
            let rest: Rest = match Arc::strong_count(&sending) {
                1 => Box::new(std::future::ready(Ok(()))),
                _ => Box::new(rest(shared)),
            };
            return Ok((Response::from_parts(parts, body.boxed_unsync()), rest));
        }
    }
}

type Driver = Pin<Box<Connection<TokioIo<TcpStream>, WasiBody>>>;

/// A connection. It goes on only while it is polled.
struct Line {
    sender: SendRequest<WasiBody>,
    /// None once it has ended.
    connection: Option<Driver>,
}

impl Line {
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && let Poll::Ready(result) = connection.as_mut().poll(context)
        {
            // Whoever has a request on it is told.
            if let Err(error) = result {
                tracing::debug!(%error, "outbound connection ended");
            }
            self.connection = None;
        }
    }

    /// Waits for something that this connection brings.
    async fn drive<T>(&mut self, wanted: impl Future<Output = T>) -> T {
        let mut wanted = pin!(wanted);
        poll_fn(|context| {
            self.poll(context);
            wanted.as_mut().poll(context)
        })
        .await
    }

    /// Whether it takes a request now: it is open, and what was before is read to its end.
    async fn is_free(&mut self) -> bool {
        poll_fn(|context| {
            self.poll(context);
            Poll::Ready(self.sender.is_ready())
        })
        .await
    }
}

async fn connect(server: &Authority, limit: Duration) -> Result<Line, Error> {
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
    Ok(Line {
        sender,
        connection: Some(Box::pin(connection)),
    })
}

/// A connection between the answer that is read from it and the request that is still being written to it.
struct Shared {
    /// None once the answer is read, or given up.
    line: Option<Line>,
    /// Who drives what is left of the request.
    rest: Option<Waker>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Drives a connection until its answer is read.
async fn rest(shared: Arc<Mutex<Shared>>) -> Result<(), Error> {
    poll_fn(|context| {
        let mut shared = lock(&shared);
        let open = shared.line.as_mut().is_some_and(|line| {
            line.poll(context);
            line.connection.is_some()
        });
        if !open {
            return Poll::Ready(Ok(()));
        }
        shared.rest = Some(context.waker().clone());
        Poll::Pending
    })
    .await
}

/// The body of an answer. Its connection is kept once it is read.
struct Answer {
    incoming: Incoming,
    shared: Arc<Mutex<Shared>>,
    /// Where the connection goes then.
    home: Option<(Arc<Connections>, Authority)>,
    between: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl Answer {
    /// Takes the connection away from the rest of the request.
    fn take_line(&self) -> Option<Line> {
        let mut shared = lock(&self.shared);
        if let Some(waker) = shared.rest.take() {
            waker.wake();
        }
        shared.line.take()
    }

    fn keep(&mut self) {
        if let Some((connections, server)) = self.home.take()
            && let Some(line) = self.take_line()
        {
            connections.put_back(server, line);
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // Nobody reads the rest, so nobody could use the connection again.
        drop(self.take_line());
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
        let mut frame = Pin::new(&mut this.incoming).poll_frame(context);
        if frame.is_pending() {
            if let Some(line) = &mut lock(&this.shared).line {
                line.poll(context);
            }
            frame = Pin::new(&mut this.incoming).poll_frame(context);
        }
        if let Poll::Ready(frame) = frame {
            this.deadline = None;
            // A body in chunks (RFC 9112, section 7.1) ends with no frame, not with its last one.
            if frame.is_none() || this.incoming.is_end_stream() {
                this.keep();
            }
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
        let said = request.into_body().collect();
        if path == "/early" {
            let length = async {
                Ok(Frame::data(
                    said.await
                        .expect("a whole body")
                        .to_bytes()
                        .len()
                        .to_string()
                        .into(),
                ))
            };
            return Ok(Response::new(
                StreamBody::new(futures_util::stream::once(length)).boxed_unsync(),
            ));
        }
        let said = said.await.expect("a whole body").to_bytes();
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
            "/in-pieces" => {
                let frames = futures_util::stream::iter([
                    Ok(Frame::data(said.slice(..1))),
                    Ok(Frame::data(said.slice(1..))),
                ]);
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
            .map(|(response, _)| response)
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
            let path = "/in-pieces";
            assert_eq!(text(send(&connections, server, path).await).await, path);
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
    async fn a_request_whose_answer_begins_first_is_sent_to_its_end() {
        const CHUNK: Bytes = Bytes::from_static(&[0; 64 * 1024]);
        let (server, opened) = server().await;
        let connections = Arc::<Connections>::default();
        let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
        let chunks = futures_util::stream::unfold(receiver, async |mut receiver| {
            Some((Ok(Frame::data(receiver.recv().await?)), receiver))
        });
        let request =
            Request::post(format!("http://{server}/early")).body(StreamBody::new(chunks).boxed_unsync());
        let sent = connections.clone().send(request.expect("valid"), None).await;
        let (response, rest) = sent.expect("an answer");
        let rest = tokio::spawn(Box::into_pin(rest));
        // Nobody reads the answer meanwhile.
        for _ in 0..100 {
            let taken = timeout(Duration::from_secs(30), sender.send(CHUNK)).await;
            taken.expect("the connection goes on").expect("somebody takes it");
        }
        drop(sender);
        assert_eq!(text(Ok(response)).await, (100 * CHUNK.len()).to_string());
        rest.await.expect("no panic").expect("no error");
        assert_eq!(text(send(&connections, server, "/more").await).await, "/more");
        assert_eq!(opened.load(Ordering::Relaxed), 1);
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
