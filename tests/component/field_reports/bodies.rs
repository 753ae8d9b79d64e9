//! Bodies, headers and queries.

use http::Method;
use nudge_test_kit::http::Answer;
use serde_json::{Value, json};

use crate::support::{Caller, Service, json as body, send, text};

/// Posts bytes as they are; what the contract says of bodies is not asked, for these are none.
async fn post(caller: &Caller<'_>, path: &str, bytes: &'static [u8]) -> Answer {
    let call = caller.call(Method::POST, path).body("application/json", bytes);
    call.send().await.expect("an answer")
}

async fn count(caller: &Caller<'_>) -> usize {
    let page = body(&caller.get("/api/v1/tasks").await, 200);
    page["items"].as_array().expect("items").len()
}

#[tokio::test]
async fn a_byte_order_mark_before_a_body_is_passed_over() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = body(
        &post(&alice, "/api/v1/tasks", b"\xEF\xBB\xBF{\"title\":\"marked\"}").await,
        201,
    );
    assert_eq!(task["title"], "marked");
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    let patch = alice.call(Method::PATCH, &path).body(
        "application/merge-patch+json",
        &b"\xEF\xBB\xBF{\"priority\":\"high\"}"[..],
    );
    assert_eq!(
        body(&patch.send().await.expect("an answer"), 200)["priority"],
        "high"
    );
    let ping = b"\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
    assert_eq!(body(&post(&alice, "/mcp", ping).await, 200)["result"], json!({}));
    let utf_16 = b"\xFF\xFE{\0}\0";
    assert_eq!(post(&alice, "/api/v1/tasks", utf_16).await.status, 400);
}

#[tokio::test]
async fn of_two_values_for_one_name_neither_counts() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for bytes in [
        &br#"{"title":"one","title":"two"}"#[..],
        br#"{"title":"one","t\u0069tle":"two"}"#,
        br#"{"title":"one","due":"2027-01-01","reminders":[{"minutesBefore":5,"minutesBefore":50}]}"#,
    ] {
        let problem = body(&post(&alice, "/api/v1/tasks", bytes).await, 400);
        assert_eq!(problem["code"], "invalid_body");
        assert!(text(&problem, "detail").contains("twice"), "{problem:#}");
    }
    let bulk = br#"{"operations":[{"op":"create","task":{"title":"one"},"task":{"title":"two"}}]}"#;
    assert_eq!(post(&alice, "/api/v1/tasks/bulk", bulk).await.status, 400);
    let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add_task","arguments":{"title":"one","title":"two"}}}"#;
    assert_eq!(
        body(&post(&alice, "/mcp", call).await, 400)["error"]["code"],
        -32700
    );
    assert_eq!(count(&alice).await, 0);
}

#[tokio::test]
async fn half_of_an_emoji_is_refused_and_a_whole_one_kept() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for bytes in [&br#"{"title":"\ud83d"}"#[..], br#"{"title":"x \ude00 y"}"#] {
        let problem = body(&post(&alice, "/api/v1/tasks", bytes).await, 400);
        assert_eq!(problem["code"], "invalid_body");
    }
    let whole = body(
        &post(&alice, "/api/v1/tasks", br#"{"title":"\ud83d\ude43"}"#).await,
        201,
    );
    assert_eq!(whole["title"], "🙃");
}

#[tokio::test]
async fn a_nul_in_any_text_is_the_callers_mistake() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    for (path, sent) in [
        ("/api/v1/tasks", json!({ "title": "a\0b" })),
        ("/api/v1/tasks", json!({ "title": "x", "description": "a\0b" })),
        ("/api/v1/tasks", json!({ "title": "x", "due": "2027-01-01\0" })),
        ("/api/v1/tasks", json!({ "title": "x", "timeZone": "UTC\0" })),
        (
            "/api/v1/tasks",
            json!({ "title": "x", "due": "2027-01-01", "recurrence": "daily\0" }),
        ),
        ("/api/v1/tasks", json!({ "title": "x", "a\0b": 1 })),
        ("/api/v1/tags", json!({ "name": "a\0b" })),
        ("/api/v1/categories", json!({ "name": "a\0b" })),
    ] {
        assert_eq!(alice.post(path, &sent).await.status, 400, "{sent}");
    }
    for patch in [json!({ "title": "\0" }), json!({ "description": "\0" })] {
        assert_eq!(alice.patch(&path, &patch).await.status, 400, "{patch}");
    }
    let me = json!({ "email": "a\0@example.com" });
    assert_eq!(alice.patch("/api/v1/me", &me).await.status, 400);
    for (query, status) in [
        ("/api/v1/tasks/search?query=%00", 400),
        ("/api/v1/tasks?text=a%00b", 200),
        ("/api/v1/tasks?cursor=%00", 400),
        ("/api/v1/tasks?categoryId=%00", 400),
        ("/api/v1/tasks/%00", 404),
    ] {
        assert_eq!(alice.get(query).await.status, status, "{query}");
    }
}

