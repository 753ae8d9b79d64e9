//! `GET /api/v1/tasks`.

use serde_json::{Value, json};

use crate::support::{Caller, Service, json, text};

async fn create(api: &Service, alice: &Caller<'_>, title: &str) -> Value {
    // Instants are stored in milliseconds; the order of one instant is that of the ids.
    api.pass(1);
    alice.create("/api/v1/tasks", &json!({ "title": title })).await
}

fn titles(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|task| text(task, "title"))
        .collect()
}

#[tokio::test]
async fn pages_stay_right_while_tasks_come_and_go() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let mut tasks = Vec::new();
    for title in ["a", "b", "c", "d", "e"] {
        tasks.push(create(&api, &alice, title).await);
    }
    let first = json(&alice.get("/api/v1/tasks?limit=2").await, 200);
    assert_eq!(titles(&first), ["e", "d"]);

    create(&api, &alice, "f").await;
    assert_eq!(
        alice
            .delete(&format!("/api/v1/tasks/{}", text(&tasks[3], "id")))
            .await
            .status,
        204
    );
    assert_eq!(
        alice
            .delete(&format!("/api/v1/tasks/{}", text(&tasks[1], "id")))
            .await
            .status,
        204
    );

    let second = json(
        &alice
            .get(&format!(
                "/api/v1/tasks?limit=2&cursor={}",
                text(&first, "nextCursor")
            ))
            .await,
        200,
    );
    assert_eq!(titles(&second), ["c", "a"]);
    assert_eq!(second["nextCursor"], Value::Null);
}

#[tokio::test]
async fn tasks_of_one_instant_are_each_listed_once() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for title in ["a", "b", "c"] {
        alice.create("/api/v1/tasks", &json!({ "title": title })).await;
    }
    let first = json(&alice.get("/api/v1/tasks?limit=2").await, 200);
    let second = json(
        &alice
            .get(&format!(
                "/api/v1/tasks?limit=2&cursor={}",
                text(&first, "nextCursor")
            ))
            .await,
        200,
    );
    let mut all = titles(&first);
    all.extend(titles(&second));
    all.sort_unstable();
    assert_eq!(all, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_status_narrows_the_list() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let done = create(&api, &alice, "done").await;
    create(&api, &alice, "open").await;
    alice
        .post(
            &format!("/api/v1/tasks/{}/complete", text(&done, "id")),
            &json!({}),
        )
        .await;
    for (query, expected) in [
        ("", vec!["open", "done"]),
        ("?status=all&cursor=", vec!["open", "done"]),
        ("?status=pending", vec!["open"]),
        ("?status=completed", vec!["done"]),
    ] {
        assert_eq!(
            titles(&json(&alice.get(&format!("/api/v1/tasks{query}")).await, 200)),
            expected,
            "{query}"
        );
    }
}

#[tokio::test]
async fn the_last_page_has_no_cursor_even_when_it_is_full() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    create(&api, &alice, "a").await;
    create(&api, &alice, "b").await;
    assert_eq!(
        json(&alice.get("/api/v1/tasks?limit=2").await, 200)["nextCursor"],
        Value::Null
    );
}
