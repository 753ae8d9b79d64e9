//! `POST /api/v1/tasks`.

use serde_json::{Value, json};

use crate::support::{Service, json, text};

#[tokio::test]
async fn creates_a_task_and_answers_with_all_of_it() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let category = alice
        .create(
            "/api/v1/categories",
            &json!({ "name": "Home", "color": "#112233" }),
        )
        .await;
    let tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let body = json!({
        "title": "  Pay the rent ",
        "description": "to Mrs Smith",
        "priority": "high",
        "due": "2026-12-01T09:00",
        "estimateMinutes": 15,
        "categoryId": category["id"],
        "tagIds": [tag["id"]],
        "recurrence": "every month on the 1st",
        "reminders": [{ "minutesBefore": 60 }, { "at": "2026-11-30T18:00" }],
    });

    let answer = alice.post("/api/v1/tasks", &body).await;

    let task = json(&answer, 201);
    assert_eq!(
        answer.header("location"),
        format!("/api/v1/tasks/{}", text(&task, "id"))
    );
    assert_eq!(answer.header("etag"), "\"1\"");
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(
        task,
        json!({
            "id": task["id"],
            "title": "Pay the rent",
            "description": "to Mrs Smith",
            "status": "pending",
            "priority": "high",
            "due": "2026-12-01T09:00:00+01:00",
            "timeZone": "Europe/Berlin",
            "estimateMinutes": 15,
            "categoryId": category["id"],
            "tagIds": [tag["id"]],
            "recurrence": "FREQ=MONTHLY;BYMONTHDAY=1",
            "recurrenceFrom": "due",
            "reminders": [
                { "id": task["reminders"][0]["id"], "minutesBefore": 60, "remindAt": "2026-12-01T08:00:00+01:00", "status": "scheduled" },
                { "id": task["reminders"][1]["id"], "at": "2026-11-30T18:00:00+01:00", "remindAt": "2026-11-30T18:00:00+01:00", "status": "scheduled" },
            ],
            "seriesId": task["seriesId"],
            "occurrence": 1,
            "version": 1,
            "createdAt": "2026-11-21T12:00:00Z",
            "updatedAt": "2026-11-21T12:00:00Z",
            "completedAt": null,
        })
    );
    let read = alice.get(answer.header("location")).await;
    assert_eq!((read.header("etag"), json(&read, 200)), ("\"1\"", task));
}

#[tokio::test]
async fn a_title_is_enough() {
    let api = Service::start("api").await;
    let task = api
        .user("alice")
        .create("/api/v1/tasks", &json!({ "title": "Breathe" }))
        .await;
    assert_eq!(
        task,
        json!({
            "id": task["id"],
            "title": "Breathe",
            "description": null,
            "status": "pending",
            "priority": "medium",
            "due": null,
            "timeZone": "Europe/Berlin",
            "estimateMinutes": null,
            "categoryId": null,
            "tagIds": [],
            "recurrence": null,
            "recurrenceFrom": "due",
            "reminders": [],
            "seriesId": null,
            "occurrence": 1,
            "version": 1,
            "createdAt": "2026-11-21T12:00:00Z",
            "updatedAt": "2026-11-21T12:00:00Z",
            "completedAt": null,
        })
    );
}

async fn due_of(body: Value) -> Value {
    let api = Service::start("api").await;
    api.user("alice").create("/api/v1/tasks", &body).await["due"].clone()
}

#[tokio::test]
async fn a_due_without_zone_is_in_the_zone_of_the_token() {
    assert_eq!(
        due_of(json!({ "title": "x", "due": "2027-07-01T09:00" })).await,
        "2027-07-01T09:00:00+02:00"
    );
}

#[tokio::test]
async fn a_due_is_read_and_shown_in_the_zone_of_the_task() {
    let body = json!({ "title": "x", "due": "2027-07-01T09:00", "timeZone": "america/new_york" });
    assert_eq!(due_of(body).await, "2027-07-01T09:00:00-04:00");
    let body = json!({ "title": "x", "due": "2027-07-01T09:00Z", "timeZone": "America/New_York" });
    assert_eq!(due_of(body).await, "2027-07-01T05:00:00-04:00");
}

#[tokio::test]
async fn a_date_alone_is_due_at_its_end() {
    assert_eq!(
        due_of(json!({ "title": "x", "due": "2026-12-01" })).await,
        "2026-12-01T23:59:59+01:00"
    );
}

#[tokio::test]
async fn the_same_tag_twice_is_one_tag() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await["id"].clone();
    let task = alice
        .create("/api/v1/tasks", &json!({ "title": "x", "tagIds": [tag, tag] }))
        .await;
    assert_eq!(task["tagIds"], json!([tag]));
}

#[tokio::test]
async fn an_estimate_is_up_to_four_weeks_and_can_be_removed() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let longer = json!({ "title": "x", "estimateMinutes": 40_321 });
    let refused = json(&alice.post("/api/v1/tasks", &longer).await, 400);
    assert_eq!(refused["errors"][0]["field"], "estimateMinutes");
    assert_eq!(refused["errors"][0]["code"], "invalid_estimate");
    let task = alice
        .create(
            "/api/v1/tasks",
            &json!({ "title": "x", "estimateMinutes": 40_320 }),
        )
        .await;
    assert_eq!(task["estimateMinutes"], 40_320);
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    let without = json!({ "estimateMinutes": null });
    let task = json(&alice.patch(&path, &without).await, 200);
    assert_eq!(task["estimateMinutes"], Value::Null);

    let call = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "add_task", "arguments": { "title": "x", "estimate_minutes": "45" } },
    });
    let called = json(&alice.post("/mcp", &call).await, 200);
    let added = &called["result"]["structuredContent"]["task"];
    assert_eq!(added["estimate_minutes"], 45, "{called}");
}
