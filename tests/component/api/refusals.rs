//! What the api refuses, and how it says so.

use expect_test::expect_file;
use http::Method;
use nudge_test_kit::http::Answer;
use serde_json::{Value, json};

use crate::golden::stable;
use crate::support::{Service, Setup, json, send};

/// Asserts problem details with this status that name these fields, in this order, each with its code.
fn check(answer: &Answer, status: u16, expected: &[(&str, &str)]) {
    let problem = json(answer, status);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let named: Vec<(&str, &str)> = errors
        .iter()
        .map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(named, expected, "{problem:#}");
    assert!(
        errors
            .iter()
            .all(|error| error["message"].as_str().is_some_and(|message| message.len() > 9)),
        "{problem:#}"
    );
}

/// Asserts problem details without fields.
fn check_code(answer: &Answer, status: u16, code: &str) {
    let problem = json(answer, status);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(problem["code"], code, "{problem:#}");
    assert_eq!(problem["status"], status, "{problem:#}");
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_is_refused() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let post = |kind: &'static str, body: &'static str| {
        send(alice.call(Method::POST, "/api/v1/tasks").body(kind, body))
    };
    check_code(
        &post("application/json", "{\"title\":").await,
        400,
        "invalid_body",
    );
    check_code(&post("application/json", "[]").await, 400, "invalid_body");
    check_code(&post("application/json", "").await, 400, "invalid_body");
    check_code(
        &post("text/plain", "{\"title\":\"x\"}").await,
        415,
        "unsupported_media_type",
    );
    check_code(
        &post("application/merge-patch+json", "{\"title\":\"x\"}").await,
        415,
        "unsupported_media_type",
    );
    assert_eq!(
        post("Application/JSON; charset=utf-8", "{\"title\":\"x\"}")
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let api = Service::start("api").await;
    let long = json!({ "title": "x", "description": "y".repeat(256 * 1024) });
    check_code(
        &api.user("alice").post("/api/v1/tasks", &long).await,
        413,
        "body_too_large",
    );
}

#[tokio::test]
async fn every_mistake_of_a_body_is_named_with_its_field() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let unknown = "018f0000-0000-7000-8000-000000000001";
    let due = "2026-12-01T09:00";
    let six: Vec<Value> = (1..=6)
        .map(|minutes| json!({ "minutesBefore": minutes }))
        .collect();
    let tags: Vec<String> = (0..11)
        .map(|number| format!("018f0000-0000-7000-8000-0000000000{number:02}"))
        .collect();
    for (body, expected) in [
        (json!({}), vec![("title", "required")]),
        (json!({ "title": "   " }), vec![("title", "invalid_title")]),
        (json!({ "title": null }), vec![("title", "required")]),
        (
            json!({ "title": "x".repeat(201) }),
            vec![("title", "invalid_title")],
        ),
        (json!({ "title": "a\nb" }), vec![("title", "invalid_title")]),
        (json!({ "title": 7 }), vec![("title", "wrong_type")]),
        (
            json!({ "title": "x", "dueDate": due }),
            vec![("dueDate", "unknown_field")],
        ),
        (
            json!({ "title": "x", "status": "completed" }),
            vec![("status", "unknown_field")],
        ),
        (
            json!({ "title": "x", "description": "y".repeat(10_001) }),
            vec![("description", "invalid_description")],
        ),
        (
            json!({ "title": "x", "description": 1 }),
            vec![("description", "wrong_type")],
        ),
        (
            json!({ "title": "x", "priority": "whenever" }),
            vec![("priority", "invalid_priority")],
        ),
        (
            json!({ "title": "x", "due": "soonish" }),
            vec![("due", "invalid_due")],
        ),
        (
            json!({ "title": "x", "due": "2027-02-30" }),
            vec![("due", "invalid_due")],
        ),
        (
            json!({ "title": "x", "due": "2026-12-01T24:00" }),
            vec![("due", "invalid_due")],
        ),
        (
            json!({ "title": "x", "due": 1_795_262_400 }),
            vec![("due", "wrong_type")],
        ),
        (
            json!({ "title": "x", "timeZone": "Mars/Base" }),
            vec![("timeZone", "invalid_time_zone")],
        ),
        (
            json!({ "title": "x", "timeZone": "+01:00" }),
            vec![("timeZone", "invalid_time_zone")],
        ),
        (
            json!({ "title": "x", "timeZone": null }),
            vec![("timeZone", "required")],
        ),
        (
            json!({ "title": "x", "categoryId": unknown }),
            vec![("categoryId", "unknown_category")],
        ),
        (
            json!({ "title": "x", "categoryId": "home" }),
            vec![("categoryId", "wrong_type")],
        ),
        (
            json!({ "title": "x", "tagIds": [unknown] }),
            vec![("tagIds[0]", "unknown_tag")],
        ),
        (
            json!({ "title": "x", "tagIds": ["home"] }),
            vec![("tagIds[0]", "wrong_type")],
        ),
        (
            json!({ "title": "x", "tagIds": vec![0; 10_000] }),
            vec![("tagIds", "too_many_tags")],
        ),
        (
            json!({ "title": "x", "reminders": vec![0; 10_000] }),
            vec![("reminders", "too_many_reminders")],
        ),
        (
            json!({ "title": "x", "tagIds": "home" }),
            vec![("tagIds", "wrong_type")],
        ),
        (
            json!({ "title": "x", "tagIds": tags }),
            vec![("tagIds", "too_many_tags")],
        ),
        (
            json!({ "title": "x", "recurrence": "daily" }),
            vec![("recurrence", "recurrence_without_due")],
        ),
        (
            json!({ "title": "x", "due": due, "recurrence": "now and then" }),
            vec![("recurrence", "invalid_recurrence")],
        ),
        (
            json!({ "title": "x", "due": due, "recurrence": "bimonthly" }),
            vec![("recurrence", "ambiguous_recurrence")],
        ),
        (
            json!({ "title": "x", "due": due, "recurrence": "FREQ=HOURLY" }),
            vec![("recurrence", "unsupported_recurrence")],
        ),
        (
            json!({ "title": "x", "due": due, "recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" }),
            vec![("recurrence", "recurrence_never_matches")],
        ),
        (
            json!({ "title": "x", "due": due, "recurrence": "FREQ=DAILY;UNTIL=20261101" }),
            vec![("recurrence", "invalid_recurrence")],
        ),
        (
            json!({ "title": "x", "due": due, "recurrence": "daily", "recurrenceFrom": "start" }),
            vec![("recurrenceFrom", "invalid_recurrence_from")],
        ),
        (
            json!({ "title": "x", "due": due, "reminders": six }),
            vec![("reminders", "too_many_reminders")],
        ),
        (
            json!({ "title": "x", "due": due, "reminders": [{ "minutesBefore": 5 }, { "minutesBefore": 5 }] }),
            vec![("reminders[1]", "duplicate_reminder")],
        ),
        (
            json!({ "title": "x", "reminders": [{ "minutesBefore": 5 }] }),
            vec![("reminders[0]", "invalid_reminder")],
        ),
        (
            json!({ "title": "x", "due": due, "reminders": [{ "minutesBefore": 40_321 }] }),
            vec![("reminders[0]", "invalid_reminder")],
        ),
        (
            json!({ "title": "x", "reminders": [{ "at": "2026-11-21T11:59:59Z" }] }),
            vec![("reminders[0]", "invalid_reminder")],
        ),
        (
            json!({ "title": "x", "reminders": [{ "at": "soon" }] }),
            vec![("reminders[0].at", "invalid_reminder")],
        ),
        (
            json!({ "title": "x", "reminders": [{}] }),
            vec![("reminders[0].minutesBefore", "required")],
        ),
        (
            json!({ "title": "x", "due": due, "reminders": [{ "minutesBefore": 5, "at": due }] }),
            vec![("reminders[0].at", "invalid_reminder")],
        ),
        (
            json!({ "title": "x", "due": due, "reminders": [{ "minutesBefore": -5 }] }),
            vec![("reminders[0].minutesBefore", "wrong_type")],
        ),
        (
            json!({ "title": "x", "due": due, "reminders": [{ "minutesBefore": 5, "id": unknown }] }),
            vec![("reminders[0].id", "unknown_reminder")],
        ),
        (
            json!({ "title": "x", "due": due, "reminders": [{ "minutesBefore": 5, "channel": "fax" }] }),
            vec![("reminders[0].channel", "unknown_field")],
        ),
        (
            json!({ "title": "x", "due": due, "reminders": [{ "channel": "fax" }] }),
            vec![
                ("reminders[0].minutesBefore", "required"),
                ("reminders[0].channel", "unknown_field"),
            ],
        ),
        (
            json!({ "title": "x", "reminders": [5] }),
            vec![("reminders[0]", "wrong_type")],
        ),
        (
            json!({ "title": "x", "reminders": [{ "channel": "fax" }] }),
            vec![
                ("reminders[0].minutesBefore", "required"),
                ("reminders[0].channel", "unknown_field"),
            ],
        ),
        (
            json!({ "title": "x", "reminders": [{ "id": "x", "channel": "fax" }, { "id": 5, "at": "soonish" }] }),
            vec![
                ("reminders[0].id", "wrong_type"),
                ("reminders[1].id", "wrong_type"),
                ("reminders[1].at", "invalid_reminder"),
                ("reminders[0].channel", "unknown_field"),
            ],
        ),
        (
            json!({ "title": 1, "priority": "x", "due": "x", "colour": "red" }),
            vec![
                ("title", "wrong_type"),
                ("priority", "invalid_priority"),
                ("due", "invalid_due"),
                ("colour", "unknown_field"),
            ],
        ),
    ] {
        check(&alice.post("/api/v1/tasks", &body).await, 400, &expected);
    }
    assert_eq!(
        json(&alice.get("/api/v1/tasks").await, 200)["items"],
        json!([]),
        "nothing was stored"
    );
    assert!(api.dapr.published("task-events").is_empty());
}

