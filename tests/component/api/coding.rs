//! Bodies with a content coding (RFC 9110, section 8.4): none is taken.

use http::Method;
use nudge_contract::names::route;
use nudge_test_kit::http::{Answer, Call};
use serde_json::json;

use crate::openapi::{METHODS, contract};
use crate::support::{Service, json as body, send};

const ID: &str = "018f0000-0000-7000-8000-000000000001";

fn refused(answer: &Answer, what: &str) {
    let problem = body(answer, 415);
    assert_eq!(problem["code"], "unsupported_content_coding", "{what}");
    assert_eq!(answer.header("accept-encoding"), "identity", "{what}");
}

/// The start of a gzip stream.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";

#[tokio::test]
async fn no_route_takes_a_coded_body() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let mut calls: Vec<(String, Call)> = Vec::new();
    for (template, item) in contract().paths() {
        for name in METHODS.iter().filter(|name| item.get(name).is_some()) {
            if item[name].get("requestBody").is_some() {
                let method: Method = name.to_uppercase().parse().unwrap();
                let path = template.replace("{id}", ID).replace("{reminderId}", ID);
                calls.push((format!("{method} {path}"), alice.call(method, &path)));
            }
        }
    }
    assert!(calls.len() > 10, "{}", calls.len());
    calls.push(("mcp".to_owned(), alice.call(Method::POST, "/mcp")));
    for path in [
        route::SUCCESSOR,
        route::DEAD_LETTERS_REPLAY,
        route::DEAD_LETTERS_DISCARD,
        route::LEGACY_CHANGES,
        route::LEGACY_TAKE_OVER,
        route::LEGACY_MASTERS,
    ] {
        let call = api.sidecar().call(Method::POST, &path.replace("{id}", ID));
        calls.push((path.to_owned(), call));
    }
    // With a key a body is read, whatever the route does with it.
    let path = format!("/api/v1/tasks/{ID}/complete");
    let call = alice.call(Method::POST, &path).header("idempotency-key", "k");
    calls.push((path, call));
    for (what, call) in calls {
        let coded = call
            .clone()
            .header("content-encoding", "gzip")
            .body("application/json", GZIP);
        refused(&send(coded).await, &what);
        // One that only says so is none either.
        let labelled = call.header("content-encoding", "br").json(&json!({}));
        refused(&send(labelled).await, &what);
    }
}

#[tokio::test]
async fn identity_is_not_a_coding_and_one_coding_among_several_is_found() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let post = async |codings: &[&str]| {
        let mut call = alice.call(Method::POST, "/api/v1/tasks");
        for coding in codings {
            call = call.header("content-encoding", *coding);
        }
        send(call.json(&json!({ "title": "x" }))).await
    };
    for plain in [
        &["identity"][..],
        &["Identity, identity"],
        &[""],
        &["identity", ""],
    ] {
        assert_eq!(post(plain).await.status, 201, "{plain:?}");
    }
    for coded in [
        &["identity, gzip"][..],
        &["identity", "gzip"],
        &["deflate"],
        &["aws-chunked"],
        &["identity;q=1"],
    ] {
        refused(&post(coded).await, &format!("{coded:?}"));
    }
}

#[tokio::test]
async fn a_token_comes_before_a_coding_and_a_read_has_no_body() {
    let api = Service::start("api").await;
    let stranger = api
        .anybody()
        .call(Method::POST, "/api/v1/tasks")
        .header("content-encoding", "gzip");
    assert_eq!(send(stranger.body("application/json", GZIP)).await.status, 401);
    let read = api
        .user("alice")
        .call(Method::GET, "/api/v1/tasks")
        .header("content-encoding", "gzip");
    assert_eq!(send(read).await.status, 200);
}

#[tokio::test]
async fn a_coded_event_is_kept_for_an_operator_to_look_at() {
    let api = Service::start("api").await;
    let event = api
        .sidecar()
        .call(Method::POST, route::REMINDER_OUTCOMES)
        .header("content-encoding", "gzip");
    let answer = send(event.body("application/cloudevents+json", GZIP)).await;
    assert_eq!(body(&answer, 200), json!({ "status": "SUCCESS" }));
    let letters = api.dapr.published("dead-letter");
    assert_eq!(letters.len(), 1);
    let shown = format!("{:?}", letters[0]);
    assert!(shown.contains("Content-Encoding"), "{shown}");
}

#[tokio::test]
async fn a_body_in_another_charset_is_refused() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let post = async |path: &str, kind: &str| {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping", "title": "x" });
        let call = alice.call(Method::POST, path).body(kind, message.to_string());
        send(call).await.status.as_u16()
    };
    for kind in [
        "application/json; charset=iso-8859-1",
        "application/json;charset=\"utf-16\"",
    ] {
        assert_eq!(post("/api/v1/tasks", kind).await, 415, "{kind}");
        assert_eq!(post("/mcp", kind).await, 415, "{kind}");
    }
    let kind = "application/json; charset=UTF-8";
    assert_eq!(post("/mcp", kind).await, 200);
    let known = alice
        .call(Method::POST, "/api/v1/tasks")
        .body(kind, "{\"title\":\"x\"}");
    assert_eq!(send(known).await.status, 201);
}
