//! Account deletion: everything of one user and nothing of others, wherever a crash interrupts it.

use http::Method;
use nudge_test_kit::dapr::{Function, unavailable};
use serde_json::json;

use super::{relay, settled};
use crate::support::{Caller, Service, json, send, text};

const ME: &str = "/api/v1/me";

/// Things of every kind, and the ids of the tasks.
pub(crate) async fn furnish(who: &Caller<'_>) -> Vec<String> {
    let category = who.create("/api/v1/categories", &json!({ "name": "Home" })).await;
    let tag = who.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    who.create("/api/v1/agents", &json!({ "name": "Laptop", "scope": "write" }))
        .await;
    let plain = json!({ "title": "Pay the rent", "categoryId": category["id"], "tagIds": [tag["id"]] });
    let armed = json!({ "title": "Call", "due": "2026-12-01T09:00", "recurrence": "daily", "reminders": [{ "minutesBefore": 60 }] });
    let mut ids = Vec::new();
    for body in [&plain, &armed, &armed, &plain] {
        let call = who
            .call(Method::POST, "/api/v1/tasks")
            .header("idempotency-key", format!("key-{}", ids.len()));
        ids.push(text(&json(&send(call.json(body)).await, 201), "id").to_owned());
    }
    json(
        &who.post(&format!("/api/v1/tasks/{}/complete", ids[2]), &json!({}))
            .await,
        200,
    );
    assert_eq!(who.delete(&format!("/api/v1/tasks/{}", ids[3])).await.status, 204);
    json(
        &who.patch(ME, &json!({ "email": "private@example.org" })).await,
        200,
    );
    ids
}

pub(crate) async fn delete_account(who: &Caller<'_>) {
    assert_eq!(who.delete(ME).await.status, 202);
}

/// Runs the relay until every account deletion is finished.
pub(crate) async fn gone(api: &Service) {
    let leaving = "SELECT COUNT(*) FROM person WHERE leaving_since IS NOT NULL";
    for _ in 0..10 {
        api.pass(10);
        relay(api).await;
        let left: i64 = api
            .database()
            .query_row(leaving, [], |row| row.get(0))
            .expect("a count");
        if left == 0 {
            return;
        }
    }
    panic!("an account deletion is not finished");
}

/// Whatever a text occurs in: every row of every table, without those that keep a user's id for a time.
fn occurrences(api: &Service, text: &str) -> Vec<String> {
    let database = api.database();
    let mut tables = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .expect("a schema");
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .expect("names")
        .map(Result::unwrap)
        .collect();
    let mut found = Vec::new();
    for name in names.iter().filter(|name| !KEPT.contains(&name.as_str())) {
        let mut rows = database
            .prepare(&format!("SELECT * FROM \"{name}\""))
            .expect("a table");
        let columns = rows.column_count();
        let mut rows = rows.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            let shown: Vec<String> = (0..columns)
                .map(|column| format!("{:?}", row.get_ref(column).unwrap()))
                .collect();
            let shown = shown.join(" ");
            // Debug shows texts as lists of bytes.
            let bytes: Vec<String> = text.bytes().map(|byte| byte.to_string()).collect();
            if shown.contains(&bytes.join(", ")) {
                found.push(format!("{name}: {shown}"));
            }
        }
    }
    found
}

/// Tasks of alice's whose deletion was announced.
pub(crate) fn deleted_events(api: &Service) -> Vec<String> {
    let mut ids: Vec<String> = api
        .dapr
        .published("task-events")
        .iter()
        .filter(|published| published.event.type_ == "nudge.task.deleted.v1")
        .filter(|published| published.data().expect("JSON")["task"]["userId"] == "alice")
        .map(|published| published.event.subject.clone().expect("a subject"))
        .collect();
    ids.sort();
    ids.dedup();
    ids
}

