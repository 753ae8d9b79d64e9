//! Bodies that do not arrive.

use http::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Caller, Service, json};

/// Sends a request with a part of its body, and returns the response that closes the connection.
async fn send_part(caller: &Caller<'_>, path: &str, part: &str) -> String {
    let address = caller.service().host.local_addr();
    let mut stream = TcpStream::connect(address).await.expect("the host listens");
    let headers: String = caller
        .headers()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let request = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n{headers}\r\n{part}"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the host reads");
    let mut answer = String::new();
    let reading = stream.read_to_string(&mut answer);
    tokio::time::timeout(nudge_test_kit::http::DEADLINE, reading)
        .await
        .expect("the body is given up")
        .expect("a response");
    answer
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_given_up() {
    let api = Service::start("api").await;
    let answer = send_part(&api.user("alice"), "/api/v1/tasks", "{\"title\"").await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.starts_with("HTTP/1.1 408 "), "{head}");
    assert!(head.contains("content-type: application/problem+json"), "{head}");
    let problem: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(problem["code"], "body_too_slow");
    // The instance goes on.
    let call = api.user("alice").call(Method::POST, "/api/v1/tasks");
    let answer = call.json(&json!({ "title": "x" })).send().await;
    json(&answer.expect("an answer"), 201);
}

#[tokio::test]
async fn an_event_that_does_not_arrive_is_delivered_again() {
    for (id, path) in [
        ("notification", "/notification/events/task-events"),
        ("recurring-task", "/recurring-task/events/task-recurrence"),
    ] {
        let service = Service::start(id).await;
        let answer = send_part(&service.sidecar(), path, "{\"id\"").await;
        // Dapr repeats a delivery after any status but 2xx and 404.
        assert!(answer.starts_with("HTTP/1.1 408 "), "{id}: {answer}");
        assert_eq!(service.dapr.published("dead-letter").len(), 0, "{id}");
    }
}
