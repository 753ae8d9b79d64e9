//! Everything about a person as one document.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::{Service, json, text};

const EXPORT: &str = "/api/v1/me/export";

fn length(list: &Value) -> usize {
    list.as_array().expect("a list").len()
}

#[tokio::test]
async fn an_export_of_nothing_is_a_document_as_well() {
    let api = Service::start("api").await;
    let answer = api.user("alice").get(EXPORT).await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"nudge.json\""
    );
    assert_eq!(
        json(&answer, 200),
        json!({
            "exportedAt": "2026-11-21T12:00:00Z",
            "me": json(&api.user("alice").get("/api/v1/me").await, 200),
            "categories": [], "tags": [], "agents": [], "tasks": [], "history": [],
        })
    );
    assert_eq!(api.anybody().get(EXPORT).await.status, 401);
}

#[tokio::test]
async fn an_export_has_what_the_person_has_and_nothing_of_others() {
    let api = Service::start("api").await;
    let (alice, bob) = (api.user("alice"), api.user("bob"));
    bob.create("/api/v1/tasks", &json!({ "title": "of bob" })).await;
    bob.create("/api/v1/tags", &json!({ "name": "of bob" })).await;
    let category = alice
        .create("/api/v1/categories", &json!({ "name": "Home" }))
        .await;
    let tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let body = json!({ "title": "\"quoted\" & more", "categoryId": category["id"], "tagIds": [tag["id"]] });
    let first = alice.create("/api/v1/tasks", &body).await;
    api.pass(1);
    let second = alice.create("/api/v1/tasks", &json!({ "title": "second" })).await;
    let done = format!("/api/v1/tasks/{}/complete", text(&second, "id"));
    let second = json(&alice.post(&done, &json!({})).await, 200);
    let gone = alice.create("/api/v1/tasks", &json!({ "title": "gone" })).await;
    alice
        .delete(&format!("/api/v1/tasks/{}", text(&gone, "id")))
        .await;

    let answer = alice.get(EXPORT).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains("of bob"));
    let export = json(&answer, 200);
    assert_eq!(
        export["tasks"],
        json!([first, second]),
        "oldest first, as the API shows them"
    );
    assert_eq!(
        export["categories"],
        json(&alice.get("/api/v1/categories").await, 200)["items"]
    );
    assert_eq!(
        export["tags"],
        json(&alice.get("/api/v1/tags").await, 200)["items"]
    );
    let history: Vec<(&str, &str)> = export["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (text(change, "type"), text(&change["task"], "title")))
        .collect();
    assert_eq!(
        history,
        [
            ("created", "\"quoted\" & more"),
            ("created", "second"),
            ("completed", "second"),
            ("created", "gone"),
            ("deleted", "gone"),
        ]
    );
}

/// Copies a task of alice's, with its event, until she has `count`: a second apart for every ten, so that instants repeat.
fn copy(api: &Service, count: usize) {
    let database = api.database();
    let columns = "user_id, title, description, status, priority, due_at, time_zone, category_id, tag_ids, recurrence, \
        recurrence_from, reminders, series_id, series_start, occurrence, successor, version, updated_at, completed_at, \
        deleted_at, event_type, event_data";
    let sql = format!(
        "WITH RECURSIVE copy (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copy WHERE number < {}) \
         INSERT INTO task (id, created_at, {columns}) \
         SELECT printf('018f0000-0000-7000-8000-%012d', number), created_at - 1000 * (number / 10), {columns} FROM copy, task",
        count - 1
    );
    database.execute(&sql, []).expect("copies");
}

#[tokio::test]
async fn an_export_of_many_pages_has_each_task_once() {
    for count in [100, 101, 200, 10_000] {
        let api = Service::start("api").await;
        let alice = api.user("alice");
        alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
        copy(&api, count);
        let export = json(&alice.get(EXPORT).await, 200);
        assert_eq!(
            (length(&export["tasks"]), length(&export["history"])),
            (count, count)
        );
        let tasks = export["tasks"].as_array().unwrap();
        let ids: HashSet<&str> = tasks.iter().map(|task| text(task, "id")).collect();
        assert_eq!(ids.len(), count);
    }
}

#[tokio::test]
async fn an_export_that_the_database_cuts_off_does_not_look_whole() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    copy(&api, 250);
    // Each breaks the reading of a page that is not the first.
    for (damage, repair) in [
        (
            "UPDATE task SET priority = 'highest' WHERE id = '018f0000-0000-7000-8000-000000000001'",
            "UPDATE task SET priority = 'medium'",
        ),
        (
            "UPDATE task_event SET data = 'x' || data WHERE seq = 201",
            "UPDATE task_event SET data = substr(data, 2) WHERE seq = 201",
        ),
    ] {
        api.database().execute(damage, []).expect("damage");
        match alice.call(http::Method::GET, EXPORT).send().await {
            Ok(answer) => {
                assert_eq!(answer.status, 200, "it had begun");
                assert!(answer.body.len() > 10_000, "{:?}", answer.body);
                assert!(answer.json().is_err(), "{:?}", answer.body);
            }
            // The connection broke off, which cannot be overlooked either.
            Err(error) => eprintln!("cut off: {error:#}"),
        }
        api.database().execute(repair, []).expect("repair");
    }
    assert_eq!(length(&json(&alice.get(EXPORT).await, 200)["tasks"]), 250);
}