#[tokio::test]
async fn account_deletion_removes_everything_of_one_user_and_nothing_of_others() {
    let api = Service::start("api").await;
    let (alice, bob) = (api.user("alice"), api.user("bob"));
    let mut ids = furnish(&alice).await;
    furnish(&bob).await;
    settled(&api).await;
    let before = json(&bob.get("/api/v1/me/export").await, 200);
    assert!(!occurrences(&api, "alice").is_empty() && !occurrences(&api, &ids[0]).is_empty());

    delete_account(&alice).await;
    gone(&api).await;
    for secret in ["alice", "private@example.org"]
        .into_iter()
        .chain(ids.iter().map(String::as_str))
    {
        let left = occurrences(&api, secret);
        let others: Vec<_> = left
            .iter()
            // Bob has it, too.
            .filter(|row| {
                let is_of_bob = ["person: ", "notice: "]
                    .iter()
                    .any(|table| row.starts_with(table));
                secret != "private@example.org" || !is_of_bob
            })
            .collect();
        assert!(others.is_empty(), "{secret}: {others:#?}");
    }
    ids.sort();
    assert_eq!(deleted_events(&api), ids, "so that jobs are disarmed");
    let mut after = json(&bob.get("/api/v1/me/export").await, 200);
    after["exportedAt"] = before["exportedAt"].clone();
    assert_eq!(after, before);

    // A user who comes back starts anew.
    let call = alice
        .call(Method::POST, "/api/v1/tasks")
        .header("idempotency-key", "key-0");
    let answer = send(call.json(&json!({ "title": "Another start" }))).await;
    assert_eq!(answer.header("idempotency-replayed"), "");
    json(&answer, 201);
    let export = json(&alice.get("/api/v1/me/export").await, 200);
    assert_eq!(export["me"]["email"], "alice@example.com");
    assert_eq!(
        (
            export["tasks"].as_array().unwrap().len(),
            export["history"].as_array().unwrap().len()
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn nothing_is_stored_during_account_deletion() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    settled(&api).await;
    let hold = api.dapr.hold_next(Function::PublishAll);
    delete_account(&alice).await;
    hold.reached().await;
    delete_account(&alice).await;
    let keyed = alice
        .call(Method::POST, "/api/v1/tags")
        .header("idempotency-key", "once")
        .json(&json!({ "name": "x" }));
    for answer in [
        alice.post("/api/v1/tasks", &json!({ "title": "y" })).await,
        alice.post("/api/v1/categories", &json!({ "name": "y" })).await,
        alice.post("/api/v1/tags", &json!({ "name": "y" })).await,
        alice.patch(ME, &json!({ "defaultReminder": 5 })).await,
        send(keyed).await,
    ] {
        assert_eq!(answer.header("retry-after"), "15");
        assert_eq!(json(&answer, 409)["code"], "account_leaving");
    }
    assert_eq!(
        alice.patch(&path, &json!({ "title": "y" })).await.status,
        404,
        "it is deleted already"
    );
    assert_eq!(alice.get(ME).await.status, 200);
    api.user("bob")
        .create("/api/v1/tasks", &json!({ "title": "of bob" }))
        .await;
    hold.release();
    settled(&api).await;
    gone(&api).await;
    assert!(occurrences(&api, "alice").is_empty());
    alice
        .create("/api/v1/tasks", &json!({ "title": "Another start" }))
        .await;
}

#[tokio::test]
async fn a_task_that_is_not_deleted_yet_is_not_changed_either() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    // As a process leaves it that died right after the mark.
    api.database()
        .execute("UPDATE person SET leaving_since = 1", [])
        .expect("the mark");
    let problem = json(&alice.patch(&path, &json!({ "title": "y" })).await, 409);
    assert_eq!(problem["code"], "account_leaving");
    assert_eq!(
        json(&alice.get(&path).await, 200)["title"],
        "x",
        "what is there can be read"
    );
    settled(&api).await;
    gone(&api).await;
    assert!(occurrences(&api, "alice").is_empty());
    assert_eq!(deleted_events(&api), [text(&task, "id")]);
}

#[tokio::test]
async fn an_account_whose_data_cannot_be_read_does_not_hold_up_the_others() {
    let api = Service::start("api").await;
    for name in ["alice", "bob"] {
        api.user(name)
            .create("/api/v1/tasks", &json!({ "title": "x" }))
            .await;
    }
    settled(&api).await;
    api.sql("UPDATE person SET leaving_since = CASE id WHEN 'alice' THEN 1 ELSE 2 END");
    api.sql("UPDATE task SET time_zone = 'Nowhere' WHERE user_id = 'alice'");
    relay(&api).await;
    settled(&api).await;
    api.pass(10);
    relay(&api).await;
    assert!(occurrences(&api, "bob").is_empty());
    assert!(!occurrences(&api, "alice").is_empty());
}

#[tokio::test]
async fn what_a_crash_cut_off_is_finished_by_the_next_process() {
    let before = Service::start("api").await;
    let alice = before.user("alice");
    // More than are deleted before their events are published.
    let mut ids = Vec::new();
    for _ in 0..60 {
        ids.push(
            text(
                &alice.create("/api/v1/tasks", &json!({ "title": "x" })).await,
                "id",
            )
            .to_owned(),
        );
    }
    settled(&before).await;
    let hold = before.dapr.hold_next(Function::PublishAll);
    delete_account(&alice).await;
    hold.reached().await;

    let after = before.start_again().await;
    assert_eq!(
        after
            .user("alice")
            .post("/api/v1/tasks", &json!({ "title": "y" }))
            .await
            .status,
        409
    );
    gone(&after).await;
    assert!(occurrences(&after, "alice").is_empty());
    ids.sort();
    assert_eq!(deleted_events(&after), ids, "by the process that goes on");
    after
        .user("alice")
        .create("/api/v1/tasks", &json!({ "title": "Another start" }))
        .await;
}

#[tokio::test]
async fn rows_are_purged_only_when_their_events_are_published() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let mut ids = furnish(&alice).await;
    settled(&api).await;
    api.dapr
        .down(Function::PublishAll, unavailable("the broker is away"));
    let calls = api.dapr.calls(Function::PublishAll);
    delete_account(&alice).await;
    let tried = || (api.dapr.calls(Function::PublishAll) > calls).then_some(());
    api.dapr.until(tried).await.expect("publishing is tried");
    api.pass(10);
    assert_eq!(
        api.sidecar().post("/internal/relay", &json!({})).await.status,
        503
    );
    for id in &ids[..2] {
        assert!(
            !occurrences(&api, id).is_empty(),
            "{id} is purged before its event is published"
        );
    }
    api.dapr.up(Function::PublishAll);
    gone(&api).await;
    assert!(occurrences(&api, "alice").is_empty());
    ids.sort();
    assert_eq!(deleted_events(&api), ids);
}

