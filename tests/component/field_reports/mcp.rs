//! What clients of the Model Context Protocol send.

use http::Method;
use nudge_test_kit::http::Answer;
use serde_json::{Value, json};

use crate::support::{Caller, Service, json as body};

const ACCEPTED: &str = "application/json, text/event-stream";

async fn post(caller: &Caller<'_>, message: impl Into<bytes::Bytes>) -> Answer {
    let call = caller
        .call(Method::POST, "/mcp")
        .header("accept", ACCEPTED)
        .body("application/json", message);
    call.send().await.expect("an answer")
}

async fn ask(caller: &Caller<'_>, message: &Value) -> Answer {
    post(caller, message.to_string()).await
}

#[tokio::test]
async fn an_id_comes_back_as_the_number_or_the_text_it_was() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for id in [
        "0",
        "-1",
        "\"\"",
        "\"0\"",
        "\"1\"",
        "9007199254740993",
        "1.0",
        "1e2",
    ] {
        let message = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let answer = body(&post(&alice, message).await, 200);
        assert_eq!(
            answer["id"],
            serde_json::from_str::<Value>(id).expect("JSON"),
            "{id}"
        );
        assert_eq!(answer["result"], json!({}), "{id}");
    }
    for id in ["null", "1.5", "true", "[1]", "{}"] {
        let message = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
        let answer = body(&post(&alice, message).await, 400);
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&Value::Null, &json!(-32600)),
            "{id}"
        );
    }
}

#[tokio::test]
async fn nothing_is_said_about_a_notification_whatever_it_says() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for message in [
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized", "params": null }),
        json!({ "jsonrpc": "2.0", "method": "notifications/roots/list_changed", "params": [] }),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": [1] }),
        json!({ "jsonrpc": "2.0", "method": "nothing" }),
    ] {
        let answer = ask(&alice, &message).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 0), "{message}");
    }
    // In an array of messages they have no answer either.
    let messages = json!([
        { "jsonrpc": "2.0", "method": "notifications/cancelled", "params": [1] },
        { "jsonrpc": "2.0", "id": 7, "method": "ping" },
    ]);
    let answers = body(&ask(&alice, &messages).await, 200);
    assert_eq!(answers, json!([{ "jsonrpc": "2.0", "id": 7, "result": {} }]));
}

#[tokio::test]
async fn nothing_null_and_an_empty_list_are_no_parameters() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for params in ["", r#","params":null"#, r#","params":[]"#, r#","params":{}"#] {
        let message = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list"{params}}}"#);
        let answer = body(&post(&alice, message).await, 200);
        assert!(answer["result"]["tools"].is_array(), "{params}");
    }
    for arguments in ["", r#","arguments":null"#, r#","arguments":[]"#] {
        let message = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"list_tags"{arguments}}}}}"#
        );
        let answer = body(&post(&alice, message).await, 200);
        assert_eq!(answer["result"]["structuredContent"]["count"], 0, "{arguments}");
    }
    for params in ["[1]", "\"x\"", "7"] {
        let message = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
        let answer = body(&post(&alice, message).await, 200);
        assert_eq!(answer["error"]["code"], -32602, "{params}");
    }
}

#[tokio::test]
async fn a_revision_is_negotiated_and_never_one_that_is_not_spoken() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (wanted, given) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
        ("not-a-version", "2025-11-25"),
        ("", "2025-11-25"),
    ] {
        let message = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": { "protocolVersion": wanted, "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } } });
        let answer = body(&ask(&alice, &message).await, 200);
        assert_eq!(answer["result"]["protocolVersion"], given, "{wanted}");
    }
}

#[tokio::test]
async fn an_argument_that_a_client_adds_on_its_own_is_named_and_nothing_done() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let call = |tool: &str, arguments: Value| json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } });
    for message in [
        call("list_tags", json!({ "task_progress": "- [ ] tags" })),
        call("add_task", json!({ "title": "x", "task_progress": "- [ ] add" })),
    ] {
        let answer = body(&ask(&alice, &message).await, 200);
        assert_eq!(answer["result"]["isError"], true);
        let error = &answer["result"]["structuredContent"]["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!("task_progress"), &json!("unknown_field"))
        );
        let message = error["message"].as_str().expect("a message");
        assert!(!message.trim_end().ends_with("there are"), "{message}");
    }
    let page = body(&alice.get("/api/v1/tasks").await, 200);
    assert_eq!(page["items"], json!([]));
}
