//! Categories and tags.

use http::Method;
use serde_json::{Value, json};

use super::settled;
use crate::support::{Service, json, send, text};

#[tokio::test]
async fn a_label_is_created_read_changed_listed_and_deleted() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for collection in ["/api/v1/categories", "/api/v1/tags"] {
        let answer = alice
            .post(collection, &json!({ "name": " Work ", "color": "#AABBCC" }))
            .await;
        let label = json(&answer, 201);
        assert_eq!(
            label,
            json!({ "id": label["id"], "name": "Work", "color": "#aabbcc", "taskCount": 0, "version": 1 })
        );
        let path = format!("{collection}/{}", text(&label, "id"));
        assert_eq!(answer.header("location"), path);

        let home = alice.create(collection, &json!({ "name": "Home" })).await;
        assert_eq!(home["color"], "#6b7280");
        assert_eq!(
            json(&alice.get(collection).await, 200),
            json!({ "items": [home, label], "nextCursor": null }),
            "by name"
        );

        let changed = json(&alice.patch(&path, &json!({ "name": "Office" })).await, 200);
        assert_eq!(
            changed,
            json!({ "id": label["id"], "name": "Office", "color": "#aabbcc", "taskCount": 0, "version": 2 })
        );
        assert_eq!(
            json(&alice.patch(&path, &json!({ "color": null })).await, 200)["color"],
            "#6b7280"
        );
        assert_eq!(text(&json(&alice.get(&path).await, 200), "name"), "Office");

        assert_eq!(alice.delete(&path).await.status, 204);
        assert_eq!(alice.get(&path).await.status, 404);
        assert_eq!(alice.delete(&path).await.status, 404);
    }
}

#[tokio::test]
async fn a_name_belongs_to_one_label() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for collection in ["/api/v1/categories", "/api/v1/tags"] {
        let work = alice.create(collection, &json!({ "name": "Work" })).await;
        let home = alice.create(collection, &json!({ "name": "Home" })).await;
        assert_eq!(
            json(&alice.post(collection, &json!({ "name": "Work" })).await, 409)["code"],
            "name_taken"
        );
        let path = format!("{collection}/{}", text(&home, "id"));
        assert_eq!(
            json(&alice.patch(&path, &json!({ "name": "Work" })).await, 409)["code"],
            "name_taken"
        );
        assert_eq!(
            json(&alice.patch(&path, &json!({ "name": "Home" })).await, 200),
            home,
            "its own name is free for it"
        );
        assert_eq!(
            alice
                .delete(&format!("{collection}/{}", text(&work, "id")))
                .await
                .status,
            204
        );
        assert_eq!(
            json(&alice.patch(&path, &json!({ "name": "Work" })).await, 200)["name"],
            "Work"
        );
    }
}

#[tokio::test]
async fn deleting_a_label_detaches_it_from_its_tasks() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let category = alice
        .create("/api/v1/categories", &json!({ "name": "Home" }))
        .await;
    let soon = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let calm = alice.create("/api/v1/tags", &json!({ "name": "calm" })).await;
    let tagged = json!({ "title": "x", "categoryId": category["id"], "tagIds": [soon["id"], calm["id"]] });
    let task = alice.create("/api/v1/tasks", &tagged).await;
    settled(&api).await;
    let plain = alice.create("/api/v1/tasks", &json!({ "title": "y" })).await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    settled(&api).await;

    assert_eq!(
        alice
            .delete(&format!("/api/v1/tags/{}", text(&soon, "id")))
            .await
            .status,
        204
    );
    let after = json(&alice.get(&path).await, 200);
    assert_eq!(
        (&after["tagIds"], &after["version"]),
        (&json!([calm["id"]]), &json!(2))
    );
    settled(&api).await;
    assert_eq!(
        alice
            .delete(&format!("/api/v1/categories/{}", text(&category, "id")))
            .await
            .status,
        204
    );
    let after = json(&alice.get(&path).await, 200);
    assert_eq!(
        (&after["categoryId"], &after["version"]),
        (&Value::Null, &json!(3))
    );
    assert_eq!(
        json(
            &alice.get(&format!("/api/v1/tasks/{}", text(&plain, "id"))).await,
            200
        ),
        plain
    );

    settled(&api).await;
    let events = api.dapr.published("task-events");
    let changed: Vec<Value> = events
        .iter()
        .map(|event| event.data().expect("JSON")["changed"].clone())
        .collect();
    assert_eq!(
        changed,
        [json!([]), json!([]), json!(["tagIds"]), json!(["categoryId"])]
    );
}