#[tokio::test]
async fn the_next_occurrence_is_not_created_during_account_deletion() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body = json!({ "title": "x", "due": "2026-12-01T09:00", "recurrence": "daily" });
    let task = alice.create("/api/v1/tasks", &body).await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    json(&alice.post(&format!("{path}/complete"), &json!({})).await, 200);
    settled(&api).await;
    let hold = api.dapr.hold_next(Function::PublishAll);
    delete_account(&alice).await;
    hold.reached().await;
    let next = json!({ "kind": "next", "id": "018f0000-0000-7000-8000-000000000009", "due": "2026-12-02T09:00:00+01:00", "occurrence": 2 });
    let successor = format!("/internal/tasks/{}/successor", text(&task, "id"));
    let answer = api.sidecar().post(&successor, &next).await;
    assert_eq!(answer.status, 204, "{:?}", answer.body);
    hold.release();
    settled(&api).await;
    gone(&api).await;
    assert!(occurrences(&api, "alice").is_empty());
    let answer = api.sidecar().post(&successor, &next).await;
    assert_eq!(answer.status, 404, "its event is on no dead-letter topic");
}

/// One run has deleted the tasks and waits for the broker; another one finishes, and the user comes back. Then the first one goes on.
pub(crate) async fn a_run_that_goes_on_late_deletes_nothing_new(api: &Service) {
    let alice = api.user("alice");
    furnish(&alice).await;
    settled(api).await;
    let hold = api.dapr.hold_next(Function::PublishAll);
    delete_account(&alice).await;
    hold.reached().await;
    for _ in 0..2 {
        api.pass(10);
        relay(api).await;
    }
    let nothing = json(&alice.get("/api/v1/me/export").await, 200);
    assert_eq!(nothing["tasks"], json!([]));
    furnish(&alice).await;
    settled(api).await;
    let before = json(&alice.get("/api/v1/me/export").await, 200);
    assert_eq!(before["categories"].as_array().map(Vec::len), Some(1));

    let calls = api.dapr.calls(Function::PublishAll);
    hold.release();
    settled(api).await;
    api.pass(10);
    relay(api).await;
    let mut after = json(&alice.get("/api/v1/me/export").await, 200);
    after["exportedAt"] = before["exportedAt"].clone();
    assert_eq!(after, before, "after {calls} calls of the broker");
    let again = alice
        .call(Method::POST, "/api/v1/tasks")
        .header("idempotency-key", "key-0");
    let tag = &before["tags"][0]["id"];
    let category = &before["categories"][0]["id"];
    let body = json!({ "title": "Pay the rent", "categoryId": category, "tagIds": [tag] });
    let answer = send(again.json(&body)).await;
    assert_eq!(answer.header("idempotency-replayed"), "true", "{:?}", answer.body);
}