#[tokio::test]
async fn every_mistake_of_a_query_is_named() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (query, field, code) in [
        ("limit=0", "limit", "invalid_limit"),
        ("limit=101", "limit", "invalid_limit"),
        ("limit=ten", "limit", "invalid_limit"),
        ("cursor=x", "cursor", "invalid_cursor"),
        ("status=done", "status", "invalid_status"),
        ("page=2", "page", "unknown_parameter"),
        ("limit=1&limit=2", "limit", "repeated_parameter"),
    ] {
        check(
            &alice.get(&format!("/api/v1/tasks?{query}")).await,
            400,
            &[(field, code)],
        );
    }
}

#[tokio::test]
async fn every_mistake_of_a_label_is_named() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for (path, body, field, code) in [
        ("/api/v1/categories", json!({}), "name", "required"),
        ("/api/v1/categories", json!({ "name": null }), "name", "required"),
        (
            "/api/v1/categories",
            json!({ "name": " " }),
            "name",
            "invalid_category_name",
        ),
        (
            "/api/v1/categories",
            json!({ "name": "x".repeat(51) }),
            "name",
            "invalid_category_name",
        ),
        (
            "/api/v1/categories",
            json!({ "name": "x", "color": "red" }),
            "color",
            "invalid_color",
        ),
        (
            "/api/v1/categories",
            json!({ "name": "x", "colour": "#ffffff" }),
            "colour",
            "unknown_field",
        ),
        (
            "/api/v1/tags",
            json!({ "name": "x".repeat(31) }),
            "name",
            "invalid_tag_name",
        ),
        (
            "/api/v1/tags",
            json!({ "name": "x", "color": "#ggg000" }),
            "color",
            "invalid_color",
        ),
    ] {
        check(&alice.post(path, &body).await, 400, &[(field, code)]);
    }
}

