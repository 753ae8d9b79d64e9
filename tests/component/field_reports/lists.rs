//! The order of lists, and names of tags.

use serde_json::json;

use crate::api::titles;
use crate::support::{Service, json as body};

#[tokio::test]
async fn of_one_day_what_has_a_time_comes_first_and_what_has_no_day_last() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (title, due) in [
        ("some day", json!(null)),
        ("that day", json!("2026-12-01")),
        ("at noon", json!("2026-12-01T12:00")),
        ("at five to twelve", json!("2026-12-01T11:55")),
        ("the day after", json!("2026-12-02T00:00")),
        ("overdue", json!("2020-01-01")),
    ] {
        alice
            .create("/api/v1/tasks", &json!({ "title": title, "due": due }))
            .await;
    }
    let up = [
        "overdue",
        "at five to twelve",
        "at noon",
        "that day",
        "the day after",
        "some day",
    ];
    let page = body(&alice.get("/api/v1/tasks?sort=due").await, 200);
    assert_eq!(titles(&page), up);
    let page = body(&alice.get("/api/v1/tasks?sort=due&order=desc").await, 200);
    let down = [
        "the day after",
        "that day",
        "at noon",
        "at five to twelve",
        "overdue",
        "some day",
    ];
    assert_eq!(titles(&page), down, "what has no day is last either way");
}

#[tokio::test]
async fn a_tag_is_found_under_its_name_in_either_unicode_form() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for path in ["/api/v1/tags", "/api/v1/categories"] {
        let made = alice
            .create(path, &json!({ "name": "Cafe\u{301}", "color": "#112233" }))
            .await;
        assert_eq!(made["name"], "Cafe\u{301}", "kept as it was written");
        let again = alice.post(path, &json!({ "name": "Caf\u{e9}" })).await;
        assert_eq!(body(&again, 409)["code"], "name_taken");
        let tea = alice.create(path, &json!({ "name": "Tea" })).await;
        let renamed = format!("{path}/{}", tea["id"].as_str().expect("an id"));
        let taken = alice.patch(&renamed, &json!({ "name": "Cafe\u{301}" })).await;
        assert_eq!(body(&taken, 409)["code"], "name_taken");
        assert_eq!(alice.post(path, &json!({ "name": "cafe" })).await.status, 201);
    }
}
