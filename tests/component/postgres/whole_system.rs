//! The whole system, with its tasks in PostgreSQL.

use http::{Method, StatusCode};
use serde_json::json;
use test_postgres::Server;

use crate::bench::Bench;

pub(crate) async fn the_same_components_keep_their_tasks_in_postgresql(server: Server) {
    let url = ("database_url", server.url().to_owned());
    let mut bench = Bench::start_with([url, ("database_host", server.host())]).await;
    let tag = json!({ "name": "home" });
    let alice = bench.user("alice", "Europe/Berlin");
    let created = alice.send(Method::POST, "/api/v1/tags", Some(tag.clone())).await;
    assert_eq!(created.status, StatusCode::CREATED, "{:?}", created.body);
    let taken = alice.send(Method::POST, "/api/v1/tags", Some(tag)).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "{:?}", taken.body);
    let tag = created.json().unwrap()["id"].clone();

    let task = alice
        .create(
            json!({ "title": "Water the plants", "due": bench.in_seconds(65), "recurrence": "daily",
                        "tagIds": [tag], "reminders": [{ "minutesBefore": 1 }] }),
        )
        .await;
    bench
        .step_until("the email is there", 20, async |bench| bench.emails().len() == 1)
        .await;
    bench
        .wait_until("the reminder shows sent", async |_| {
            alice.read(&task).await["reminders"][0]["status"] == "sent"
        })
        .await;
    alice.complete(&task).await;
    bench
        .wait_until("the next one is there", async |_| {
            alice.list("status=pending").await.len() == 1
        })
        .await;
    alice
        .send(
            Method::DELETE,
            &format!("/api/v1/tags/{}", tag.as_str().unwrap()),
            None,
        )
        .await;

    // Pages, and what is kept after a restart; nothing is in SQLite.
    bench.restart(std::time::Duration::from_secs(1)).await;
    let alice = bench.user("alice", "Europe/Berlin");
    let tasks = alice.list("limit=100").await;
    assert_eq!(tasks.len(), 2);
    assert!(
        tasks.iter().all(|task| task["tagIds"] == json!([])),
        "the tag is off: {tasks:?}"
    );
    assert!(!bench.folder.path().join("sqlite_db.db").exists());
}
