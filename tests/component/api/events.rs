//! Events of the api, published after responding and by the relay.

use expect_test::expect_file;
use nudge_test_kit::dapr::{Function, Published, failed, timeout, unavailable};
use serde_json::{Value, json};

use super::{relay, settled};
use crate::golden::{stable, without_task};
use crate::support::{Service, TRACE, json, text};

fn ids(published: &[Published]) -> Vec<&str> {
    published
        .iter()
        .map(|published| published.event.id.as_str())
        .collect()
}

fn delivery(published: &Published) -> Value {
    published.delivery().expect("JSON")
}

#[tokio::test]
async fn every_change_is_announced_once_with_the_id_of_its_version() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice
        .create(
            "/api/v1/tasks",
            &json!({ "title": "x", "due": "2026-12-01T09:00", "recurrence": "daily" }),
        )
        .await;
    let id = text(&task, "id");
    let path = format!("/api/v1/tasks/{id}");
    // What is published behind two answers may overtake each other: consumers go by version.
    settled(&api).await;
    let due = json!({ "title": "y", "due": "2026-12-02T09:00" });
    json(&alice.patch(&path, &due).await, 200);
    settled(&api).await;
    json(&alice.post(&format!("{path}/complete"), &json!({})).await, 200);
    settled(&api).await;
    json(&alice.patch(&path, &json!({ "status": "pending" })).await, 200);
    settled(&api).await;
    assert_eq!(alice.delete(&path).await.status, 204);
    settled(&api).await;

    let mut events = api.dapr.published("task-events");
    let expected: Vec<String> = (1..=5).map(|version| format!("{id}:{version}")).collect();
    assert_eq!(ids(&events), expected);
    let told: Vec<(Value, Value)> = events
        .iter()
        .map(|event| event.data().expect("JSON"))
        .map(|data| (data["change"].clone(), data["changed"].clone()))
        .collect();
    assert_eq!(
        told,
        [
            (json!("created"), json!([])),
            (json!("updated"), json!(["due", "title"])),
            (json!("completed"), json!(["completedAt", "status"])),
            (json!("reopened"), json!(["completedAt", "status"])),
            (json!("deleted"), json!([])),
        ]
    );
    assert_eq!(ids(&api.dapr.published("task-updates")), expected);
    assert_eq!(ids(&api.dapr.published("task-recurrence")), [format!("{id}:3")]);
    for published in events.drain(..).chain(api.dapr.published("task-updates")) {
        assert_eq!(published.pubsub, "pubsub");
        assert_eq!(published.event.source, "api");
        assert_eq!(published.event.subject.as_deref(), Some(id));
        assert_eq!(
            published.event.partition_key.as_deref(),
            Some(id),
            "changes of one task keep their order"
        );
    }
}

#[tokio::test]
async fn the_events_look_like_this() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = json!({
        "title": "Water the plants", "description": "all of them", "priority": "low", "due": "2026-12-01T09:00",
        "recurrence": "every 3 days", "recurrenceFrom": "completion", "reminders": [{ "minutesBefore": 30 }],
    });
    let task = alice.create("/api/v1/tasks", &task).await;
    settled(&api).await;
    let completed = json(
        &alice
            .post(
                &format!("/api/v1/tasks/{}/complete", text(&task, "id")),
                &json!({}),
            )
            .await,
        200,
    );
    settled(&api).await;

    let topic = |name: &str| api.dapr.published(name);
    expect_file!["../../golden/events/task-events.created.json"]
        .assert_eq(&stable(&without_task(delivery(&topic("task-events")[0]), &task)));
    expect_file!["../../golden/events/task-events.completed.json"].assert_eq(&stable(&without_task(
        delivery(&topic("task-events")[1]),
        &completed,
    )));
    expect_file!["../../golden/events/task-recurrence.completed.json"].assert_eq(&stable(&without_task(
        delivery(&topic("task-recurrence")[0]),
        &completed,
    )));
    expect_file!["../../golden/events/task-updates.changed.json"]
        .assert_eq(&stable(&delivery(&topic("task-updates")[1])));
    assert_eq!(
        topic("task-events")[0].data().expect("JSON")["traceparent"],
        TRACE
    );
}

#[tokio::test]
async fn a_write_is_accepted_while_the_broker_is_away_and_published_when_it_is_back() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    api.dapr
        .down(Function::PublishAll, unavailable("the broker is away"));
    let mut expected = Vec::new();
    for title in ["a", "b", "c"] {
        api.pass(1);
        let task = alice.create("/api/v1/tasks", &json!({ "title": title })).await;
        expected.push(format!("{}:1", text(&task, "id")));
        let tried = || (api.dapr.calls(Function::PublishAll) == expected.len()).then_some(());
        api.dapr
            .until(tried)
            .await
            .expect("publishing after responding is attempted");
    }
    api.pass(10);
    let refused = api.sidecar().post("/internal/relay", &json!({})).await;
    assert_eq!(json(&refused, 503)["code"], "unavailable");
    assert!(api.dapr.published("task-events").is_empty());

    api.dapr.up(Function::PublishAll);
    assert_eq!(relay(&api).await, json!({ "published": 3, "left": 0 }));
    assert_eq!(
        ids(&api.dapr.published("task-events")),
        expected,
        "in the order they were stored"
    );
    assert_eq!(ids(&api.dapr.published("task-updates")), expected);

    assert_eq!(relay(&api).await, json!({ "published": 0, "left": 0 }));
    assert_eq!(api.dapr.published("task-events").len(), 3);
}

