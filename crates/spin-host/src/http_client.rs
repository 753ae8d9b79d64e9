//! Requests over plain HTTP, on connections that are kept for the next request.
//!
//! This is hyper-util's pooled client, which Spin uses too, but with TCP_NODELAY: a head and a body that are written separately are
//! sent at once (decision 0027).

use std::error::Error as _;
use std::io;
use std::iter::successors;
use std::pin::pin;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

/// How long an idle connection is kept. Many servers close one after 5 s, and a request that is on its way then fails.
const IDLE: Duration = Duration::from_secs(4);

/// Maximum number of idle connections per server.
const MAX_IDLE: usize = 64;

/// Spin's limit where the request sets none.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// A client with the connections of a process.
pub(crate) struct HttpClient(Client<HttpConnector, WasiBody>);

impl Default for HttpClient {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(MAX_IDLE)
            .build(connector);
        Self(client)
    }
}

impl HttpClient {
    /// Sends a request and returns once the head of the response has arrived. As on Spin, the first-byte timeout includes the time
    /// to connect.
    ///
    /// # Errors
    ///
    /// Those of `wasi:http`. The server may have received a request that failed.
    pub(crate) async fn send(
        &self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> Result<Response<WasiBody>, Error> {
        let limit =
            |of: fn(RequestOptions) -> Option<Duration>| options.and_then(of).unwrap_or(DEFAULT_TIMEOUT);
        let mut connection = capture_connection(&mut request);
        let connected = async {
            connection.wait_for_connection_metadata().await;
        };
        let connected = timeout(limit(|options| options.connect_timeout), connected);
        let mut response = pin!(self.0.request(request));
        let exchange = async {
            tokio::select! {
                biased;
                response = &mut response => return response.map_err(failure),
                connected = connected => connected.map_err(|_| Error::ConnectionTimeout)?,
            }
            response.await.map_err(failure)
        };
        let response = timeout(limit(|options| options.first_byte_timeout), exchange).await;
        let response = response.map_err(|_| Error::ConnectionReadTimeout)??;
        let between_bytes = limit(|options| options.between_bytes_timeout);
        Ok(response.map(|body| timed(body, between_bytes)))
    }
}

/// What `wasi:http` has for an error of the client, which does not give its source away.
fn failure(error: ClientError) -> Error {
    let io = successors(error.source(), |&error| error.source())
        .find_map(|error| error.downcast_ref::<io::Error>());
    match io {
        Some(io) if error.is_connect() => Error::Connect(io::Error::new(io.kind(), io.to_string())),
        _ => {
            tracing::warn!(?error, "outbound request failed");
            Error::HttpProtocolError
        }
    }
}

/// A body that fails if its next part takes longer than `limit`.
fn timed(body: Incoming, limit: Duration) -> WasiBody {
    if body.is_end_stream() {
        return body.map_err(Error::from).boxed_unsync();
    }
    let frames = futures_util::stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match timeout(limit, body.frame()).await {
            Ok(frame) => Some((frame?.map_err(Error::from), Some(body))),
            Err(_) => Some((Err(Error::ConnectionReadTimeout), None)),
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use http_body_util::Full;
    use hyper::body::Frame;
    use hyper::server::conn::http1;
    use hyper::service::service_fn;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpSocket, TcpStream};

    use super::*;

    /// Longer than any step of a test takes, even on a busy machine.
    const DEADLINE: Duration = Duration::from_secs(30);

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
        let sent = request.into_body().collect();
        if path == "/early" {
            let length = async {
                Ok(Frame::data(
                    sent.await
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
        let sent = sent.await.expect("a whole body").to_bytes();
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
                    Ok(Frame::data(sent.slice(..1))),
                    Ok(Frame::data(sent.slice(1..))),
                ]);
                Response::new(StreamBody::new(frames).boxed_unsync())
            }
            "/closes" => {
                let mut response = Response::new(body(sent));
                let close = http::HeaderValue::from_static("close");
                response.headers_mut().insert(http::header::CONNECTION, close);
                response
            }
            _ => Response::new(body(sent)),
        })
    }

    fn body(bytes: Bytes) -> WasiBody {
        Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
    }

    /// Sends the path as the body, with the default timeouts.
    async fn send(client: &HttpClient, server: SocketAddr, path: &str) -> Result<Response<WasiBody>, Error> {
        send_within(client, server, path, Timeouts::default()).await
    }

    /// Timeouts in milliseconds.
    #[derive(Default)]
    struct Timeouts {
        connect: Option<u64>,
        first_byte: Option<u64>,
        between_bytes: Option<u64>,
    }

    async fn send_within(
        client: &HttpClient,
        server: SocketAddr,
        path: &str,
        timeouts: Timeouts,
    ) -> Result<Response<WasiBody>, Error> {
        let request =
            Request::post(format!("http://{server}{path}")).body(body(Bytes::from(path.to_owned())));
        let options = RequestOptions {
            connect_timeout: timeouts.connect.map(Duration::from_millis),
            first_byte_timeout: timeouts.first_byte.map(Duration::from_millis),
            between_bytes_timeout: timeouts.between_bytes.map(Duration::from_millis),
        };
        client.send(request.expect("valid"), Some(options)).await
    }

    async fn text(response: Result<Response<WasiBody>, Error>) -> Bytes {
        let response = response.expect("a response");
        response
            .into_body()
            .collect()
            .await
            .expect("a whole body")
            .to_bytes()
    }

    #[tokio::test]
    async fn a_connection_is_reused_once_its_response_is_read() {
        let (server, opened) = server().await;
        let client = HttpClient::default();
        for number in 0..20 {
            let path = format!("/{number}");
            assert_eq!(text(send(&client, server, &path).await).await, path);
            let path = "/in-pieces";
            assert_eq!(text(send(&client, server, path).await).await, path);
        }
        assert_eq!(opened.load(Ordering::Relaxed), 1);
        let unread = send(&client, server, "/begins").await.expect("a response");
        assert_eq!(text(send(&client, server, "/other").await).await, "/other");
        assert_eq!(opened.load(Ordering::Relaxed), 2, "the first one is in use");
        drop(unread);
        assert_eq!(text(send(&client, server, "/more").await).await, "/more");
        assert_eq!(opened.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closes_with_notice_is_not_reused() {
        let (server, opened) = server().await;
        let client = HttpClient::default();
        for number in 1..=5 {
            assert_eq!(text(send(&client, server, "/closes").await).await, "/closes");
            assert_eq!(opened.load(Ordering::Relaxed), number);
        }
    }

    #[tokio::test]
    async fn a_connection_that_the_server_closes_without_notice_is_not_reused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let server = listener.local_addr().expect("bound");
        let closing = async {
            for _ in 0..5 {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let mut received = Vec::new();
                while !received.ends_with(b"/path") {
                    let read = stream.read_buf(&mut received).await.expect("a request");
                    assert_ne!(read, 0, "the request breaks off");
                }
                let response = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                stream.write_all(response).await.expect("an open connection");
            }
        };
        let client = HttpClient::default();
        let requests = async {
            for _ in 0..5 {
                assert_eq!(text(send(&client, server, "/path").await).await, "ok");
            }
        };
        tokio::join!(closing, requests);
    }

    #[tokio::test]
    async fn a_request_is_sent_completely_although_its_response_begins_before() {
        const CHUNK: Bytes = Bytes::from_static(&[0; 64 * 1024]);
        let (server, opened) = server().await;
        let client = HttpClient::default();
        let (sender, receiver) = tokio::sync::mpsc::channel::<Bytes>(1);
        let chunks = futures_util::stream::unfold(receiver, async |mut receiver| {
            Some((Ok(Frame::data(receiver.recv().await?)), receiver))
        });
        let request =
            Request::post(format!("http://{server}/early")).body(StreamBody::new(chunks).boxed_unsync());
        let response = client.send(request.expect("valid"), None).await;
        let response = response.expect("a response");
        // The response is not read meanwhile.
        for _ in 0..100 {
            let taken = timeout(DEADLINE, sender.send(CHUNK)).await;
            taken.expect("the request goes on").expect("the body is open");
        }
        drop(sender);
        assert_eq!(text(Ok(response)).await, (100 * CHUNK.len()).to_string());
        assert_eq!(text(send(&client, server, "/more").await).await, "/more");
        assert_eq!(opened.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn a_response_that_does_not_come_or_does_not_go_on_fails_after_its_limit() {
        let (server, opened) = server().await;
        let client = HttpClient::default();
        let timeouts = Timeouts {
            first_byte: Some(200),
            ..Timeouts::default()
        };
        let never = timeout(DEADLINE, send_within(&client, server, "/never", timeouts)).await;
        assert!(matches!(never, Ok(Err(Error::ConnectionReadTimeout))));
        let timeouts = Timeouts {
            between_bytes: Some(200),
            ..Timeouts::default()
        };
        let begun = send_within(&client, server, "/begins", timeouts).await;
        let broken = timeout(DEADLINE, begun.expect("a response").into_body().collect()).await;
        assert!(matches!(broken, Ok(Err(Error::ConnectionReadTimeout))));
        assert_eq!(text(send(&client, server, "/well").await).await, "/well");
        assert_eq!(opened.load(Ordering::Relaxed), 3, "neither connection is reused");
    }

    #[tokio::test]
    async fn a_server_that_accepts_no_connection_is_given_up_after_the_connect_timeout() {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind(SocketAddr::from(([127, 0, 0, 1], 0)))
            .expect("a free port");
        let listener = socket.listen(1).expect("it listens");
        let server = listener.local_addr().expect("bound");
        // Its queue is full once a connection has to wait.
        let mut queue = Vec::new();
        while let Ok(queued) = timeout(Duration::from_millis(200), TcpStream::connect(server)).await {
            queue.push(queued.expect("it listens"));
        }
        let timeouts = Timeouts {
            connect: Some(200),
            ..Timeouts::default()
        };
        let client = HttpClient::default();
        let refused = timeout(DEADLINE, send_within(&client, server, "/", timeouts)).await;
        assert!(matches!(refused, Ok(Err(Error::ConnectionTimeout))));
    }
}
