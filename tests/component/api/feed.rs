//! History and change feed.

use http::Method;
use nudge_test_kit::http::{Answer, Call};
use serde_json::{Value, json};

use crate::support::{Caller, Service, TRACE, json, send, text};

/// One task that was created, changed, completed and deleted, and another one.
async fn changed(alice: &Caller<'_>) -> (Value, Value) {
    let task = alice
        .create("/api/v1/tasks", &json!({ "title": "Pay rent" }))
        .await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    json(&alice.patch(&path, &json!({ "priority": "high" })).await, 200);
    let other = alice.create("/api/v1/tasks", &json!({ "title": "Water" })).await;
    json(&alice.post(&format!("{path}/complete"), &json!({})).await, 200);
    assert_eq!(alice.delete(&path).await.status, 204);
    (task, other)
}

fn kinds(items: &Value) -> Vec<&str> {
    items
        .as_array()
        .expect("items")
        .iter()
        .map(|item| text(item, "type"))
        .collect()
}

#[tokio::test]
async fn the_history_of_a_task_tells_every_version_also_after_its_end() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let (task, _) = changed(&alice).await;
    let path = format!("/api/v1/tasks/{}/history", text(&task, "id"));
    let history = json(&alice.get(&path).await, 200);
    assert_eq!(
        kinds(&history["items"]),
        ["created", "updated", "completed", "deleted"]
    );
    assert_eq!(history["nextCursor"], Value::Null);
    assert_eq!(history["items"][0]["task"], task);
    assert_eq!(history["items"][1]["changed"], json!(["priority"]));
    assert_eq!(history["items"][1]["task"]["priority"], "high");

    let first = json(&alice.get(&format!("{path}?limit=3")).await, 200);
    let rest = json(
        &alice
            .get(&format!("{path}?limit=3&cursor={}", text(&first, "nextCursor")))
            .await,
        200,
    );
    assert_eq!(kinds(&rest["items"]), ["deleted"]);

    let unknown = "/api/v1/tasks/018f0000-0000-7000-8000-000000000000/history";
    for query in ["", "?cursor=2"] {
        let bobs = api.user("bob").get(&format!("{path}{query}")).await;
        assert_eq!(bobs.status, 404);
        assert_eq!(alice.get(&format!("{unknown}{query}")).await.status, 404);
    }
    for never in ["4", "99", "x", "-1"] {
        let page = alice.get(&format!("{path}?cursor={never}")).await;
        assert_eq!(json(&page, 400)["errors"][0]["code"], "invalid_cursor");
    }
}

#[tokio::test]
async fn every_version_says_who_made_it_and_in_which_trace() {
    versions_say_who_made_them(&Service::start("api").await).await;
}

/// The id of the trace of all requests of a test.
fn trace_id() -> &'static str {
    TRACE.split('-').nth(1).expect("the second part")
}

