//! Titles and names: what shows something, stands on one line, and looks like another.

use nudge_contract::legacy::{tag_id, task_id};
use serde_json::{Value, json};

use super::relay;
use crate::support::{Caller, Service, json as body, text};

/// Every request that stores a title or a name: method, path, and the field in errors.
async fn tried(alice: &Caller<'_>, written: &str) -> Vec<(&'static str, u16, Value)> {
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    let task = format!("/api/v1/tasks/{}", text(&task, "id"));
    let mut answers = Vec::new();
    for (path, field) in [
        ("/api/v1/tasks", "title"),
        ("/api/v1/categories", "name"),
        ("/api/v1/tags", "name"),
    ] {
        let answer = alice.post(path, &json!({ field: written })).await;
        answers.push((field, answer.status.as_u16(), answer.json().unwrap_or_default()));
    }
    let answer = alice.patch(&task, &json!({ "title": written })).await;
    answers.push(("title", answer.status.as_u16(), answer.json().unwrap_or_default()));
    let bulk = json!({ "operations": [{ "op": "create", "task": { "title": written } }] });
    let answer = body(&alice.post("/api/v1/tasks/bulk", &bulk).await, 200);
    let result = &answer["results"][0];
    let status = result["status"]
        .as_u64()
        .and_then(|status| status.try_into().ok());
    answers.push(("title", status.unwrap_or_default(), result.clone()));
    answers
}

#[tokio::test]
async fn a_title_or_name_that_shows_nothing_is_empty_wherever_it_is_sent() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for written in [
        "\u{200b}",
        "\u{3164}",
        "\u{2800}",
        "\u{301}",
        "\u{202e}",
        "\u{ad}\u{fe0f}",
    ] {
        for (field, status, problem) in tried(&alice, written).await {
            let told = problem.to_string();
            assert_eq!(status, 400, "{written:?}: {told}");
            assert!(
                told.contains("is empty: give at least one visible character"),
                "{told}"
            );
            assert!(
                told.contains(&format!(r#""field":"{field}""#)) || told.contains(r#".title""#),
                "{told}"
            );
        }
    }
}

#[tokio::test]
async fn a_title_or_name_is_on_one_line_wherever_it_is_sent() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for written in ["a\u{2028}b", "a\u{2029}b", "a\u{85}b", "a\u{b}b", "a\nb"] {
        for (_, status, problem) in tried(&alice, written).await {
            let told = problem.to_string();
            assert_eq!(status, 400, "{written:?}: {told}");
            assert!(told.contains("has a line break: put it on one line"), "{told}");
        }
    }
}

#[tokio::test]
async fn a_description_has_lines_of_any_kind_and_no_other_control_characters() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (description, status) in [
        ("a\nb\r\n\tc\u{2028}d\u{2029}e", 201),
        ("\u{200b}", 201),
        ("a\u{b}b", 400),
        ("a\u{85}b", 400),
        ("a\u{1b}[2Jb", 400),
    ] {
        let task = json!({ "title": "x", "description": description });
        let answer = alice.post("/api/v1/tasks", &task).await;
        let stored = body(&answer, status);
        if status == 201 {
            assert_eq!(stored["description"], description);
        }
    }
}

#[tokio::test]
async fn what_a_language_needs_comes_back_as_it_was_sent() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for title in [
        "می\u{200c}خواهم",
        "\u{1f468}\u{200d}\u{1f467}",
        "e\u{301}",
        "\u{202b}שלום\u{202c} abc",
        "דו״ח\u{200f} (PDF)",
    ] {
        let task = alice.create("/api/v1/tasks", &json!({ "title": title })).await;
        assert_eq!(task["title"], title);
    }
    let task = alice
        .create(
            "/api/v1/tasks",
            &json!({ "title": "\u{feff}\u{3000}a\u{200b}\u{a0}" }),
        )
        .await;
    assert_eq!(task["title"], "a");
}