#[tokio::test]
async fn a_body_of_brackets_is_refused_and_the_next_request_answered() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let deep = |open: &str, close: &str, times: usize| {
        format!("{{\"title\":{}1{}}}", open.repeat(times), close.repeat(times))
    };
    for sent in [deep("[", "]", 100_000), deep("{\"a\":", "}", 20_000)] {
        for path in ["/api/v1/tasks", "/mcp"] {
            let call = alice
                .call(Method::POST, path)
                .body("application/json", sent.clone());
            assert_eq!(call.send().await.expect("an answer").status, 400, "{path}");
        }
    }
    assert_eq!(count(&alice).await, 0);
}

#[tokio::test]
async fn a_content_type_has_no_case_and_may_name_utf_8() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (kind, status) in [
        ("application/json; charset=utf-8", 201),
        ("application/json;charset=UTF-8", 201),
        ("application/json; charset=\"utf-8\"", 201),
        ("Application/Json", 201),
        ("text/plain", 415),
        ("application/vnd.api+json", 415),
        ("application/x-www-form-urlencoded", 415),
    ] {
        let call = alice
            .call(Method::POST, "/api/v1/tasks")
            .body(kind, r#"{"title":"x"}"#);
        assert_eq!(send(call).await.status, status, "{kind}");
    }
}

#[tokio::test]
async fn the_word_bearer_has_no_case() {
    let api = Service::start("api").await;
    let token = nudge_test_kit::tokens::mint("alice", crate::support::ZONE, api.clock.now());
    for (scheme, status) in [("bearer", 200), ("BEARER", 200), ("Bearer ", 200), ("Basic", 401)] {
        let anybody = api.anybody();
        let call = anybody
            .call(Method::GET, "/api/v1/me")
            .header("authorization", format!("{scheme} {token}"));
        assert_eq!(send(call).await.status, status, "{scheme}");
    }
}

#[tokio::test]
async fn a_plus_in_a_query_is_a_space_and_no_instant_is_guessed_from_it() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let due = json!({ "title": "x", "due": "2026-12-01T08:00:00+01:00" });
    alice.create("/api/v1/tasks", &due).await;
    for (before, found) in [
        ("2026-12-01T09:00:00%2B01:00", 1),
        ("2026-12-01T09:00:00%2b01:00", 1),
        ("2026-12-01T07:00:00%2B01:00", 0),
    ] {
        let page = body(
            &alice.get(&format!("/api/v1/tasks?dueBefore={before}")).await,
            200,
        );
        assert_eq!(page["items"].as_array().map(Vec::len), Some(found), "{before}");
    }
    let plus = alice
        .get("/api/v1/tasks?dueBefore=2026-12-01T09:00:00+01:00")
        .await;
    assert_eq!(body(&plus, 400)["errors"][0]["field"], "dueBefore");
}

#[tokio::test]
async fn a_whole_number_is_one_however_json_writes_it() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (written, minutes) in [("5.0", 5), ("1e1", 10), ("-0", 0), ("4032.0e1", 40_320)] {
        let sent =
            format!(r#"{{"title":"x","due":"2027-06-01","reminders":[{{"minutesBefore":{written}}}]}}"#);
        let call = alice
            .call(Method::POST, "/api/v1/tasks")
            .body("application/json", sent);
        let task = body(&send(call).await, 201);
        assert_eq!(task["reminders"][0]["minutesBefore"], minutes, "{written}");
    }
    for written in ["1.5", "-1", "18446744073709551616", "1e308", "true"] {
        let sent =
            format!(r#"{{"title":"x","due":"2027-06-01","reminders":[{{"minutesBefore":{written}}}]}}"#);
        let call = alice
            .call(Method::POST, "/api/v1/tasks")
            .body("application/json", sent);
        let problem = body(&send(call).await, 400);
        assert_eq!(
            problem["errors"][0]["field"], "reminders[0].minutesBefore",
            "{written}"
        );
    }
}

#[tokio::test]
async fn another_body_under_a_key_that_is_in_use_is_a_mistake_and_no_reason_to_wait() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let post = async |title: &str| -> Value {
        let call = alice
            .call(Method::POST, "/api/v1/tasks")
            .header("idempotency-key", "k1")
            .json(&json!({ "title": title }));
        let answer = send(call).await;
        json!([answer.status.as_u16(), answer.json().expect("JSON")["code"]])
    };
    assert_eq!(post("one").await[0], 201);
    // As it is while the first request still runs.
    api.sql("UPDATE idempotency SET status = NULL, headers = NULL, body = NULL");
    assert_eq!(post("one").await, json!([409, "idempotency_key_in_flight"]));
    assert_eq!(post("two").await, json!([422, "idempotency_key_reused"]));
    // And when it died: another request does not take its place.
    api.pass(61);
    assert_eq!(post("two").await, json!([422, "idempotency_key_reused"]));
    assert_eq!(post("one").await[0], 201);
    assert_eq!(count(&alice).await, 1);
}