pub(crate) async fn versions_say_who_made_them(api: &Service) {
    let alice = api.user("alice");
    let task = json!({ "title": "Water", "due": "2026-12-01T09:00", "recurrence": "daily", "reminders": [{ "minutesBefore": 5 }] });
    let task = alice.create("/api/v1/tasks", &task).await;
    let event = super::sent(&task, 0);
    let outcome = api
        .sidecar()
        .post("/internal/events/reminder-outcomes", &event)
        .await;
    assert_eq!(outcome.status, 200, "{:?}", outcome.body);
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    assert_eq!(
        alice.delete(&format!("{path}?scope=occurrence")).await.status,
        204
    );

    let by = |item: &Value| (text(item, "type").to_owned(), item["by"]["kind"].clone());
    let feed = json(&alice.get("/api/v1/changes").await, 200);
    let items = feed["items"].as_array().expect("items");
    let told: Vec<(String, Value)> = items.iter().map(by).collect();
    let expected = [
        ("created", "user"),
        ("updated", "nudge"),
        ("deleted", "user"),
        ("created", "nudge"),
    ];
    assert_eq!(
        told,
        expected.map(|(kind, by)| (kind.to_owned(), json!(by))),
        "what Nudge does by itself is its own"
    );
    for index in [0, 2, 3] {
        assert_eq!(items[index]["traceId"], trace_id(), "{}", items[index]);
    }
    let history = json(&alice.get(&format!("{path}/history")).await, 200);
    assert_eq!(history["items"][1]["by"], items[1]["by"]);
    assert_eq!(history["items"][1]["traceId"], items[1]["traceId"]);

    // A task of a request without a trace is in a new one; what an older version stored says nothing.
    let call = Call::new(api.host.local_addr(), Method::POST, "/api/v1/tasks").json(&json!({ "title": "x" }));
    let call = alice
        .headers()
        .fold(call, |call, (name, value)| call.header(name, value));
    json(&send(call.header("traceparent", "00-malformed")).await, 201);
    let next = format!("/api/v1/changes?since={}", text(&feed, "next"));
    let item = json(&alice.get(&next).await, 200)["items"][0].clone();
    assert_ne!(item["traceId"], trace_id());
    assert_eq!(text(&item, "traceId").len(), 32);
}

#[tokio::test]
async fn a_version_of_before_says_neither() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    api.sql("UPDATE task_event SET data = json_remove(data, '$.by', '$.traceparent')");
    let path = format!("/api/v1/tasks/{}/history", text(&task, "id"));
    let item = json(&alice.get(&path).await, 200)["items"][0].clone();
    assert_eq!((&item["by"], &item["traceId"]), (&Value::Null, &Value::Null));
    // A kind of a later version is read, too.
    api.sql("UPDATE task_event SET data = json_set(data, '$.by', json('{\"kind\":\"oracle\"}'))");
    let item = json(&alice.get(&path).await, 200)["items"][0].clone();
    assert_eq!(item["by"], json!({ "kind": "other" }));
}

