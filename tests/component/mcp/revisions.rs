//! The protocol itself: which revision is spoken, and what is no request.

use http::Method;
use nudge_test_kit::http::Call;
use serde_json::{Value, json};

use super::{ACCEPTED, error, post, request, result};
use crate::support::{Caller, Service, json as body, send};

const NEWEST: &str = "2026-07-28";

#[tokio::test]
async fn a_client_gets_the_revision_it_asks_for_or_the_newest_that_begins_so() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (asked, given) in [
        ("2025-03-26", "2025-03-26"),
        ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"),
        ("2024-11-05", "2025-11-25"),
        ("2026-07-28", "2025-11-25"),
        ("2099-01-01", "2025-11-25"),
    ] {
        let params = json!({
            "protocolVersion": asked,
            "capabilities": {},
            "clientInfo": { "name": "test", "version": "1" },
        });
        let call = alice
            .call(Method::POST, "/mcp")
            .header("accept", ACCEPTED)
            .json(&request("initialize", &params));
        let answer = body(&send(call).await, 200)["result"].take();
        assert_eq!(answer["protocolVersion"], given, "{asked}");
        assert_eq!(answer["capabilities"], json!({ "tools": {} }));
        assert_eq!(answer["serverInfo"]["name"], "nudge");
        assert!(answer["instructions"].as_str().unwrap().contains("task"));
    }
    let nameless = send(post(&alice, &request("initialize", &json!({})))).await;
    assert_eq!(error(&nameless, 200)["code"], -32602);
}

#[tokio::test]
async fn a_notification_or_a_response_is_taken_in_silence() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for message in [
        json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }),
        json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } }),
        json!({ "jsonrpc": "2.0", "id": 1, "result": {} }),
    ] {
        let answer = send(post(&alice, &message)).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (202, 0), "{message}");
    }
}

#[tokio::test]
async fn ids_come_back_as_they_went_out() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for id in [json!(0), json!(-7), json!("a"), json!(9_007_199_254_740_993_u64)] {
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": "ping" });
        let answer = body(&send(post(&alice, &message)).await, 200);
        assert_eq!(answer, json!({ "jsonrpc": "2.0", "id": id, "result": {} }));
    }
}

#[tokio::test]
async fn what_is_no_request_or_no_method_or_no_tool_is_an_error_of_the_protocol() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let check = async |message: Value, status: u16, code: i32| {
        let answer = send(post(&alice, &message)).await;
        assert_eq!(error(&answer, status)["code"], code, "{message}");
    };
    check(json!("ping"), 400, -32600).await;
    check(
        json!({ "jsonrpc": "1.0", "id": 1, "method": "ping" }),
        400,
        -32600,
    )
    .await;
    check(
        json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }),
        400,
        -32600,
    )
    .await;
    for method in [
        "resources/list",
        "prompts/list",
        "server/discover",
        "logging/setLevel",
    ] {
        check(request(method, &json!({})), 200, -32601).await;
    }
    let call = |params: Value| request("tools/call", &params);
    check(call(json!({ "name": "drop_tasks" })), 200, -32602).await;
    check(call(json!({ "arguments": {} })), 200, -32602).await;
    check(
        call(json!({ "name": "list_tasks", "arguments": [1] })),
        200,
        -32602,
    )
    .await;
    check(request("tools/list", &json!({ "cursor": "2" })), 200, -32602).await;
}

#[tokio::test]
async fn a_revision_that_is_not_spoken_is_refused_with_those_that_are() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let call = alice
        .call(Method::POST, "/mcp")
        .header("mcp-protocol-version", "1999-01-01")
        .json(&request("ping", &json!({})));
    let error = error(&send(call).await, 400);
    assert_eq!(error["code"], -32022);
    assert_eq!(error["data"]["requested"], "1999-01-01");
    assert_eq!(
        error["data"]["supported"],
        json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"])
    );
}

