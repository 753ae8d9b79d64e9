//! Clients that send too much or too slowly, do not read, or are too many.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test helpers may panic as tests do"
)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bounded_http::{BodyError, Client, Limits, Pace, RequestBody, serve};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than any step takes, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// Longer than any test, for limits that a test does not mean to reach.
const NEVER: Duration = Duration::from_secs(600);

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(async move {
            serve(listener, limits, stopped, answer).await.ended().await;
        });
        Self { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address)
            .await
            .expect("the server listens")
    }

    /// A connection with a response that is not complete.
    async fn reading(&self) -> TcpStream {
        self.try_reading().await.expect("a response")
    }

    async fn try_reading(&self) -> Option<TcpStream> {
        let mut stream = self.connect().await;
        stream.write_all(get("/large").as_bytes()).await.ok()?;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.ok()?;
        Some(stream)
    }

    /// A connection that has had a request, and its response.
    async fn used(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        exchange(&mut stream, path).await;
        stream
    }
}

/// `/length` answers with the size of the body or why it cannot be read; `/keep` keeps the connection; `/large` sends 64 MiB. The others say whether the connection is beyond the limit.
async fn answer(request: Request<RequestBody>, client: Client) -> Result<Response<Full<Bytes>>, Infallible> {
    let text = match request.uri().path() {
        "/length" => match request.into_body().collect().await {
            Ok(body) => body.to_bytes().len().to_string(),
            Err(BodyError::TooSlow) => "too slow".to_owned(),
            Err(error) => error.to_string(),
        },
        "/large" => "x".repeat(64 << 20),
        "/keep" => {
            client.keep();
            "kept".to_owned()
        }
        _ => client.is_beyond_limit().to_string(),
    };
    Ok(Response::new(Full::new(Bytes::from(text))))
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}

async fn send(stream: &mut TcpStream, text: &str) {
    stream
        .write_all(text.as_bytes())
        .await
        .expect("an open connection");
}

/// Sends a request and reads its response, whose body must be short.
async fn exchange(stream: &mut TcpStream, path: &str) -> String {
    send(stream, &get(path)).await;
    let mut answer = String::new();
    while !["true", "false", "kept"].iter().any(|end| answer.ends_with(end)) {
        let mut read = [0; 4096];
        let length = tokio::time::timeout(DEADLINE, stream.read(&mut read))
            .await
            .expect("a response in time")
            .expect("an open connection");
        assert_ne!(length, 0, "the connection was closed");
        answer += &String::from_utf8_lossy(read.get(..length).unwrap_or_default());
    }
    answer
}

/// What the server sends until it closes the connection, in whatever way.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut part = vec![0; 64 * 1024];
    let reading = async {
        while let Ok(length @ 1..) = stream.read(&mut part).await {
            read.extend_from_slice(part.get(..length).unwrap_or_default());
        }
    };
    tokio::time::timeout(DEADLINE, reading)
        .await
        .expect("the connection is closed in time");
    String::from_utf8_lossy(&read).into_owned()
}

fn limits() -> Limits {
    Limits {
        head: NEVER,
        idle: NEVER,
        ..Limits::default()
    }
}

fn pace(patience: Duration) -> Pace {
    Pace {
        patience,
        bytes_per_second: 1_000_000,
    }
}

#[tokio::test]
async fn a_head_that_is_too_large_is_answered_with_431() {
    let server = Server::start(limits()).await;
    let mut stream = server.connect().await;
    let header = format!(
        "GET / HTTP/1.1\r\nhost: x\r\nx: {}\r\n\r\n",
        "y".repeat(32 * 1024)
    );
    send(&mut stream, &header).await;
    let answer = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let mut stream = server.connect().await;
    send(
        &mut stream,
        &header.replace(&"y".repeat(32 * 1024), &"y".repeat(31 * 1024)),
    )
    .await;
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.expect("a response");
    assert_eq!(&start, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_head_must_be_complete_in_time_even_on_a_used_connection() {
    let server = Server::start(Limits {
        head: Duration::from_millis(50),
        ..limits()
    })
    .await;
    let mut stream = server.used("/").await;
    // It may be idle for longer than a head may take.
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(exchange(&mut stream, "/").await.starts_with("HTTP/1.1 200 "));
    send(&mut stream, "GET / HTTP/1.1\r\n").await;
    assert_eq!(until_closed(&mut stream).await, "");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let server = Server::start(Limits {
        head: Duration::from_millis(50),
        idle: Duration::from_millis(50),
        ..limits()
    })
    .await;
    assert_eq!(until_closed(&mut server.connect().await).await, "");
    assert_eq!(until_closed(&mut server.used("/").await).await, "");
}

#[tokio::test]
async fn a_body_must_arrive_at_a_pace() {
    let server = Server::start(Limits {
        request_body: pace(Duration::from_millis(100)),
        ..limits()
    })
    .await;
    let mut stalled = server.connect().await;
    send(
        &mut stalled,
        "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc",
    )
    .await;
    assert!(until_closed(&mut stalled).await.ends_with("too slow"));
    // A byte now and then does not help.
    let mut slow = server.connect().await;
    send(
        &mut slow,
        "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 999999\r\n\r\n",
    )
    .await;
    let (mut reading, mut writing) = slow.split();
    let drip = async {
        while writing.write_all(b"a").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        std::future::pending::<()>().await
    };
    let mut start = [0; 12];
    tokio::select! {
        () = drip => {}
        read = tokio::time::timeout(DEADLINE, reading.read_exact(&mut start)) => {
            read.expect("a response in time").expect("a response");
        }
    }
    assert_eq!(&start, b"HTTP/1.1 200");
}

#[tokio::test]
async fn a_client_that_does_not_read_is_disconnected() {
    let server = Server::start(Limits {
        response: pace(Duration::from_millis(100)),
        ..limits()
    })
    .await;
    let mut stream = server.connect().await;
    send(&mut stream, &get("/large")).await;
    // The shutdown waits for responses, so it ends only if this one is given up.
    stream.readable().await.expect("a response");
    let _ = server.stop.send(());
    tokio::time::timeout(DEADLINE, server.task)
        .await
        .expect("the response is given up")
        .expect("no panic");
}

#[tokio::test]
async fn the_connection_that_is_idle_for_longest_makes_room() {
    let server = Server::start(Limits {
        connections: 3,
        reserved_connections: 0,
        ..limits()
    })
    .await;
    let mut kept = server.used("/keep").await;
    let mut oldest = server.used("/").await;
    let mut newer = server.used("/").await;
    let mut newest = server.used("/").await;
    assert_eq!(until_closed(&mut oldest).await, "");
    for stream in [&mut kept, &mut newer, &mut newest] {
        assert!(exchange(stream, "/").await.starts_with("HTTP/1.1 200 "));
    }
    // An incomplete head is no request, either.
    send(&mut newer, "GET / HTTP/1.1\r\nx: ").await;
    exchange(&mut newest, "/").await;
    server.used("/").await;
    assert_eq!(until_closed(&mut newer).await, "");
}

#[tokio::test]
async fn a_few_connections_beyond_the_limit_are_told_apart() {
    let server = Server::start(Limits {
        connections: 1,
        reserved_connections: 1,
        ..limits()
    })
    .await;
    let _first = server.reading().await;
    let mut beyond = server.connect().await;
    assert!(exchange(&mut beyond, "/").await.ends_with("true"));
    drop(beyond);
    // Its end may not have been noticed yet.
    let _second = loop {
        if let Some(stream) = server.try_reading().await {
            break stream;
        }
    };
    let mut refused = server.connect().await;
    assert_eq!(until_closed(&mut refused).await, "");
}