#[tokio::test]
async fn a_title_from_before_the_rule_is_read_changed_around_and_followed() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body_of_task = json!({ "title": "old", "due": "2026-12-01T09:00", "recurrence": "daily" });
    let task = alice.create("/api/v1/tasks", &body_of_task).await;
    let path = format!("/api/v1/tasks/{}", text(&task, "id"));
    let tag = alice.create("/api/v1/tags", &json!({ "name": "old" })).await;
    let tag = format!("/api/v1/tags/{}", text(&tag, "id"));
    let old = "a\u{2028}b";
    api.sql("UPDATE task SET title = 'a' || CHAR(8232) || 'b'");
    api.sql("UPDATE tag SET name = 'a' || CHAR(8232) || 'b'");

    assert_eq!(body(&alice.get(&path).await, 200)["title"], old);
    let changed = body(&alice.patch(&path, &json!({ "priority": "high" })).await, 200);
    assert_eq!(
        (&changed["title"], &changed["priority"]),
        (&json!(old), &json!("high"))
    );
    let whole = json!({ "title": old, "description": "sent back as it came" });
    let changed = body(&alice.patch(&path, &whole).await, 200);
    assert_eq!((&changed["title"], &changed["version"]), (&json!(old), &json!(3)));
    assert_eq!(
        alice.patch(&path, &json!({ "title": "c\u{2028}d" })).await.status,
        400
    );
    let changed = body(
        &alice
            .patch(&tag, &json!({ "name": old, "color": "#00ff00" }))
            .await,
        200,
    );
    assert_eq!(
        (&changed["name"], &changed["color"]),
        (&json!(old), &json!("#00ff00"))
    );

    assert_eq!(
        alice.delete(&format!("{path}?scope=occurrence")).await.status,
        204
    );
    let next = body(&alice.get("/api/v1/tasks").await, 200);
    assert_eq!(next["items"][0]["title"], old, "{next}");
    assert_eq!(next["items"][0]["occurrence"], 2);
    let changed = body(
        &alice
            .patch(
                &path.replace(text(&task, "id"), text(&next["items"][0], "id")),
                &json!({ "title": "new" }),
            )
            .await,
        200,
    );
    assert_eq!(changed["title"], "new");
}

#[tokio::test]
async fn labels_whose_names_look_the_same_are_one() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for collection in ["/api/v1/categories", "/api/v1/tags"] {
        let home = alice.create(collection, &json!({ "name": "Café" })).await;
        let path = format!("{collection}/{}", text(&home, "id"));
        let other = alice.create(collection, &json!({ "name": "Cafe" })).await;
        let other = format!("{collection}/{}", text(&other, "id"));
        for name in ["café", "CAFÉ", "Cafe\u{301}", "ca\u{200b}fé", "Ｃafé"] {
            let refused = body(&alice.post(collection, &json!({ "name": name })).await, 409);
            assert_eq!(refused["code"], "name_taken", "{name}");
            let refused = body(&alice.patch(&other, &json!({ "name": name })).await, 409);
            assert_eq!(refused["code"], "name_taken", "{name}");
        }
        let changed = body(&alice.patch(&path, &json!({ "name": "CAFÉ" })).await, 200);
        assert_eq!(changed["name"], "CAFÉ", "its own name is free for it in any case");
        api.user("bob")
            .create(collection, &json!({ "name": "café" }))
            .await;
        assert_eq!(alice.delete(&path).await.status, 204);
        alice.create(collection, &json!({ "name": "café" })).await;
    }
}

#[tokio::test]
async fn labels_that_were_two_before_stay_two() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let mut paths = Vec::new();
    for name in ["Home", "other", "third"] {
        api.pass(1);
        let tag = alice.create("/api/v1/tags", &json!({ "name": name })).await;
        paths.push(format!("/api/v1/tags/{}", text(&tag, "id")));
    }
    // As an older version has it.
    api.sql("UPDATE tag SET name = 'home' WHERE name = 'other'");
    api.sql("UPDATE tag SET name_key = NULL, keyed_name = NULL");
    api.sql("DELETE FROM schema_migration WHERE number >= 8");

    let api = api.start_again().await;
    let alice = api.user("alice");
    for (path, name) in paths.iter().zip(["Home", "home"]) {
        let changed = body(&alice.patch(path, &json!({ "color": "#0000ff" })).await, 200);
        assert_eq!(
            (&changed["name"], &changed["color"]),
            (&json!(name), &json!("#0000ff"))
        );
    }
    for taken in ["HOME", "home", "Third"] {
        assert_eq!(
            alice.post("/api/v1/tags", &json!({ "name": taken })).await.status,
            409,
            "{taken}"
        );
    }
    assert_eq!(
        alice.patch(&paths[2], &json!({ "name": "hOME" })).await.status,
        409
    );
    assert_eq!(
        alice.patch(&paths[1], &json!({ "name": "house" })).await.status,
        200
    );
    assert_eq!(
        alice
            .post("/api/v1/tags", &json!({ "name": "House" }))
            .await
            .status,
        409
    );
}