#[tokio::test]
async fn the_feed_gives_each_change_once_from_wherever_one_left_off() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let start = json(&alice.get("/api/v1/changes?since=now").await, 200);
    let (task, other) = changed(&alice).await;
    api.user("bob")
        .create("/api/v1/tasks", &json!({ "title": "not hers" }))
        .await;

    let mut seen = Vec::new();
    let mut since = text(&start, "next").to_owned();
    loop {
        let page = json(
            &alice.get(&format!("/api/v1/changes?limit=2&since={since}")).await,
            200,
        );
        let items = page["items"].as_array().expect("items");
        seen.extend(items.iter().map(|item| {
            (
                text(item, "type").to_owned(),
                text(item, "taskId").to_owned(),
                item["version"].as_u64().expect("a number"),
            )
        }));
        text(&page, "next").clone_into(&mut since);
        if items.is_empty() {
            break;
        }
    }
    let (task, other) = (text(&task, "id"), text(&other, "id"));
    let expected = [
        ("created", task, 1),
        ("updated", task, 2),
        ("created", other, 1),
        ("completed", task, 3),
        ("deleted", task, 4),
    ];
    assert_eq!(
        seen,
        expected.map(|(kind, id, version)| (kind.to_owned(), id.to_owned(), version))
    );
    let all = json(&alice.get("/api/v1/changes").await, 200);
    assert_eq!(all["items"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn an_answer_ends_where_changes_are_long() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    // 40 kB each, and six of them in the bytes that a body may have.
    let task = json!({ "op": "create", "task": { "title": "x", "description": "🪴".repeat(10_000) } });
    for _ in 0..10 {
        let operations = json!({ "operations": vec![&task; 6] });
        json(&alice.post("/api/v1/tasks/bulk", &operations).await, 200);
    }
    let mut since = "0-0".to_owned();
    let mut counts = Vec::new();
    loop {
        let path = format!("/api/v1/changes?limit=500&since={since}");
        let page = json(&alice.get(&path).await, 200);
        let count = page["items"].as_array().expect("items").len();
        text(&page, "next").clone_into(&mut since);
        counts.push(count);
        if count == 0 {
            break;
        }
    }
    assert_eq!(counts.iter().sum::<usize>(), 60);
    assert!((40..60).contains(&counts[0]), "{counts:?}");
}

/// Asks for a stream; its events are not read.
async fn stream(alice: &Caller<'_>, query: &str, last: &str) -> Answer {
    let call = alice
        .call(Method::HEAD, &format!("/api/v1/changes{query}"))
        .header("accept", "text/event-stream")
        .header("last-event-id", last);
    send(call).await
}

/// What is no place, on any database, in a feed that ends at this place.
pub(crate) async fn refuses_made_up_places(alice: &Caller<'_>, end: &str) {
    let (transaction, number) = end.split_once('-').expect("two numbers");
    let next = |number: &str| number.parse::<u64>().expect("a number") + 1;
    for made_up in [
        "yesterday".to_owned(),
        "%20".to_owned(),
        format!("%20{end}"),
        format!("0{end}"),
        format!("-{end}"),
        format!("{transaction}-0{number}"),
        format!("{transaction}-%2B{number}"),
        format!("{transaction}--1"),
        format!("{transaction}-{}", next(number)),
        format!("{transaction}-99999999"),
        format!("{}-0", next(transaction) + 1_000_000),
        "9223372036854775807-9223372036854775807".to_owned(),
        "0-9223372036854775808".to_owned(),
        "0-99999999999999999999".to_owned(),
    ] {
        let path = format!("/api/v1/changes?since={made_up}");
        let problem = json(&alice.get(&path).await, 400);
        let error = &problem["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!("since"), &json!("invalid_place")),
            "{made_up}"
        );
        assert_eq!(
            stream(alice, &format!("?since={made_up}"), "").await.status,
            400,
            "{made_up}"
        );
        let last = made_up.replace("%20", " ").replace("%2B", "+");
        if last.trim() == last {
            assert_eq!(stream(alice, "", &last).await.status, 400, "{last}");
        }
    }
}

#[tokio::test]
async fn a_place_that_was_never_given_out_is_refused() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    refuses_made_up_places(&alice, "0-0").await;
    changed(&alice).await;
    let end = json(&alice.get("/api/v1/changes?since=now").await, 200);
    let end = text(&end, "next");
    assert_eq!(end, "0-5");
    refuses_made_up_places(&alice, end).await;
    // Not SQLite's, which has no transactions to count.
    assert_eq!(alice.get("/api/v1/changes?since=1-1").await.status, 400);
    let call = alice
        .call(Method::GET, "/api/v1/changes")
        .header("accept", "text/event-stream")
        .header("last-event-id", "0-6");
    let problem = json(&send(call).await, 400);
    assert_eq!(problem["errors"][0]["field"], "Last-Event-ID");

    for (place, left) in [("", 5), ("0-0", 5), ("0-3", 2), (end, 0)] {
        let page = json(&alice.get(&format!("/api/v1/changes?since={place}")).await, 200);
        assert_eq!(page["items"].as_array().map(Vec::len), Some(left), "{place}");
        assert_eq!(
            stream(&alice, &format!("?since={place}"), "").await.status,
            200,
            "{place}"
        );
    }
}

#[tokio::test]
async fn a_place_outlives_the_changes_it_was_given_out_with() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    changed(&alice).await;
    let end = json(&alice.get("/api/v1/changes?since=now").await, 200);
    api.sql("DELETE FROM task WHERE 1");
    let path = format!("/api/v1/changes?since={}", text(&end, "next"));
    assert_eq!(json(&alice.get(&path).await, 200)["items"], json!([]));
    alice.create("/api/v1/tasks", &json!({ "title": "after" })).await;
    assert_eq!(kinds(&json(&alice.get(&path).await, 200)["items"]), ["created"]);
}

