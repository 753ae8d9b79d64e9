//! How every consumer handles an event that it can never process.

use expect_test::expect_file;
use http::Method;
use nudge_test_kit::dapr::{Function, unavailable};
use serde_json::{Value, json};

use crate::golden::stable;
use crate::sample::{REMINDER, TASK, batch, cloud_event, reminder_due, task, task_event};
use crate::support::{Service, json, send};

/// Every consumer, its route, and an event that it accepts.
fn consumers() -> [(&'static str, &'static str, Value); 5] {
    let mut completed = task();
    completed["status"] = json!("completed");
    let outcome = json!({
        "schemaVersion": 1, "reminderId": REMINDER, "taskId": TASK, "remindAt": "2026-11-21T13:30:00+01:00", "at": "2026-11-21T12:30:00Z",
    });
    [
        (
            "api",
            "/internal/events/reminder-outcomes",
            cloud_event("x", "email-delivery", "nudge.reminder.sent.v1", &outcome),
        ),
        (
            "notification",
            "/notification/events/task-events",
            task_event("created", &task()),
        ),
        (
            "email-delivery",
            "/email-delivery/events/task-reminders",
            reminder_due(&task(), 0),
        ),
        (
            "email-delivery",
            "/email-delivery/events/account-notices",
            cloud_event(
                "x",
                "api",
                "nudge.notice.requested.v1",
                &json!({ "schemaVersion": 1, "noticeId": TASK, "userId": "alice" }),
            ),
        ),
        (
            "recurring-task",
            "/recurring-task/events/task-recurrence",
            task_event("completed", &completed),
        ),
    ]
}

/// Delivers a body and returns the status for Dapr and the reasons on the dead-letter topic.
async fn deliver(service: &Service, path: &str, body: impl Into<String>) -> (Value, Vec<String>) {
    let call = service
        .sidecar()
        .call(Method::POST, path)
        .body("application/cloudevents+json", body.into());
    let word = json(&send(call).await, 200)["status"].clone();
    let dead = service.dapr.published("dead-letter");
    let reason = |dead: &nudge_test_kit::dapr::Published| {
        dead.data().expect("JSON")["reason"]
            .as_str()
            .expect("a text")
            .to_owned()
    };
    (word, dead.iter().map(reason).collect())
}

#[tokio::test]
async fn an_unexpected_event_is_dead_lettered_with_the_reason_and_not_redelivered() {
    for (id, path, good) in consumers() {
        let service = Service::start(id).await;
        let with = |change: &dyn Fn(&mut Value)| {
            let mut event = good.clone();
            change(&mut event);
            event.to_string()
        };
        let without_data = with(&|event| drop(event.as_object_mut().expect("an object").remove("data")));
        let mut expected = 0;
        for (body, words) in [
            ("no JSON".to_owned(), "the event cannot be read"),
            (String::new(), "the event cannot be read"),
            ("[]".to_owned(), "the event cannot be read"),
            (without_data, "the event cannot be read"),
            (
                with(&|event| event["specversion"] = json!("0.3")),
                "specversion 0.3 is not 1.0",
            ),
            (
                with(&|event| event["type"] = json!("nudge.order.paid.v1")),
                "event type nudge.order.paid.v1 is not",
            ),
            (
                with(&|event| event["data"]["schemaVersion"] = json!(2)),
                "schemaVersion 2 is not 1",
            ),
            (
                with(&|event| event["data"]["reminderId"] = json!("seven")),
                "UUID",
            ),
            (
                with(&|event| event["data"]["remindAt"] = json!("soon")),
                "`soon` is not a timestamp",
            ),
            (
                with(&|event| event["data"]["task"]["due"] = json!("later")),
                "`later` is not a timestamp",
            ),
            (
                with(&|event| event["data"]["task"]["id"] = json!("seven")),
                "UUID",
            ),
        ] {
            let is_about_reminders = good["data"].get("reminderId").is_some();
            let is_about_a_task = good["data"].get("task").is_some();
            let is_of = |fields: &[&str]| fields.iter().any(|field| body.contains(field));
            if (is_of(&["\"reminderId\":\"seven\"", "\"soon\""]) && !is_about_reminders)
                || (is_of(&["\"id\":\"seven\"", "\"later\""]) && !is_about_a_task)
            {
                continue;
            }
            expected += 1;
            let (word, reasons) = deliver(&service, path, body.clone()).await;
            assert_eq!(word, "SUCCESS", "{id}: {body}");
            assert_eq!(reasons.len(), expected, "{id}: {body}");
            assert!(
                reasons[expected - 1].contains(words),
                "{id}: {body}: {}",
                reasons[expected - 1]
            );
        }
        let dead = service.dapr.published("dead-letter");
        assert!(
            dead.iter()
                .all(|dead| dead.event.source == id && dead.data().expect("JSON")["consumer"] == id)
        );
        assert_eq!(
            dead[0].data().expect("JSON")["event"],
            "no JSON",
            "what was delivered is kept"
        );
        assert!(
            service.dapr.keys().is_empty()
                && service.dapr.jobs().is_empty()
                && service.dapr.invocations().is_empty()
        );
    }
}