/// On either database: what an older replica stores has keys after the relay ran.
pub(crate) async fn keyed(api: &Service, user: &str, sql: impl AsyncFn(&str)) {
    let alice = api.user(user);
    let answers = async |name: &str| {
        let mut statuses = Vec::new();
        for collection in ["/api/v1/categories", "/api/v1/tags"] {
            let answer = alice.post(collection, &json!({ "name": name })).await;
            statuses.push(answer.status.as_u16());
        }
        statuses
    };
    for name in ["Home", "other", "third"] {
        assert_eq!(answers(name).await, [201, 201], "{name}");
    }
    for table in ["category", "tag"] {
        // The second takes the name that the first had.
        for (from, to) in [("Home", "Office"), ("other", "Home")] {
            sql(&format!(
                "UPDATE {table} SET name = '{to}', version = version + 1 WHERE name = '{from}'"
            ))
            .await;
        }
        for (id, name) in [(1, "Caf\u{e9}"), (2, "THIRD")] {
            sql(&format!(
                "INSERT INTO {table} (id, user_id, name, color, created_at, version) \
                 VALUES ('018f0000-0000-7000-8000-00000000000{id}', '{user}', '{name}', '#6b7280', 0, 1)"
            ))
            .await;
        }
    }
    relay(api).await;
    for name in ["OFFICE", "home", "caf\u{e9}", "Third"] {
        assert_eq!(answers(name).await, [409, 409], "{name}");
    }
    // A name that nothing has any more.
    assert_eq!(answers("OTHER").await, [201, 201]);
    // The label that was stored as another one's double goes on as it is.
    let double = "/api/v1/tags/018f0000-0000-7000-8000-000000000002";
    let changed = body(&alice.patch(double, &json!({ "color": "#0000ff" })).await, 200);
    assert_eq!(changed["name"], "THIRD");
}

#[tokio::test]
async fn what_an_older_replica_names_during_an_upgrade_is_told_apart_after_the_relay_ran() {
    let api = Service::start("api").await;
    keyed(&api, "alice", async |statement: &str| api.sql(statement)).await;
}

#[tokio::test]
async fn labels_that_differ_in_case_in_the_other_system_are_carried_over() {
    let api = Service::start("api").await;
    let at = "2026-11-21T10:00:01Z";
    let masters = json!({ "master": "legacy", "users": ["7"] });
    body(
        &api.sidecar().post("/internal/legacy/masters", &masters).await,
        200,
    );
    let tag = |number: i64, name: &str| json!({ "eventId": "import", "at": at, "userId": "7", "kind": "tag", "number": number, "name": name });
    let task = |title: &str| json!({ "eventId": "e1", "at": at, "userId": "7", "task": 42, "kind": "stored", "fields": { "title": title, "tags": [4, 5] } });
    let changes = json!({ "changes": [tag(4, "Home"), tag(5, "home"), tag(6, "home"), tag(5, "HOME"), task("a\u{2028}b"), task("a b")] });
    let answer = body(
        &api.sidecar().post("/internal/legacy/changes", &changes).await,
        200,
    );
    let told: Vec<&str> = answer["results"]
        .as_array()
        .expect("results")
        .iter()
        .map(|result| {
            result["reason"]
                .as_str()
                .unwrap_or_else(|| text(result, "outcome"))
        })
        .collect();
    assert_eq!(
        told,
        [
            "created",
            "created",
            "name: there is another tag of that name: rename one of the two",
            "updated",
            "title: the title has a line break: put it on one line",
            "created",
        ]
    );
    let alice = api.user("7");
    let task = body(&alice.get(&format!("/api/v1/tasks/{}", task_id(42))).await, 200);
    assert_eq!(task["tagIds"], json!([tag_id(4), tag_id(5)]));
}
