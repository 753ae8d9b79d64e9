//! Who may call, from where, and how.

use http::Method;
use serde_json::json;

use super::{ACCEPTED, Model, error, post, request, result};
use crate::api::agents::agent_of;
use crate::support::{Caller, Service, Setup, json as body, send, text};

#[tokio::test]
async fn without_a_valid_token_no_caller_is_answered() {
    let api = Service::start("api").await;
    let ping = request("ping", &json!({}));
    let answer = send(post(&api.anybody(), &ping)).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("www-authenticate")),
        (401, "Bearer")
    );
    let forged = post(&api.anybody(), &ping).header("authorization", "Bearer x.y.z");
    assert_eq!(send(forged).await.status, 401);
    assert_eq!(send(post(&api.user("alice"), &ping)).await.status, 200);
}

#[tokio::test]
async fn web_pages_of_other_origins_may_not_call() {
    let api = Setup::new("api")
        .variable(
            "mcp_allowed_origins",
            "https://chat.example.com, https://other.example.com",
        )
        .start()
        .await;
    let alice = api.user("alice");
    let from = async |origin: &str| {
        let call = post(&alice, &request("ping", &json!({}))).header("origin", origin);
        send(call).await.status.as_u16()
    };
    for origin in [
        "http://localhost:6274",
        "http://127.0.0.1:3000",
        "https://chat.example.com",
        "https://other.example.com",
    ] {
        assert_eq!(from(origin).await, 200, "{origin}");
    }
    for origin in [
        "null",
        "https://example.com",
        "https://chat.example.com.evil.example.com",
        "http://chat.example.com",
        "http://localhost.example.com",
    ] {
        assert_eq!(from(origin).await, 403, "{origin}");
    }
    let stranger = post(&api.anybody(), &request("ping", &json!({}))).header("origin", "https://example.com");
    assert_eq!(send(stranger).await.status, 403, "before the token is looked at");
}

#[tokio::test]
async fn there_is_no_stream_and_no_session() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for method in [Method::GET, Method::DELETE, Method::PUT] {
        let answer = send(
            alice
                .call(method.clone(), "/mcp")
                .header("accept", "text/event-stream"),
        )
        .await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, "POST"),
            "{method}"
        );
    }
    let answer = send(post(&alice, &request("ping", &json!({}))).header("mcp-session-id", "x")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("mcp-session-id")),
        (200, "")
    );
}

#[tokio::test]
async fn messages_come_and_go_as_json() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let ping = request("ping", &json!({}));
    let with = async |accept: &str, kind: &str| {
        let call = alice
            .call(Method::POST, "/mcp")
            .header("accept", accept)
            .body(kind, ping.to_string());
        send(call).await
    };
    for accept in [
        ACCEPTED,
        "application/json",
        "*/*",
        "text/event-stream, application/*;q=0.5",
        "Application/JSON;q=0.1, text/event-stream;q=0",
        "application/json;q=much",
        "",
    ] {
        let answer = with(accept, "application/json; charset=utf-8").await;
        assert_eq!(answer.status, 200, "{accept}");
        assert_eq!(answer.header("content-type"), "application/json");
    }
    for accept in [
        "text/event-stream",
        "application/json;q=0, text/event-stream",
        "application/json;q=0.0, */*",
        "application/*;q=0",
    ] {
        assert_eq!(with(accept, "application/json").await.status, 406, "{accept}");
    }
    assert_eq!(with(ACCEPTED, "text/plain").await.status, 415);
    assert_eq!(
        send(alice.call(Method::POST, "/mcp").json(&ping)).await.status,
        200
    );
    let large = request("ping", &json!({ "x": "y".repeat(256 * 1024) }));
    assert_eq!(send(post(&alice, &large)).await.status, 413);
}

#[tokio::test]
async fn another_persons_tasks_are_not_there() {
    let api = Service::start("api").await;
    let (alice, bob) = (Model::of(&api, "alice").await, Model::of(&api, "bob").await);
    let task = alice.task(json!({ "title": "Pay the rent" })).await;
    let id = json!({ "task_id": task["id"] });
    for tool in ["get_task", "complete_task", "delete_task", "update_task"] {
        let refusal = bob.refusal(tool, id.clone(), "TASK_NOT_FOUND").await;
        assert_eq!(refusal["suggestions"], json!([]), "{tool}");
    }
    assert_eq!(bob.get("list_tasks", json!({})).await["count"], 0);
    assert_eq!(alice.get("get_task", id).await["task"], task);
}

#[tokio::test]
async fn the_token_says_who_the_user_is_and_an_argument_may_only_repeat_it() {
    let api = Service::start("api").await;
    let alice = Model::of(&api, "alice").await;
    let mine = json!({ "title": "x", "user_id": "alice" });
    alice.call("add_task", mine).await;
    for user_id in [json!("bob"), json!(7)] {
        let theirs = json!({ "title": "x", "user_id": user_id });
        alice.refusal("add_task", theirs, "FORBIDDEN").await;
    }
    alice
        .refusal("list_tasks", json!({ "user_id": "bob" }), "FORBIDDEN")
        .await;
    assert_eq!(alice.get("list_tasks", json!({})).await["count"], 1);
}

#[tokio::test]
async fn calls_count_against_the_limit_of_requests() {
    let api = Setup::new("api")
        .variable("rate_limit_per_minute", "2")
        .start()
        .await;
    let alice = api.user("alice");
    let ping = request("ping", &json!({}));
    assert_eq!(send(post(&alice, &ping)).await.status, 200);
    assert_eq!(send(post(&alice, &ping)).await.status, 200);
    let answer = send(post(&alice, &ping)).await;
    assert_eq!(body(&answer, 429)["code"], "rate_limited");
    assert_ne!(answer.header("retry-after"), "");
}

#[tokio::test]
async fn what_is_no_json_is_a_parse_error() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let broken = alice
        .call(Method::POST, "/mcp")
        .body("application/json", "{\"jsonrpc\":");
    let answer = send(broken).await;
    assert_eq!(error(&answer, 400)["code"], -32700);
    assert_eq!(body(&answer, 400)["id"], json!(null));
}

#[tokio::test]
async fn an_agent_that_may_only_read_sees_and_calls_only_tools_that_read() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice
        .create("/api/v1/tasks", &json!({ "title": "Pay rent" }))
        .await;
    let names = async |caller: &Caller<'_>| -> Vec<String> {
        let listed = result(caller, "tools/list", json!({})).await;
        let tools = listed["tools"].as_array().expect("tools");
        tools.iter().map(|tool| text(tool, "name").to_owned()).collect()
    };
    let all = names(&alice).await;
    let (_, write) = agent_of(&alice, "a", "write").await;
    assert_eq!(names(&api.bearer(&write)).await, all);
    let (_, read) = agent_of(&alice, "b", "read").await;
    let reader = api.bearer(&read);
    let listed = result(&reader, "tools/list", json!({})).await;
    for tool in listed["tools"].as_array().expect("tools") {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
    }
    let few = names(&reader).await;
    assert!(few.contains(&"list_tasks".to_owned()) && few.len() < all.len());
    for name in &all {
        let params = json!({ "name": name, "arguments": { "task_id": task["id"], "title": "x" } });
        let called = result(&reader, "tools/call", params).await;
        let forbidden = called["structuredContent"]["code"] == "FORBIDDEN";
        assert_eq!(forbidden, !few.contains(name), "{name}: {called}");
    }
    let tasks = body(&alice.get("/api/v1/tasks").await, 200);
    assert_eq!(tasks["items"], json!([task]));
}