#[tokio::test]
async fn a_type_that_contradicts_its_payload_is_dead_lettered() {
    let notification = Service::start("notification").await;
    let mut event = task_event("created", &task());
    event["type"] = json!("nudge.task.deleted.v1");
    let (word, reasons) = deliver(
        &notification,
        "/notification/events/task-events",
        event.to_string(),
    )
    .await;
    assert_eq!(
        (word, reasons),
        (
            json!("SUCCESS"),
            vec!["event type nudge.task.deleted.v1 is not nudge.task.created.v1".to_owned()]
        )
    );
    assert!(notification.dapr.jobs().is_empty());
}

#[tokio::test]
async fn an_event_that_is_too_large_is_dead_lettered_unread() {
    for (id, path, _) in consumers() {
        let service = Service::start(id).await;
        let (word, reasons) = deliver(&service, path, "x".repeat(8 * 1024 * 1024 + 1)).await;
        assert_eq!(
            (word, reasons),
            (
                json!("SUCCESS"),
                vec!["the body is larger than 8192 KiB".to_owned()]
            ),
            "{id}"
        );
    }
}

#[tokio::test]
async fn of_a_long_event_the_beginning_is_kept() {
    let notification = Service::start("notification").await;
    deliver(
        &notification,
        "/notification/events/task-events",
        "x".repeat(100_000),
    )
    .await;
    let dead = notification.dapr.published("dead-letter");
    assert_eq!(
        dead[0].data().expect("JSON")["event"].as_str().map(str::len),
        Some(64 * 1024)
    );
}

#[tokio::test]
async fn without_a_broker_to_put_it_on_dapr_is_told_to_drop_it() {
    for (id, path, _) in consumers() {
        let service = Service::start(id).await;
        service
            .dapr
            .fail_next(Function::Publish, unavailable("the broker is away"));
        let (word, reasons) = deliver(&service, path, "no JSON").await;
        assert_eq!((word, reasons.len()), (json!("DROP"), 0), "{id}");
    }
}

/// Delivers a batch and returns the statuses of its entries.
async fn deliver_all(service: &Service, path: &str, events: &[Value]) -> Vec<Value> {
    let answer = json(&service.sidecar().post(path, &batch(events)).await, 200);
    let statuses = answer["statuses"].as_array().expect("a list");
    let status = |(number, status): (usize, &Value)| {
        assert_eq!(status["entryId"], number.to_string());
        status["status"].clone()
    };
    statuses.iter().enumerate().map(status).collect()
}

#[tokio::test]
async fn a_poisoned_event_fails_alone_in_its_batch() {
    for (id, path, good) in consumers() {
        let service = Service::start(id).await;
        // Other services are asked about the good one.
        service.dapr.down(Function::Invoke, unavailable("no app"));
        service.dapr.down(Function::StateGetMany, unavailable("no store"));
        let alone = json(&service.sidecar().post(path, &good).await, 200)["status"].clone();
        let mut poisoned = good.clone();
        poisoned["type"] = json!("nudge.order.paid.v1");
        let statuses = deliver_all(&service, path, &[good.clone(), poisoned.clone(), good]).await;
        assert_eq!(
            statuses,
            [alone.clone(), json!("SUCCESS"), alone.clone()],
            "{id}: the same as without it"
        );
        // The api does not know the task of the good one.
        let dead = service.dapr.published("dead-letter").into_iter();
        let kept: Vec<Value> = dead
            .map(|dead| dead.data().expect("JSON")["event"].clone())
            .map(|event| serde_json::from_str(event.as_str().expect("a text")).expect("one event"))
            .filter(|event: &Value| event["type"] == poisoned["type"])
            .collect();
        assert_eq!(kept, [poisoned.clone()], "{id}");

        // daprd crashes, or dead-letters another event, if an entry is dropped.
        service
            .dapr
            .fail_next(Function::Publish, unavailable("the broker is away"));
        let statuses = deliver_all(&service, path, &[poisoned]).await;
        assert_eq!(statuses, ["RETRY"], "{id}");
    }
}

#[tokio::test]
async fn a_batch_without_events_is_answered() {
    for (id, path, _) in consumers() {
        let service = Service::start(id).await;
        assert!(deliver_all(&service, path, &[]).await.is_empty(), "{id}");
        assert_eq!(service.dapr.published("dead-letter").len(), 0, "{id}");
    }
}

#[tokio::test]
async fn unknown_fields_are_ignored() {
    let notification = Service::start("notification").await;
    notification.pass(9 * 60);
    let mut event = task_event("created", &task());
    event["data"]["mood"] = json!("good");
    event["data"]["task"]["colour"] = json!("red");
    event["expiration"] = json!("2027-01-01T00:00:00Z");
    let (word, reasons) = deliver(
        &notification,
        "/notification/events/task-events",
        event.to_string(),
    )
    .await;
    assert_eq!((word, reasons.len()), (json!("SUCCESS"), 0));
    assert_eq!(notification.dapr.jobs().len(), 1);
}

#[tokio::test]
async fn a_rejected_event_looks_like_this() {
    let notification = Service::start("notification").await;
    deliver(
        &notification,
        "/notification/events/task-events",
        "{\"specversion\":\"1.0\"}",
    )
    .await;
    let dead = notification.dapr.published("dead-letter");
    expect_file!["../golden/events/dead-letter.rejected.json"]
        .assert_eq(&stable(&dead[0].delivery().expect("JSON")));
}
