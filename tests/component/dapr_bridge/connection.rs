//! The connection to a sidecar, observed as bytes.

use nudge_test_kit::bindings::bridge::exports::nudge::dapr::pubsub::RawMessage;
use nudge_test_kit::bridge::Bridge;
use nudge_test_kit::call;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::instance;

/// Bytes of bodies: one event, a bulk call, one that fills a packet of loopback, and several packets.
const SIZES: [usize; 5] = [4, 1_000, 10_000, 60_000, 300_000];

const NO_CONTENT: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

async fn listen() -> (TcpListener, Bridge) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let bridge = instance(&format!("dapr_http_endpoint = \"http://{address}\"\n")).await;
    (listener, bridge)
}

fn message(data: &str) -> RawMessage {
    RawMessage {
        data: format!("\"{data}\""),
        partition_key: None,
        headers: Vec::new(),
    }
}

/// A message as the server receives it.
struct Received {
    /// Whether nothing but the head arrived at first.
    head_alone: bool,
    bytes: usize,
}

/// Reads until the end of a message. `None` if the connection is closed.
async fn read_message(stream: &mut TcpStream) -> Option<Received> {
    let mut buffer = vec![0; 64 * 1024];
    let (mut head_alone, mut bytes) = (false, 0);
    loop {
        let read = stream.read(&mut buffer).await.expect("a connection");
        if read == 0 {
            assert_eq!(bytes, 0, "closed within a message");
            return None;
        }
        let part = buffer.get(..read).unwrap_or_default();
        head_alone |= bytes == 0 && part.ends_with(b"\r\n\r\n");
        bytes += read;
        if part.ends_with(b"end\"") {
            return Some(Received { head_alone, bytes });
        }
    }
}

// The host has one thread, so a connection goes on only once the bridge gives way; the server has another, so it would see a head
// that comes alone.
#[tokio::test]
async fn on_a_kept_connection_the_body_leaves_with_the_head() {
    let (listener, mut bridge) = listen().await;
    let listener = listener.into_std().expect("a socket");
    let server = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_io()
        .build();
    // It cannot be dropped within another one.
    let server = Box::leak(Box::new(server.expect("a runtime")));
    let (report, mut reports) = mpsc::unbounded_channel();
    // The client may open a second connection while the first one is on its way back to the pool.
    server.spawn(async move {
        let listener = TcpListener::from_std(listener).expect("a socket");
        while let Ok((mut stream, _)) = listener.accept().await {
            let report = report.clone();
            tokio::spawn(async move {
                let mut kept = false;
                while let Some(received) = read_message(&mut stream).await {
                    if kept {
                        report
                            .send(received.head_alone)
                            .expect("the test waits for its answer");
                    }
                    kept = true;
                    stream.write_all(NO_CONTENT).await.expect("a connection");
                }
            });
        }
    });
    for size in SIZES {
        let data = "x".repeat(size) + "end";
        for _ in 0..30 {
            let published = call!(
                bridge,
                nudge_dapr_pubsub.call_publish_raw("pubsub".into(), "topic".into(), message(&data))
            );
            published.expect("published");
        }
        let alone: Vec<bool> = std::iter::from_fn(|| reports.try_recv().ok()).collect();
        assert!(alone.len() >= 20, "kept connections are used: {alone:?}");
        // A bridge that writes the body in a later turn sends the head alone in more than four fifths of the requests.
        let count = alone.iter().filter(|alone| **alone).count();
        assert!(
            count * 4 <= alone.len(),
            "{size} bytes: {count} of {}",
            alone.len()
        );
    }
}

#[tokio::test]
async fn a_body_of_many_parts_arrives_whole() {
    let (listener, mut bridge) = listen().await;
    let bytes = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let received = read_message(&mut stream).await.expect("a request");
        stream.write_all(NO_CONTENT).await.expect("a connection");
        received.bytes
    });
    let data = "x".repeat(3_000_000) + "end";
    let published = call!(
        bridge,
        nudge_dapr_pubsub.call_publish_raw("pubsub".into(), "topic".into(), message(&data))
    );
    published.expect("published");
    assert!(bytes.await.expect("one request") > data.len());
}

#[tokio::test]
async fn an_answer_that_comes_before_the_body_was_read_counts() {
    let (listener, mut bridge) = listen().await;
    let answered = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let read = stream.read(&mut [0; 64]).await.expect("a connection");
        assert!(read > 0);
        let answer = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 9\r\n\r\ntoo large";
        stream.write_all(answer).await.expect("a connection");
        // Nothing more is read, so the body cannot be sent to its end.
        stream
    });
    let data = "x".repeat(16_000_000);
    let published = call!(
        bridge,
        nudge_dapr_pubsub.call_publish_raw("pubsub".into(), "topic".into(), message(&data))
    );
    let error = published.expect_err("it was refused");
    let (kind, failure) = nudge_test_kit::bridge::failure(&error);
    assert_eq!(
        (kind, failure.status, failure.message.as_str()),
        ("invalid-argument", Some(413), "too large")
    );
    drop(answered.await);
}
