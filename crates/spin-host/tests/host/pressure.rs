//! More requests than instances: who waits, in which order, and who does not have to.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderName;
use http_body_util::{BodyExt, Empty};
use spin_host::{HttpLimits, Limits, Pace, RunningHost};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{DEADLINE, Setup, app, get, read, request, send, start};

const SECRET: HeaderName = HeaderName::from_static("x-secret");

/// The status of a GET that shows a secret.
async fn get_with_secret(host: &RunningHost, path: &str, secret: &str) -> u16 {
    let request = request(path)
        .header(SECRET, secret)
        .body(Empty::<Bytes>::new())
        .expect("a valid request");
    read(send(host, request).await).await.0
}

/// A connection on which a request has been sent.
async fn sent(host: &RunningHost, text: &str) -> TcpStream {
    let mut stream = TcpStream::connect(host.local_addr())
        .await
        .expect("the host listens");
    stream
        .write_all(text.as_bytes())
        .await
        .expect("an open connection");
    stream
}

/// The complete response on a connection that the host closes after it.
async fn received(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    let _ = tokio::time::timeout(DEADLINE, reading)
        .await
        .expect("a response in time");
    answer
}

fn raw(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn requests_get_instances_in_the_order_in_which_they_came() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        instances: 1,
        concurrent_requests: 1,
        queue: DEADLINE,
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    let mut waiting = vec![sent(&host, &raw("/wait/500")).await];
    for _ in 0..20 {
        // The host answers this itself, after it has read what was sent before.
        get(&host, "/.well-known/spin/health").await;
        waiting.push(sent(&host, &raw("/seen")).await);
    }
    for (position, stream) in waiting.into_iter().enumerate().skip(1) {
        let answer = received(stream).await;
        // A chunk, and the end of the body.
        let seen = format!("\r\n{}\r\n0\r\n\r\n", position + 1);
        assert!(answer.ends_with(&seen), "{position}: {answer}");
    }
}

#[tokio::test]
async fn many_requests_wait_and_all_are_answered() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        instances: 2,
        concurrent_requests: 2,
        requests_per_instance: 7,
        retiring: 1,
        queue: DEADLINE,
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    let requests = (0..200).map(|number| {
        let host = &host;
        async move { get(host, &format!("/wait/{}", number % 3)).await.0 }
    });
    let statuses = futures_util::future::join_all(requests).await;
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?}");
}

#[tokio::test]
async fn stuck_requests_do_not_stop_those_with_the_secret() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        instances: 1,
        concurrent_requests: 2,
        reserved: 1,
        queue: Duration::from_millis(100),
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits).reserve(SECRET, "open sesame")).await;
    let _stuck = [
        sent(&host, &raw("/wait/600000")).await,
        sent(&host, &raw("/wait/600000")).await,
    ];
    // Until both have their places, others may be answered.
    while get(&host, "/hello").await.0 == 200 {}
    assert_eq!(get_with_secret(&host, "/hello", "open sesam3").await, 503);
    assert_eq!(get_with_secret(&host, "/hello", "").await, 503);
    assert_eq!(get_with_secret(&host, "/hello", "open sesame").await, 200);
    // There is room for as many as an instance handles at once.
    let (slow, fast) = tokio::join!(
        get_with_secret(&host, "/wait/100", "open sesame"),
        get_with_secret(&host, "/hello", "open sesame")
    );
    assert_eq!((slow, fast), (200, 200));
}

#[tokio::test]
async fn connections_beyond_the_limit_are_for_those_with_the_secret() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        http: HttpLimits {
            connections: 1,
            ..HttpLimits::default()
        },
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits).reserve(SECRET, "open sesame")).await;
    let _open = feed(&host).await;
    let refused = received(sent(&host, &raw("/hello")).await).await;
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    assert!(refused.contains("connection: close\r\n"), "{refused}");
    assert_eq!(get_with_secret(&host, "/hello", "open sesame").await, 200);
}

/// An endless response whose start has been read.
async fn feed(host: &RunningHost) -> hyper::body::Incoming {
    let request = request("/count").body(Empty::<Bytes>::new()).expect("valid");
    let mut body = send(host, request).await.into_body();
    body.frame().await.expect("a frame").expect("no error");
    body
}

#[tokio::test]
async fn an_instance_with_an_open_response_gives_up_its_place_when_it_retires() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        instances: 1,
        requests_per_instance: 2,
        retiring: 2,
        queue: Duration::from_millis(100),
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    // Each of the first two instances retires with a feed.
    let mut feeds = Vec::new();
    for _ in 0..2 {
        feeds.push(feed(&host).await);
        assert_eq!(get(&host, "/seen").await, (200, "2".into()));
    }
    // No third one may retire, so the next instance serves more requests instead of blocking them.
    feeds.push(feed(&host).await);
    for seen in 2..=5 {
        assert_eq!(get(&host, "/seen").await, (200, seen.to_string()));
    }
    // Once a feed ends, it retires.
    drop(feeds);
    let retired = async { while get(&host, "/seen").await.1 != "1" {} };
    tokio::time::timeout(DEADLINE, retired)
        .await
        .expect("a new instance");
}

#[tokio::test]
async fn an_incomplete_body_is_not_awaited_for_ever() {
    let setup = Setup::new(app(""));
    let limits = Limits {
        http: HttpLimits {
            request_body: Pace {
                patience: Duration::from_millis(100),
                bytes_per_second: 1000,
            },
            ..HttpLimits::default()
        },
        ..Limits::default()
    };
    let host = start(setup.builder().limits(limits)).await;
    let stream = sent(
        &host,
        "POST /length HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nabc",
    )
    .await;
    let answer = received(stream).await;
    assert!(answer.contains("ConnectionReadTimeout"), "{answer}");
}

#[tokio::test]
async fn a_request_names_exactly_one_host() {
    let host = Setup::new(app("")).start().await;
    for (head, status) in [
        ("GET /hello HTTP/1.1\r\nhost: x\r\n", 200),
        ("GET http://x/hello HTTP/1.1\r\nhost: x\r\n", 200),
        ("GET http://x/hello HTTP/1.0\r\n", 200),
        ("GET http://x/hello HTTP/1.1\r\n", 400),
        ("GET http://x/hello HTTP/1.1\r\nhost: y\r\n", 400),
        ("GET /hello HTTP/1.1\r\nhost: x\r\nhost: x\r\n", 400),
        ("GET /hello HTTP/1.0\r\nhost: x\r\nhost: y\r\n", 400),
        ("GET /hello HTTP/1.1\r\nhost: u@x\r\n", 400),
        ("GET http://u@x/hello HTTP/1.1\r\nhost: u@x\r\n", 400),
        ("GET /hello HTTP/1.1\r\nhost:\r\n", 400),
        ("GET /hello HTTP/1.0\r\n", 400),
    ] {
        let answer = received(sent(&host, &format!("{head}connection: close\r\n\r\n")).await).await;
        assert!(
            answer
                .get(9..)
                .is_some_and(|rest| rest.starts_with(&status.to_string())),
            "{head}: {answer}"
        );
    }
}