#[tokio::test]
async fn the_versions_of_a_task_are_published_in_their_order() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    api.dapr
        .fail_next(Function::PublishAll, unavailable("the broker is away"));
    let task = alice.create("/api/v1/tasks", &json!({ "title": "one" })).await;
    let tried = || (api.dapr.calls(Function::PublishAll) == 1).then_some(());
    api.dapr.until(tried).await.expect("the first version is tried");
    // The broker is back before the relay has its turn: the second version takes the first along.
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    alice.patch(&path, &json!({ "title": "two" })).await;
    api.dapr
        .wait_for("task-events", 2)
        .await
        .expect("both versions are published");
    settled(&api).await;
    let id = |version: u32| format!("{}:{version}", text(&task, "id"));
    for topic in ["task-events", "task-updates"] {
        assert_eq!(ids(&api.dapr.published(topic)), [id(1), id(2)], "{topic}");
    }

    // The first one reaches only one topic of two. The other version waits until it has reached both.
    api.dapr.pass_next(Function::PublishAll);
    api.dapr
        .fail_next(Function::PublishAll, failed("topic task-updates is full"));
    let calls = api.dapr.calls(Function::PublishAll);
    alice.patch(&path, &json!({ "title": "three" })).await;
    let tried = || (api.dapr.calls(Function::PublishAll) == calls + 2).then_some(());
    api.dapr.until(tried).await.expect("both topics are tried");
    alice.patch(&path, &json!({ "title": "four" })).await;
    settled(&api).await;
    assert_eq!(
        ids(&api.dapr.published("task-events")),
        [id(1), id(2), id(3), id(3), id(4)]
    );
    assert_eq!(
        ids(&api.dapr.published("task-updates")),
        [id(1), id(2), id(3), id(4)]
    );
}

#[tokio::test]
async fn the_relay_ignores_events_that_are_being_published() {
    let api = Service::start("api").await;
    let hold = api.dapr.hold_next(Function::PublishAll);
    api.user("alice")
        .create("/api/v1/tasks", &json!({ "title": "x" }))
        .await;
    hold.reached().await;
    assert_eq!(relay(&api).await, json!({ "published": 0, "left": 1 }));
    hold.release();
    settled(&api).await;
    assert_eq!(api.dapr.published("task-events").len(), 1);
}

#[tokio::test]
async fn an_event_whose_fate_is_unknown_is_published_again_under_the_same_id() {
    let api = Service::start("api").await;
    api.dapr.lose_answer(Function::PublishAll, timeout("no answer"));
    api.user("alice")
        .create("/api/v1/tasks", &json!({ "title": "x" }))
        .await;
    api.dapr
        .wait_for("task-events", 1)
        .await
        .expect("the broker has it");
    api.pass(10);
    assert_eq!(relay(&api).await["published"], 1);
    let events = api.dapr.published("task-events");
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].event.id, events[1].event.id);
    assert_eq!(events[0].event.data, events[1].event.data);
}

#[tokio::test]
async fn an_event_that_reached_one_topic_of_two_reaches_the_other_by_the_relay() {
    let api = Service::start("api").await;
    api.dapr.pass_next(Function::PublishAll);
    api.dapr
        .fail_next(Function::PublishAll, failed("topic task-updates is full"));
    api.user("alice")
        .create("/api/v1/tasks", &json!({ "title": "x" }))
        .await;
    let tried = || (api.dapr.calls(Function::PublishAll) == 2).then_some(());
    api.dapr.until(tried).await.expect("both topics are tried");
    api.pass(10);
    relay(&api).await;
    assert_eq!(api.dapr.published("task-updates").len(), 1);
}

#[tokio::test]
async fn what_a_crash_left_unpublished_is_published_by_the_next_process() {
    let before = Service::start("api").await;
    let hold = before.dapr.hold_next(Function::PublishAll);
    let task = before
        .user("alice")
        .create("/api/v1/tasks", &json!({ "title": "x" }))
        .await;
    hold.reached().await;

    // The first process never gets past its call: to the second it is as good as dead.
    let after = before.start_again().await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    assert_eq!(
        json(&after.user("alice").get(&path).await, 200),
        task,
        "what was answered is stored"
    );
    after.pass(10);
    assert_eq!(relay(&after).await, json!({ "published": 1, "left": 0 }));
    assert_eq!(
        ids(&after.dapr.published("task-events")),
        [format!("{}:1", text(&task, "id"))]
    );
    assert!(before.dapr.published("task-events").is_empty());
}

#[tokio::test]
async fn a_restart_keeps_everything() {
    let before = Service::start("api").await;
    let alice = before.user("alice");
    let mut tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    tag["taskCount"] = json!(1);
    let body = json!({
        "title": "x", "due": "2026-12-01T09:00", "recurrence": "weekly", "tagIds": [tag["id"]], "reminders": [{ "minutesBefore": 5 }],
    });
    let task = alice.create("/api/v1/tasks", &body).await;
    settled(&before).await;
    let after = before.start_again().await;
    before.host.shutdown().await;

    let alice = after.user("alice");
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    assert_eq!(json(&alice.get(&path).await, 200), task);
    assert_eq!(json(&alice.get("/api/v1/tags").await, 200)["items"], json!([tag]));
    assert_eq!(
        json(&alice.patch(&path, &json!({ "title": "y" })).await, 200)["version"],
        2
    );
    settled(&after).await;
    after.pass(10);
    assert_eq!(relay(&after).await["published"], 0);
    assert_eq!(
        ids(&after.dapr.published("task-events")),
        [format!("{}:2", text(&task, "id"))],
        "nothing is said twice"
    );
}
