//! History and change feed.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Caller, Service, json, send, text};

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

    assert_eq!(api.user("bob").get(&path).await.status, 404);
    let nobody = "/api/v1/tasks/018f0000-0000-7000-8000-000000000000/history";
    assert_eq!(alice.get(nobody).await.status, 404);
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

#[tokio::test]
async fn a_place_that_is_none_is_refused() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let problem = json(&alice.get("/api/v1/changes?since=yesterday").await, 400);
    assert_eq!(problem["errors"][0]["field"], "since");
    let call = alice
        .call(Method::GET, "/api/v1/changes")
        .header("accept", "text/event-stream")
        .header("last-event-id", "x");
    assert_eq!(
        json(&send(call).await, 400)["errors"][0]["field"],
        "Last-Event-ID"
    );
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