#[tokio::test]
async fn an_unknown_field_hides_no_missing_one() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body = json!({ "title": "x", "due": "2026-12-01T09:00", "reminders": [{ "minutesBefore": 60 }] });
    let task = alice.create("/api/v1/tasks", &body).await;
    let path = format!("/api/v1/tasks/{}", task["id"].as_str().unwrap());
    let reminder = task["reminders"][0]["id"].as_str().unwrap();
    for (path, missing) in [
        ("/api/v1/categories".to_owned(), "name"),
        ("/api/v1/tags".to_owned(), "name"),
        (format!("{path}/reminders"), "minutesBefore"),
        (format!("{path}/reminders/{reminder}/snooze"), "minutes"),
        (format!("{path}/move"), "due"),
    ] {
        let expected = [(missing, "required"), ("colour", "unknown_field")];
        check(
            &alice.post(&path, &json!({ "colour": "red" })).await,
            400,
            &expected,
        );
    }
    let expected = [("name", "required"), ("color", "invalid_color")];
    let answer = alice.post("/api/v1/tags", &json!({ "color": "red" })).await;
    check(&answer, 400, &expected);
}

#[tokio::test]
async fn a_path_or_a_method_that_is_not_there_is_refused() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    check_code(&alice.get("/api/v2/tasks").await, 404, "no_such_route");
    check_code(&alice.get("/api/v1/tasks/no-uuid").await, 404, "not_found");
    check_code(
        &send(alice.call(Method::PUT, "/api/v1/tasks")).await,
        405,
        "method_not_allowed",
    );
    check_code(
        &send(alice.call(Method::POST, "/health/live")).await,
        405,
        "method_not_allowed",
    );
}

#[tokio::test]
async fn problem_details_look_like_this() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let task = alice.create("/api/v1/tasks", &json!({ "title": "x" })).await;
    let path = format!("/api/v1/tasks/{}", task["id"].as_str().unwrap());
    let body = json!({ "title": "", "reminders": [{ "minutesBefore": 5 }] });

    let golden = |answer: &Answer| {
        assert_eq!(answer.header("content-type"), "application/problem+json");
        stable(&answer.json().expect("JSON"))
    };
    expect_file!["../../golden/problems/validation-error.json"]
        .assert_eq(&golden(&alice.post("/api/v1/tasks", &body).await));
    let stale = alice
        .call(Method::PATCH, &path)
        .header("if-match", "\"9\"")
        .json(&json!({}));
    expect_file!["../../golden/problems/version-mismatch.json"].assert_eq(&golden(&send(stale).await));
    expect_file!["../../golden/problems/unauthorized.json"]
        .assert_eq(&golden(&api.anybody().get(&path).await));
    expect_file!["../../golden/problems/not-found.json"]
        .assert_eq(&golden(&api.user("bob").get(&path).await));
}

/// A caller who mistypes it must not end up with less than `full`.
#[tokio::test]
async fn a_level_of_syncing_that_there_is_not_lets_nothing_be_written() {
    for level in ["fast", "FULL", "off"] {
        let api = Setup::new("api")
            .variable("sqlite_synchronous", level)
            .start()
            .await;
        let answer = api
            .user("alice")
            .post("/api/v1/tasks", &json!({ "title": "x" }))
            .await;
        check(&answer, 503, &[]);
        let tables = "SELECT count(*) FROM sqlite_schema";
        let tables = api.database().query_row(tables, [], |row| row.get::<_, i64>(0));
        assert_eq!(tables, Ok(0), "{level}");
    }
}