#[tokio::test]
async fn a_label_counts_its_tasks() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let category = alice
        .create("/api/v1/categories", &json!({ "name": "Work" }))
        .await;
    let tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let body = json!({ "title": "a", "categoryId": category["id"], "tagIds": [tag["id"]] });
    let task = alice.create("/api/v1/tasks", &body).await;
    alice.create("/api/v1/tasks", &body).await;
    let counts = async || {
        let mut counts = Vec::new();
        for path in ["/api/v1/categories", "/api/v1/tags"] {
            counts.push(json(&alice.get(path).await, 200)["items"][0]["taskCount"].clone());
        }
        counts
    };
    assert_eq!(counts().await, [2, 2]);
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    json(
        &alice
            .patch(&path, &json!({ "categoryId": null, "tagIds": [] }))
            .await,
        200,
    );
    assert_eq!(counts().await, [1, 1]);
    let found = json(&alice.get("/api/v1/tasks?tagMatch=any").await, 200);
    let tagged = found["items"]
        .as_array()
        .expect("items")
        .iter()
        .find(|task| task["categoryId"] != Value::Null);
    let id = text(tagged.expect("one task has them"), "id");
    assert_eq!(alice.delete(&format!("/api/v1/tasks/{id}")).await.status, 204);
    assert_eq!(counts().await, [0, 0], "a deleted task has no labels");
}

#[tokio::test]
async fn a_label_that_was_changed_meanwhile_is_not_overwritten() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for collection in ["/api/v1/categories", "/api/v1/tags"] {
        let answer = alice.post(collection, &json!({ "name": "Work" })).await;
        assert_eq!(answer.header("etag"), "\"1\"");
        let path = format!("{collection}/{}", text(&json(&answer, 201), "id"));
        let changed = alice.patch(&path, &json!({ "name": "Office" })).await;
        assert_eq!(changed.header("etag"), "\"2\"");
        assert_eq!(
            alice
                .patch(&path, &json!({ "name": "Office" }))
                .await
                .header("etag"),
            "\"2\""
        );
        for method in [Method::PATCH, Method::DELETE] {
            let call = alice
                .call(method, &path)
                .header("if-match", "\"1\"")
                .json(&json!({ "name": "Home" }));
            let problem = json(&send(call).await, 412);
            assert_eq!(problem["currentVersion"], 2);
        }
        let call = alice.call(Method::DELETE, &path).header("if-match", "\"2\"");
        assert_eq!(send(call).await.status, 204);
    }
}

#[tokio::test]
async fn a_tag_is_put_on_and_taken_off_and_twice_is_once() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let task = alice.create("/api/v1/tasks", &json!({ "title": "a" })).await;
    let path = format!("/api/v1/tasks/{}/tags/{}", text(&task, "id"), text(&tag, "id"));
    for _ in 0..2 {
        let tagged = json(&alice.post(&path, &json!({})).await, 200);
        assert_eq!(
            (&tagged["tagIds"], &tagged["version"]),
            (&json!([tag["id"]]), &json!(2))
        );
    }
    for _ in 0..2 {
        let bare = json(&alice.delete(&path).await, 200);
        assert_eq!((&bare["tagIds"], &bare["version"]), (&json!([]), &json!(3)));
    }
    let nobodys = format!(
        "/api/v1/tasks/{}/tags/018f0000-0000-7000-8000-000000000000",
        text(&task, "id")
    );
    assert_eq!(alice.post(&nobodys, &json!({})).await.status, 404);
    let bob = api.user("bob");
    assert_eq!(bob.post(&path, &json!({})).await.status, 404);
}

