//! `Idempotency-Key`.

use http::Method;
use nudge_test_kit::http::Answer;
use serde_json::{Value, json};

use crate::support::{Caller, Service, json, send, text};

async fn post(caller: &Caller<'_>, path: &str, key: &str, body: &Value) -> Answer {
    send(
        caller
            .call(Method::POST, path)
            .header("idempotency-key", key)
            .json(body),
    )
    .await
}

async fn count(alice: &Caller<'_>) -> Option<usize> {
    json(&alice.get("/api/v1/tasks").await, 200)["items"]
        .as_array()
        .map(Vec::len)
}

#[tokio::test]
async fn the_same_request_has_the_same_answer_for_a_day() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body = json!({ "title": "Pay rent" });
    let first = post(&alice, "/api/v1/tasks", "k1", &body).await;
    assert_eq!(first.status, 201);
    assert_eq!(first.header("idempotency-replayed"), "");
    api.pass(23 * 3600);
    let alice = api.user("alice");
    let again = post(&alice, "/api/v1/tasks", "k1", &body).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    for name in ["etag", "location", "content-type"] {
        assert_eq!(again.header(name), first.header(name), "{name}");
    }
    assert_eq!(count(&alice).await, Some(1));

    api.pass(2 * 3600);
    let alice = api.user("alice");
    assert_eq!(post(&alice, "/api/v1/tasks", "k1", &body).await.status, 201);
    assert_eq!(count(&alice).await, Some(2), "a day later the key is new");
}

#[tokio::test]
async fn a_refusal_is_kept_as_well() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let first = post(&alice, "/api/v1/tasks", "k1", &json!({ "title": "" })).await;
    assert_eq!(first.status, 400);
    let again = post(&alice, "/api/v1/tasks", "k1", &json!({ "title": "" })).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("content-type"), "application/problem+json");
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_user() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body = json!({ "title": "Pay rent" });
    let task = json(&post(&alice, "/api/v1/tasks", "k1", &body).await, 201);
    for (path, body) in [
        ("/api/v1/tasks".to_owned(), json!({ "title": "Pay more rent" })),
        ("/api/v1/tags".to_owned(), body.clone()),
        (format!("/api/v1/tasks/{}/complete", text(&task, "id")), json!({})),
    ] {
        let problem = json(&post(&alice, &path, "k1", &body).await, 422);
        assert_eq!(problem["code"], "idempotency_key_reused", "{path}");
    }
    let bob = api.user("bob");
    assert_eq!(post(&bob, "/api/v1/tasks", "k1", &body).await.status, 201);
    assert_eq!(
        (count(&alice).await, count(&bob).await),
        (Some(1), Some(1)),
        "bob's key is another"
    );
}

#[tokio::test]
async fn requests_at_the_same_time_run_once() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let body = json!({ "title": "Pay rent" });
    let answers = tokio::join!(
        post(&alice, "/api/v1/tasks", "k1", &body),
        post(&alice, "/api/v1/tasks", "k1", &body),
        post(&alice, "/api/v1/tasks", "k1", &body),
    );
    for answer in [&answers.0, &answers.1, &answers.2] {
        match answer.status.as_u16() {
            201 => {}
            409 => {
                assert_eq!(json(answer, 409)["code"], "idempotency_key_in_flight");
                assert_eq!(answer.header("retry-after"), "1");
            }
            status => panic!("{status}: {:?}", answer.body),
        }
    }
    assert_eq!(count(&alice).await, Some(1));
    assert_eq!(post(&alice, "/api/v1/tasks", "k1", &body).await.status, 201);
}

#[tokio::test]
async fn a_request_that_was_cut_off_is_taken_over_and_creates_nothing_twice() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    let bulk = json!({ "operations": [
        { "op": "create", "task": { "title": "a" } },
        { "op": "create", "task": { "title": "b" } },
    ] });
    let first = json(&post(&alice, "/api/v1/tasks/bulk", "k1", &bulk).await, 200);
    // As a crash after the work and before its answer was kept leaves it.
    api.sql("UPDATE idempotency SET status = NULL, headers = NULL, body = NULL");
    assert_eq!(post(&alice, "/api/v1/tasks/bulk", "k1", &bulk).await.status, 409);
    api.pass(61);
    let again = json(&post(&alice, "/api/v1/tasks/bulk", "k1", &bulk).await, 200);
    let ids = |answer: &Value| [0, 1].map(|index| text(&answer["results"][index]["task"], "id").to_owned());
    assert_eq!(ids(&again), ids(&first));
    assert_eq!(count(&alice).await, Some(2));
}

#[tokio::test]
async fn what_was_stored_although_the_answer_was_an_error_is_not_stored_again() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    assert_eq!(count(&alice).await, Some(0));
    // FAIL keeps what the statement has done so far: as when a connection breaks behind a commit.
    api.sql(
        "CREATE TRIGGER broken AFTER INSERT ON task BEGIN SELECT RAISE(FAIL, 'the database is locked'); END",
    );
    let body = json!({ "title": "Pay rent", "due": "in an hour" });
    assert_eq!(post(&alice, "/api/v1/tasks", "k1", &body).await.status, 503);
    api.sql("DROP TRIGGER broken");
    api.pass(7200);
    let alice = api.user("alice");
    assert_eq!(post(&alice, "/api/v1/tasks", "k1", &body).await.status, 201);
    assert_eq!(count(&alice).await, Some(1));
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_refused_and_reading_needs_none() {
    let api = Service::start("api").await;
    let alice = api.user("alice");
    for key in ["", "a b", &"x".repeat(256)] {
        let answer = post(&alice, "/api/v1/tasks", key, &json!({ "title": "x" })).await;
        assert_eq!(json(&answer, 400)["errors"][0]["field"], "Idempotency-Key");
    }
    let read = alice
        .call(Method::GET, "/api/v1/tasks")
        .header("idempotency-key", "a b");
    assert_eq!(send(read).await.status, 200);
}
