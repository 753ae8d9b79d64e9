//! Categories and tags.

use serde_json::{Value, json};

use super::settled;
use crate::support::{Service, json, text};

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
            json!({ "id": label["id"], "name": "Work", "color": "#aabbcc" })
        );
        let path = format!("{collection}/{}", text(&label, "id"));
        assert_eq!(answer.header("location"), path);

        let home = alice.create(collection, &json!({ "name": "Home" })).await;
        assert_eq!(home["color"], "#6b7280");
        assert_eq!(
            json(&alice.get(collection).await, 200),
            json!({ "items": [home, label] }),
            "by name"
        );

        let changed = json(&alice.patch(&path, &json!({ "name": "Office" })).await, 200);
        assert_eq!(
            changed,
            json!({ "id": label["id"], "name": "Office", "color": "#aabbcc" })
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
async fn deleting_a_label_takes_it_off_the_tasks_that_wear_it() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let category = alice
        .create("/api/v1/categories", &json!({ "name": "Home" }))
        .await;
    let soon = alice.create("/api/v1/tags", &json!({ "name": "soon" })).await;
    let calm = alice.create("/api/v1/tags", &json!({ "name": "calm" })).await;
    let wearing = json!({ "title": "x", "categoryId": category["id"], "tagIds": [soon["id"], calm["id"]] });
    let task = alice.create("/api/v1/tasks", &wearing).await;
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
