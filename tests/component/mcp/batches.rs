//! Several messages in one array, which revision 2025-03-26 has and the others have not.

use http::Method;
use serde_json::{Value, json};

use super::{error, post, request};
use crate::support::{Service, Setup, json as body, send};

#[tokio::test]
async fn messages_of_an_array_are_answered_in_an_array() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let call = |id: u32, title: &str| {
        json!({
            "jsonrpc": "2.0",
            "id": id,
            "method": "tools/call",
            "params": { "name": "add_task", "arguments": { "title": title } },
        })
    };
    let messages = json!([
        call(1, "one"),
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        call(2, ""),
        { "jsonrpc": "2.0", "id": 3, "method": "nothing" },
        { "jsonrpc": "2.0", "id": 4, "method": "initialize", "params": { "protocolVersion": "2025-03-26" } },
    ]);
    for version in [None, Some("2025-03-26")] {
        let plain = alice.call(Method::POST, "/mcp").json(&messages);
        let plain = match version {
            Some(version) => plain.header("mcp-protocol-version", version),
            None => plain,
        };
        let answers = body(&send(plain).await, 200);
        let ids: Vec<&Value> = answers
            .as_array()
            .unwrap()
            .iter()
            .map(|answer| &answer["id"])
            .collect();
        assert_eq!(ids, [1, 2, 3, 4]);
        assert_eq!(answers[0]["result"]["isError"], false);
        assert_eq!(answers[1]["result"]["isError"], true);
        assert_eq!(answers[2]["error"]["code"], -32601);
        assert_eq!(answers[3]["error"]["code"], -32600);
    }
}

#[tokio::test]
async fn an_array_of_notifications_is_taken_in_silence() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let messages = json!([{ "jsonrpc": "2.0", "method": "notifications/initialized" }]);
    let answer = send(alice.call(Method::POST, "/mcp").json(&messages)).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 0));
}

#[tokio::test]
async fn later_revisions_take_one_message_and_an_array_has_an_end() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let ping = request("ping", &json!({}));
    let answer = send(post(&alice, &json!([ping]))).await;
    assert_eq!(error(&answer, 400)["code"], -32600);
    for count in [0, 51] {
        let messages = Value::Array(vec![ping.clone(); count]);
        let answer = send(alice.call(Method::POST, "/mcp").json(&messages)).await;
        assert_eq!(error(&answer, 400)["code"], -32600, "{count}");
    }
}

#[tokio::test]
async fn every_message_of_an_array_counts_as_a_request_and_all_are_done_or_none() {
    let api = Setup::new("api")
        .variable("rate_limit_per_minute", "10")
        .start()
        .await;
    let alice = api.user("alice");
    let ping = |id: u32| json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
    let messages = json!([
        ping(1),
        ping(2),
        ping(3),
        ping(4),
        { "jsonrpc": "2.0", "method": "notifications/initialized" },
        ping(5),
    ]);
    let sent = async || send(alice.call(Method::POST, "/mcp").json(&messages)).await;
    let answers = body(&sent().await, 200);
    assert_eq!(answers.as_array().map(Vec::len), Some(5));
    let refused = sent().await;
    assert_eq!(body(&refused, 429)["code"], "rate_limited");
    assert_ne!(refused.header("retry-after"), "");
    // Of ten, seven are charged: six messages, and the refused POST itself.
    for _ in 0..3 {
        assert_eq!(send(post(&alice, &ping(1))).await.status, 200);
    }
    assert_eq!(send(post(&alice, &ping(1))).await.status, 429);
}