#[tokio::test]
async fn a_label_that_is_changed_while_it_is_deleted_stays_if_the_caller_named_its_version() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (collection, table, member) in [
        ("/api/v1/categories", "category", "categoryId"),
        ("/api/v1/tags", "tag", "tagIds"),
    ] {
        let label = alice.create(collection, &json!({ "name": "Work" })).await;
        let tagged = if table == "tag" {
            json!([label["id"]])
        } else {
            label["id"].clone()
        };
        alice
            .create("/api/v1/tasks", &json!({ "title": "x", member: tagged }))
            .await;
        // Another request changes it while the task is changed.
        api.sql(&format!(
            "CREATE TRIGGER meanwhile AFTER UPDATE OF version ON task BEGIN UPDATE {table} SET version = version + 1; END"
        ));
        let path = format!("{collection}/{}", text(&label, "id"));
        let call = alice.call(Method::DELETE, &path).header("if-match", "\"1\"");
        assert_eq!(json(&send(call).await, 412)["currentVersion"], 2);
        assert_eq!(alice.delete(&path).await.status, 204);
        api.sql("DROP TRIGGER meanwhile");
    }
}

#[tokio::test]
async fn a_tag_that_is_put_on_while_it_is_deleted_is_taken_off_again() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    let attach = format!(
        "UPDATE task SET tag_ids = '[\"{}\"]', version = version + 1 WHERE id = '{}'",
        text(&tag, "id"),
        text(&task, "id")
    );
    api.sql(&format!(
        "CREATE TRIGGER meanwhile AFTER DELETE ON tag BEGIN {attach}; END"
    ));
    let tag_path = format!("/api/v1/tags/{}", text(&tag, "id"));
    assert_eq!(alice.delete(&tag_path).await.status, 204);
    assert_eq!(json(&alice.get(&path).await, 200)["tagIds"], json!([]));

    // One that came even later can be taken off by hand, once.
    api.sql(&attach);
    let tagged = format!("{path}/tags/{}", text(&tag, "id"));
    assert_eq!(json(&alice.delete(&tagged).await, 200)["tagIds"], json!([]));
    assert_eq!(alice.delete(&tagged).await.status, 404);
}

#[tokio::test]
async fn a_task_that_keeps_its_tag_does_not_hold_up_the_deletion() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    // The index says that it has the tag, the task that it does not.
    api.sql(&format!(
        "INSERT INTO task_tag (tag_id, task_id) VALUES ('{}', '{}')",
        text(&tag, "id"),
        text(&task, "id")
    ));
    let path = format!("/api/v1/tags/{}", text(&tag, "id"));
    assert_eq!(alice.delete(&path).await.status, 204);
}

#[tokio::test]
async fn changing_a_label_does_not_store_it_anew() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let tag = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let path = format!("/api/v1/tags/{}", text(&tag, "id"));
    // An insert would bring back what was deleted meanwhile.
    api.sql("CREATE TRIGGER meanwhile BEFORE INSERT ON tag BEGIN SELECT RAISE(ABORT, 'an insert'); END");
    let changed = json(&alice.patch(&path, &json!({ "name": "later" })).await, 200);
    assert_eq!(changed["version"], 2);
}

#[tokio::test]
async fn an_unknown_tag_is_named_by_its_index_in_the_list_that_was_sent() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let tag = alice.create("/api/v1/tags", &json!({ "name": "Known" })).await;
    let task = alice
        .create("/api/v1/tasks", &json!({ "title": "x", "tagIds": [tag["id"]] }))
        .await;
    let unknown = "0190163d-8694-739b-aea5-966c26f8ad91";
    let patch = json!({ "tagIds": [tag["id"], unknown] });
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    let problem = json(&alice.patch(&path, &patch).await, 400);
    assert_eq!(problem["errors"][0]["field"], "tagIds[1]");
}
