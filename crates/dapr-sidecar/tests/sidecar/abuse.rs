//! Callers that do not behave; the responses are those of daprd 1.16.

use dapr_sidecar::App;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bench::{BASICS, Bench};

/// Sends `text` as it is, and returns what the sidecar sends until it closes the connection.
async fn exchange(bench: &Bench, text: &str) -> String {
    let address = bench.sidecars.address("orders").expect("an app of the bench");
    let mut stream = TcpStream::connect(address).await.expect("the sidecar listens");
    // The sidecar may close the connection before everything is sent.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).expect("text")
}

/// A sidecar with a token. Its app does not listen, so its health is 500.
async fn guarded() -> Bench {
    let app = App {
        api_token: Some("tok-dapr".to_owned()),
        ..App::new("orders")
    };
    Bench::bind(BASICS, vec![app]).await
}

#[tokio::test]
async fn a_caller_without_the_token_is_refused_before_a_large_body_has_arrived() {
    let bench = guarded().await;
    let head = "POST /v1.0/publish/pubsub/t HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n";
    let answer = exchange(&bench, head).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\ninvalid api token\n"), "{answer}");
    // A small body is read, so that a caller that sends first sees the response.
    let small = "POST /v1.0/publish/pubsub/t HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 3\r\n\r\nabc";
    let answer = exchange(&bench, small).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
}

#[tokio::test]
async fn a_request_names_exactly_one_host() {
    let bench = guarded().await;
    for (hosts, status, body) in [
        ("host: x\r\n", "500", "}"),
        ("host: x\r\nhost: x\r\n", "400", "400 Bad Request"),
        ("", "400", "400 Bad Request: missing required Host header"),
    ] {
        let text = format!("GET /v1.0/healthz HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
        let answer = exchange(&bench, &text).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.ends_with(body), "{answer}");
    }
}

#[tokio::test]
async fn a_head_has_at_most_8_kib() {
    let bench = guarded().await;
    for (length, status) in [(8_000, "500"), (8_200, "431"), (100_000, "431")] {
        let text = format!(
            "GET /v1.0/healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: {}\r\n\r\n",
            "y".repeat(length)
        );
        let answer = exchange(&bench, &text).await;
        // The connection may be reset before the response has been read, if bytes are left unread.
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")) || (answer.is_empty() && length > 10_000),
            "{length}: {answer}"
        );
    }
}