/// Parameters with what a request of 2026-07-28 says about itself.
fn of_newest(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": NEWEST,
        "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

/// A POST of 2026-07-28 whose headers say `method`.
fn newest(caller: &Caller<'_>, method: &str, message: &Value) -> Call {
    caller
        .call(Method::POST, "/mcp")
        .header("accept", ACCEPTED)
        .header("mcp-protocol-version", NEWEST)
        .header("mcp-method", method)
        .json(message)
}

#[tokio::test]
async fn the_newest_revision_needs_no_handshake() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let message = request("server/discover", &of_newest(json!({})));
    let discovered = body(&send(newest(&alice, "server/discover", &message)).await, 200)["result"].take();
    assert_eq!(discovered["supportedVersions"][0], NEWEST);
    assert_eq!(discovered["resultType"], "complete");
    assert_eq!(discovered["cacheScope"], "public");
    assert_eq!(
        discovered["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "nudge"
    );

    let message = request("tools/list", &of_newest(json!({})));
    let listed = body(&send(newest(&alice, "tools/list", &message)).await, 200)["result"].take();
    assert_eq!(
        listed["tools"],
        result(&alice, "tools/list", json!({})).await["tools"]
    );
    assert!(listed["ttlMs"].as_u64().is_some());

    let message = request(
        "tools/call",
        &of_newest(json!({ "name": "add_task", "arguments": { "title": "x" } })),
    );
    for name in ["add_task", "=?base64?YWRkX3Rhc2s=?="] {
        let call = newest(&alice, "tools/call", &message).header("mcp-name", name);
        let added = body(&send(call).await, 200)["result"].take();
        assert_eq!(
            (&added["isError"], &added["resultType"]),
            (&json!(false), &json!("complete"))
        );
    }
}

#[tokio::test]
async fn headers_of_the_newest_revision_say_what_the_body_says() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let listing = request("tools/list", &of_newest(json!({})));
    let calling = request(
        "tools/call",
        &of_newest(json!({ "name": "add_task", "arguments": { "title": "x" } })),
    );
    let plain = || alice.call(Method::POST, "/mcp").header("accept", ACCEPTED);
    for call in [
        plain().json(&listing),
        plain().header("mcp-method", "tools/list").json(&listing),
        plain()
            .header("mcp-method", "tools/list")
            .header("mcp-protocol-version", "2025-11-25")
            .json(&listing),
        plain().header("mcp-protocol-version", NEWEST).json(&listing),
        newest(&alice, "prompts/list", &listing),
        newest(&alice, "TOOLS/LIST", &listing),
        newest(&alice, "tools/call", &calling),
        newest(&alice, "tools/call", &calling).header("mcp-name", "get_task"),
        newest(&alice, "tools/call", &calling).header("mcp-name", "=?base64?YWRkX3Rhc2s?="),
    ] {
        let shown = format!("{call:?}");
        assert_eq!(error(&send(call).await, 400)["code"], -32020, "{shown}");
    }
    assert_eq!(
        result(&alice, "tools/call", json!({ "name": "list_tasks" })).await["structuredContent"]["count"],
        0,
        "nothing was added"
    );
}

#[tokio::test]
async fn a_request_of_the_newest_revision_says_what_it_must_about_itself() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for missing in [
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientCapabilities",
    ] {
        let mut params = of_newest(json!({}));
        params["_meta"].as_object_mut().unwrap().remove(missing);
        let answer = send(newest(&alice, "tools/list", &request("tools/list", &params))).await;
        assert_eq!(error(&answer, 400)["code"], -32602, "{missing}");
    }
    let mut anonymous = of_newest(json!({}));
    anonymous["_meta"]
        .as_object_mut()
        .unwrap()
        .remove("io.modelcontextprotocol/clientInfo");
    let answer = send(newest(&alice, "tools/list", &request("tools/list", &anonymous))).await;
    assert_eq!(answer.status, 200);
    for method in ["initialize", "ping", "resources/list", "subscriptions/listen"] {
        let message = request(method, &of_newest(json!({})));
        let answer = send(newest(&alice, method, &message)).await;
        assert_eq!(error(&answer, 404)["code"], -32601, "{method}");
    }
}