#[tokio::test]
async fn the_last_event_goes_before_since_and_an_empty_one_is_none() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    changed(&alice).await;
    for (query, last, status) in [
        ("", "", 200),
        ("", " ", 200),
        ("?since=", "", 200),
        ("?since=0-2", "", 200),
        ("?since=0-9", "", 400),
        ("?since=0-9", "0-2", 200),
        ("?since=now", "0-2", 200),
        ("?since=0-2", "0-9", 400),
        ("", "now", 400),
        ("", "\u{e9}", 400),
    ] {
        let answer = stream(&alice, query, last).await;
        assert_eq!(answer.status, status, "{query} {last}");
    }
    // A page is not a stream.
    let page = alice
        .call(Method::GET, "/api/v1/changes?since=0-3")
        .header("last-event-id", "0-9");
    assert_eq!(
        json(&send(page).await, 200)["items"].as_array().map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn changes_come_as_what_weighs_most_in_accept() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    const STREAM: &str = "text/event-stream";
    const JSON: &str = "application/json";
    for (accept, kind) in [
        (&[][..], JSON),
        (&[""], JSON),
        (&["*/*"], JSON),
        (&["text/event-stream;q=0, application/json"], JSON),
        (&["text/event-stream; q=0.1, application/json;q=0.2"], JSON),
        (&["application/json;q=0.5", "TEXT/Event-Stream;Q=0.6"], STREAM),
        (&["application/json;q=0, */*;q=0.1"], STREAM),
        (&["text/*"], STREAM),
        (&["text/event-stream;q=high, application/json;q=0.1"], JSON),
    ] {
        let mut call = alice.call(Method::HEAD, "/api/v1/changes");
        for line in accept {
            call = call.header("accept", *line);
        }
        let answer = send(call).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, kind),
            "{accept:?}"
        );
        assert_eq!(answer.header("vary"), "Accept", "{accept:?}");
    }
    for accept in [
        "text/html",
        "text/event-stream;q=0",
        "application/json;q=0, text/event-stream;q=0.000",
    ] {
        let call = alice
            .call(Method::GET, "/api/v1/changes")
            .header("accept", accept);
        assert_eq!(json(&send(call).await, 406)["code"], "not_acceptable", "{accept}");
    }
}

/// The events of a stream until one of them is of the task with this title.
async fn stream_until(alice: &Caller<'_>, last: Option<&str>, title: &str) -> Vec<(String, Value)> {
    let mut call = alice
        .call(Method::GET, "/api/v1/changes")
        .header("accept", "text/event-stream");
    if let Some(id) = last {
        call = call.header("last-event-id", id);
    }
    let mut events = Vec::new();
    let mut stream = call.open().await.expect("an answer");
    assert_eq!(stream.header("content-type"), "text/event-stream");
    let mut text = String::new();
    loop {
        text.push_str(&stream.chunk().await.expect("more of the stream"));
        while let Some((frame, rest)) = text.split_once("\n\n") {
            let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
            if let (Some(id), Some(data)) = (field("id: "), field("data: ")) {
                let data: Value = serde_json::from_str(data).expect("JSON");
                assert_eq!(field("event: "), data["type"].as_str());
                assert_eq!(data["id"], id);
                events.push((id.to_owned(), data));
            }
            text = rest.to_owned();
        }
        if events.iter().any(|(_, data)| data["task"]["title"] == title) {
            return events;
        }
    }
}

#[tokio::test]
async fn a_stream_gives_what_was_and_what_comes_and_goes_on_where_it_broke_off() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    alice.create("/api/v1/tasks", &json!({ "title": "before" })).await;
    let (events, ()) = tokio::join!(stream_until(&alice, None, "while"), async {
        alice.create("/api/v1/tasks", &json!({ "title": "while" })).await;
    });
    assert_eq!(events.len(), 2);
    let (last, _) = &events[1];

    alice.create("/api/v1/tasks", &json!({ "title": "after" })).await;
    let resumed = stream_until(&alice, Some(last), "after").await;
    assert_eq!(resumed.len(), 1, "what was seen does not come again");
}
