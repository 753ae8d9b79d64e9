//! A profile or a label that another replica changes, while this one knows it from the request before.

use http::Method;
use nudge_test_kit::tokens;
use serde_json::{Value, json};

use super::me_leaving::{delete_account, gone};
use crate::support::{Caller, Service, Setup, json as body, send, text};

const ME: &str = "/api/v1/me";

/// Two replicas; the first one knows the profile of alice.
async fn replicas() -> (Service, Service) {
    let here = Service::start("api").await;
    let elsewhere = Setup::new("api").beside(&here).start().await;
    create(&here.user("alice")).await;
    (here, elsewhere)
}

async fn create(alice: &Caller<'_>) -> Value {
    let task = json!({ "title": "Call the bank", "due": "2026-12-01T09:00" });
    alice.create("/api/v1/tasks", &task).await
}

async fn create_with_email(api: &Service, email: &str) {
    let mut claims = tokens::claims("alice", "Europe/Berlin", api.clock.now());
    claims["email"] = json!(email);
    let token = tokens::signed(json!({ "alg": "HS256" }), claims, tokens::KEY);
    let call = api.anybody().call(Method::POST, "/api/v1/tasks");
    let task = json!({ "title": "Call the bank" });
    body(&send(call.bearer(&token).json(&task)).await, 201);
}

fn stored_email(api: &Service) -> String {
    let sql = "SELECT email FROM person WHERE id = 'alice'";
    api.database().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_new_task_follows_the_settings_that_were_made_elsewhere() {
    let (here, elsewhere) = replicas().await;
    let settings = json!({ "defaultReminder": 30, "timeZone": "Asia/Tokyo" });
    body(&elsewhere.user("alice").patch(ME, &settings).await, 200);
    let task = create(&here.user("alice")).await;
    assert_eq!(task["reminders"][0]["minutesBefore"], 30);
    assert_eq!(task["due"], "2026-12-01T09:00:00+09:00");
    assert_eq!(create(&here.user("alice")).await["timeZone"], "Asia/Tokyo");
}

#[tokio::test]
async fn a_task_that_was_not_valid_by_the_settings_before_is_created() {
    let (here, elsewhere) = replicas().await;
    // It is 13:00 in Berlin, and 02:00 in Honolulu.
    let zone = json!({ "timeZone": "Pacific/Honolulu" });
    body(&elsewhere.user("alice").patch(ME, &zone).await, 200);
    let past_in_berlin = json!({ "title": "Call the bank", "due": "2026-11-21T09:00", "reminders": [{ "at": "2026-11-21T08:00" }] });
    let task = here.user("alice").create("/api/v1/tasks", &past_in_berlin).await;
    assert_eq!(task["due"], "2026-11-21T09:00:00-10:00");
}

#[tokio::test]
async fn what_the_last_token_says_is_stored() {
    let (here, elsewhere) = replicas().await;
    create_with_email(&elsewhere, "new@example.com").await;
    assert_eq!(stored_email(&here), "new@example.com");
    create(&here.user("alice")).await;
    assert_eq!(stored_email(&here), "alice@example.com");
}

#[tokio::test]
async fn an_account_that_came_back_is_another_one() {
    let (here, elsewhere) = replicas().await;
    delete_account(&elsewhere.user("alice")).await;
    gone(&elsewhere).await;
    create_with_email(&elsewhere, "new@example.com").await;
    create(&here.user("alice")).await;
    assert_eq!(stored_email(&here), "alice@example.com");
}

#[tokio::test]
async fn a_label_that_was_deleted_elsewhere_is_unknown() {
    let (here, elsewhere) = replicas().await;
    for (path, field) in [("/api/v1/tags", "tagIds"), ("/api/v1/categories", "categoryId")] {
        let label = here.user("alice").create(path, &json!({ "name": "Home" })).await;
        let id = text(&label, "id");
        let value = if field == "tagIds" { json!([id]) } else { json!(id) };
        let task = json!({ "title": "Call the bank", field: value });
        here.user("alice").create("/api/v1/tasks", &task).await;
        let deleted = elsewhere.user("alice").delete(&format!("{path}/{id}")).await;
        assert_eq!(deleted.status, 204);
        let problem = body(&here.user("alice").post("/api/v1/tasks", &task).await, 400);
        assert_eq!(
            problem["errors"][0]["field"]
                .as_str()
                .map(|name| name.split('[').next()),
            Some(Some(field))
        );
    }
}