#[tokio::test]
async fn what_a_user_who_comes_back_stores_is_not_deleted_by_a_late_run() {
    let api = Service::start("api").await;
    a_run_that_goes_on_late_deletes_nothing_new(&api).await;
}

/// Tables whose rows of a user stay, with the reason beside the list in account/erasure.rs.
const KEPT: [&str; 4] = ["email_count", "open_feed", "request_rate", "token_revocation"];

/// Tables with rows of tasks, which other tests look at.
const OF_TASKS: [&str; 4] = ["task", "task_event", "task_number", "reminder"];

#[tokio::test]
async fn every_table_with_a_user_id_is_erased() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    assert_eq!(alice.get(ME).await.status, 200);
    let mut stored = Vec::new();
    for (table, columns) in tables_of_users(&api) {
        let values: Vec<String> = columns
            .iter()
            .map(|(name, kind)| match (name.as_str(), kind.as_str()) {
                ("user_id", _) => "'alice'".to_owned(),
                (_, "TEXT") => format!("'of {table}'"),
                // Now, so that none is deleted because it is old.
                _ => "1795262400000".to_owned(),
            })
            .collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        api.sql(&format!(
            "INSERT OR REPLACE INTO \"{table}\" ({}) VALUES ({})",
            names.join(", "),
            values.join(", ")
        ));
        stored.push(table);
    }
    assert!(stored.len() > 7, "{stored:?}");
    delete_account(&alice).await;
    settled(&api).await;
    gone(&api).await;
    let mut left: Vec<&String> = stored
        .iter()
        .filter(|table| {
            let sql = format!("SELECT COUNT(*) FROM \"{table}\" WHERE user_id = 'alice'");
            let count: i64 = api.database().query_row(&sql, [], |row| row.get(0)).unwrap();
            count > 0
        })
        .collect();
    left.sort();
    // Of those that are kept, some are forgotten by then.
    assert!(
        left.iter().all(|table| KEPT.contains(&table.as_str())),
        "add the table to the list in account/erasure.rs: {left:?}"
    );
}

/// Every table with a column `user_id` but those of tasks, and its columns with their types.
fn tables_of_users(api: &Service) -> Vec<(String, Vec<(String, String)>)> {
    let database = api.database();
    let mut tables = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .unwrap();
    let names: Vec<String> = tables
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    names
        .into_iter()
        .filter(|name| !OF_TASKS.contains(&name.as_str()))
        .map(|name| {
            let mut columns = database
                .prepare("SELECT name, type FROM pragma_table_info($1)")
                .unwrap();
            let columns = columns
                .query_map([&name], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap()
                .map(Result::unwrap)
                .collect();
            (name, columns)
        })
        .filter(|(_, columns): &(_, Vec<(String, String)>)| columns.iter().any(|(name, _)| name == "user_id"))
        .collect()
}
