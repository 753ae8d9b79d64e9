//! How many emails a user may cause, and a mailbox get, on one day.

use serde_json::json;

use super::recipients::{ME, due, me, set};
use super::{delivery, outcome, sent};
use crate::support::{Service, Setup, json, text};

const NEW: &str = "new@example.org";

/// Confirmations, by user and by mailbox.
pub(crate) async fn confirmations_are_limited_of(api: &Service) {
    let alice = api.user("alice");
    for number in 1..=5 {
        set(api, &alice, &format!("a{number}@example.org"), number).await;
    }
    let refused = alice.patch(ME, &json!({ "email": NEW })).await;
    assert_eq!(refused.header("retry-after"), (12 * 60 * 60).to_string());
    let problem = json(&refused, 429);
    assert_eq!(problem["code"], "rate_limited");
    for part in [
        "5 confirmation emails",
        "per user and day",
        "confirmations_per_user_and_day",
        "12 hours",
    ] {
        assert!(text(&problem, "detail").contains(part), "{problem}");
    }
    assert_eq!(me(&alice).await["unconfirmedEmail"]["email"], "a5@example.org");
    json(&alice.patch(ME, &json!({ "defaultReminder": 5 })).await, 200);

    // What alice was refused does not count for the mailbox, however she writes it.
    for _ in 0..3 {
        assert_eq!(alice.patch(ME, &json!({ "email": NEW })).await.status, 429);
    }
    for (number, (user, address)) in [
        ("bob", NEW),
        ("carol", "New+1@example.org"),
        ("dave", "NEW@EXAMPLE.ORG"),
    ]
    .into_iter()
    .enumerate()
    {
        set(api, &api.user(user), address, 6 + number).await;
    }
    let problem = json(
        &api.user("erin")
            .patch(ME, &json!({ "email": "new+e@example.org" }))
            .await,
        429,
    );
    for part in [
        "3 confirmation emails",
        "this address",
        "confirmations_per_recipient_and_day",
    ] {
        assert!(text(&problem, "detail").contains(part), "{problem}");
    }
    api.pass(12 * 60 * 60);
    set(api, &api.user("erin"), NEW, 9).await;
    set(api, &api.user("alice"), "b@example.org", 10).await;
}

#[tokio::test]
async fn confirmations_are_limited() {
    confirmations_are_limited_of(&Service::start("api").await).await;
}

/// Reminders beyond the limits of a day.
pub(crate) async fn emails_of_a_day_are_limited_of(api: &Service) {
    let alice = api.user("alice");
    let (first, second, third) = (
        due(api, &alice).await,
        due(api, &alice).await,
        due(api, &alice).await,
    );
    for task in [&first, &second] {
        assert_eq!(delivery(api, task).await["decision"], "send");
        if task == &second {
            // An email counts even if its task is deleted while it is on its way.
            let task = format!("/api/v1/tasks/{}", text(task, "id"));
            assert_eq!(alice.delete(&task).await.status, 204);
        }
        // Twice, as Dapr may deliver it.
        for _ in 0..2 {
            let route = "/internal/events/reminder-outcomes";
            assert_eq!(
                json(&api.sidecar().post(route, &sent(task, 0)).await, 200)["status"],
                "SUCCESS"
            );
        }
    }
    let decided = delivery(api, &third).await;
    assert_eq!(decided["decision"], "noAddress");
    for part in ["2 emails of one user", "emails_per_user_and_day"] {
        assert!(text(&decided, "reason").contains(part), "{decided}");
    }
    api.pass(12 * 60 * 60);
    assert_eq!(delivery(api, &third).await["decision"], "send", "the next day");
    let failed = outcome(&third, 0, "nudge.reminder.failed.v1", Some("no"));
    json(
        &api.sidecar()
            .post("/internal/events/reminder-outcomes", &failed)
            .await,
        200,
    );
}

#[tokio::test]
async fn emails_of_a_day_are_limited() {
    let api = Setup::new("api")
        .variable("emails_per_user_and_day", "2")
        .start()
        .await;
    emails_of_a_day_are_limited_of(&api).await;
}
