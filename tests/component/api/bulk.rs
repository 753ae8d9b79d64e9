//! `POST /api/v1/tasks/bulk`.

use serde_json::{Value, json};

use super::settled;
use crate::support::{Service, json, text};

fn statuses(answer: &Value) -> Vec<u64> {
    answer["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|result| result["status"].as_u64().expect("a status"))
        .collect()
}

#[tokio::test]
async fn each_operation_has_its_own_result_and_its_own_event() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice
        .create(
            "/api/v1/tasks",
            &json!({ "title": "Water", "due": "2026-12-01", "recurrence": "daily" }),
        )
        .await;
    let id = text(&task, "id");
    let operations = json!([
        { "op": "create", "task": { "title": "Pay rent" } },
        { "op": "create", "task": { "title": "" } },
        { "op": "patch", "id": id, "patch": { "priority": "high" }, "ifMatch": "\"1\"" },
        { "op": "patch", "id": id, "patch": { "priority": "low" }, "ifMatch": "\"1\"" },
        { "op": "complete", "id": id },
        { "op": "reopen", "id": id },
        { "op": "delete", "id": id, "scope": "occurrence" },
        { "op": "complete", "id": id },
        { "op": "dance", "id": id },
        { "op": "complete" },
        7,
    ]);
    let answer = json(
        &alice
            .post("/api/v1/tasks/bulk", &json!({ "operations": operations }))
            .await,
        200,
    );
    assert_eq!(
        statuses(&answer),
        [201, 400, 200, 412, 200, 200, 204, 404, 400, 400, 400]
    );
    let results = &answer["results"];
    assert_eq!(results[0]["task"]["title"], "Pay rent");
    assert_eq!(results[1]["problem"]["errors"][0]["field"], "title");
    assert_eq!(results[2]["task"]["priority"], "high");
    assert_eq!(results[3]["problem"]["currentVersion"], 2);
    assert_eq!(results[4]["task"]["status"], "completed");
    assert_eq!(results[8]["problem"]["errors"][0]["field"], "op");
    assert_eq!(results[9]["problem"]["errors"][0]["field"], "id");

    settled(&api).await;
    let kinds: Vec<String> = api
        .dapr
        .published("task-events")
        .into_iter()
        .map(|published| published.event.type_)
        .collect();
    for kind in ["created", "updated", "completed", "reopened", "deleted"] {
        assert!(
            kinds.contains(&format!("nudge.task.{kind}.v1")),
            "{kind}: {kinds:?}"
        );
    }
}

#[tokio::test]
async fn if_match_of_an_operation_is_read_as_the_header_is() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice.create("/api/v1/tasks", &json!({ "title": "Water" })).await;
    let operation = |tags: Value| json!({ "op": "patch", "id": task["id"], "patch": {}, "ifMatch": tags });
    let operations: Vec<Value> = ["*", "\"1\"", "\"7\", \"1\"", "\"7\"", "W/\"1\"", "1", "", "\"1"]
        .into_iter()
        .map(|tags| operation(json!(tags)))
        .chain([operation(json!(1))])
        .collect();
    let answer = alice
        .post("/api/v1/tasks/bulk", &json!({ "operations": operations }))
        .await;
    let answer = json(&answer, 200);
    assert_eq!(statuses(&answer), [200, 200, 200, 412, 412, 400, 400, 400, 400]);
    for result in &answer["results"].as_array().expect("results")[5..] {
        assert_eq!(result["problem"]["errors"][0]["field"], "ifMatch");
    }
}

#[tokio::test]
async fn none_and_too_many_operations_are_refused_as_a_whole() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let create = json!({ "op": "create", "task": { "title": "x" } });
    for operations in [json!([]), json!(vec![create; 101]), json!("all"), Value::Null] {
        let answer = alice
            .post("/api/v1/tasks/bulk", &json!({ "operations": operations }))
            .await;
        assert_eq!(json(&answer, 400)["errors"][0]["field"], "operations");
    }
    assert_eq!(json(&alice.get("/api/v1/tasks").await, 200)["items"], json!([]));
}
