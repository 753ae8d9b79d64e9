//! Leases have ids, which tell copies of an event apart.

use serde_json::{Value, json};

use super::leases::{DEFERRALS, LEASES, due, remind, titles};
use super::sent;
use crate::support::{Service, json as body};

const FIRST: &str = "0193f0c1-7a00-7000-8000-000000000001";
const SECOND: &str = "0193f0c1-7a00-7000-8000-000000000002";
const THIRD: &str = "0193f0c1-7a00-7000-8000-000000000003";

/// Leases with an id.
async fn lease(api: &Service, id: &str, limit: u32) -> Value {
    let asked = json!({ "limit": limit, "leaseId": id });
    let leased = body(&api.sidecar().post(LEASES, &asked).await, 200);
    for item in leased["items"].as_array().unwrap() {
        assert_eq!(item["leaseId"], id);
    }
    leased
}

/// The reminder of a task as an event of a lease names it.
fn leased(task: &Value, id: &str) -> Value {
    let mut reminder = due(task);
    reminder["leaseId"] = json!(id);
    reminder
}

/// What the api decides about a reminder: its decision, or the reason why it is not sent.
async fn decide(api: &Service, reminder: &Value) -> String {
    let asked = json!({ "items": [reminder] });
    let answer = api.sidecar().post("/internal/reminders/deliveries", &asked).await;
    let decided = body(&answer, 200)["items"][0].clone();
    assert_eq!(
        (&decided["reminderId"], &decided["remindAt"]),
        (&reminder["reminderId"], &reminder["remindAt"])
    );
    let words = decided.get("reason").unwrap_or(&decided["decision"]);
    words.as_str().unwrap().to_owned()
}

async fn defer(api: &Service, deferrals: &[(&Value, u32)]) {
    let items = deferrals.iter().map(|(reminder, seconds)| {
        let mut item = (*reminder).clone();
        item["afterSeconds"] = json!(seconds);
        item
    });
    let asked = json!({ "items": items.collect::<Vec<_>>() });
    assert_eq!(api.sidecar().post(DEFERRALS, &asked).await.status, 204);
}

/// A request that is repeated because its response was lost gets what it leased, and no more.
pub(crate) async fn repeated(api: &Service) {
    let mut tasks = Vec::new();
    for title in ["a", "b", "c", "d"] {
        tasks.push(remind(api, "alice", title, 1).await);
    }
    api.pass(1);
    assert_eq!(titles(&lease(api, FIRST, 2).await), (vec!["a", "b"], true));
    assert_eq!(titles(&lease(api, FIRST, 2).await), (vec!["a", "b"], true));
    assert_eq!(titles(&lease(api, SECOND, 2).await), (vec!["c", "d"], false));
    assert_eq!(titles(&lease(api, FIRST, 2).await), (vec!["a", "b"], false));
    // What has ended is not in it any more.
    api.sidecar()
        .post("/internal/events/reminder-outcomes", &sent(&tasks[0], 0))
        .await;
    assert_eq!(titles(&lease(api, FIRST, 2).await), (vec!["b"], false));
    api.pass(60);
    assert_eq!(titles(&lease(api, THIRD, 2).await), (vec!["b", "c"], true));
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_reminders() {
    repeated(&Service::start("api").await).await;
}

/// Only the last lease of a reminder counts.
pub(crate) async fn superseded(api: &Service) {
    const ENDED: &str = "its lease has ended: it is leased again";
    let task = remind(api, "alice", "x", 1).await;
    let (first, second) = (leased(&task, FIRST), leased(&task, SECOND));
    api.pass(1);
    lease(api, FIRST, 1).await;
    assert_eq!(decide(api, &first).await, "send");
    api.pass(90);
    assert_eq!(
        decide(api, &first).await,
        "send",
        "it has expired, but a slow broker must not keep the email from being sent"
    );
    assert_eq!(titles(&lease(api, SECOND, 1).await).0, ["x"]);
    assert_eq!(decide(api, &first).await, ENDED);
    assert_eq!(decide(api, &second).await, "send");
    assert_eq!(
        decide(api, &due(&task)).await,
        "send",
        "an event of an older version"
    );
    defer(api, &[(&first, 0)]).await;
    assert_eq!(titles(&lease(api, THIRD, 1).await).0.len(), 0, "it is leased");
    defer(api, &[(&second, 0)]).await;
    assert_eq!(decide(api, &second).await, ENDED);
    assert_eq!(titles(&lease(api, THIRD, 1).await).0, ["x"]);
    // The email of an event of any lease was sent.
    api.sidecar()
        .post("/internal/events/reminder-outcomes", &sent(&task, 0))
        .await;
    assert_eq!(
        decide(api, &leased(&task, THIRD)).await,
        "the reminder was cancelled, or is sent"
    );
}

#[tokio::test]
async fn an_event_of_a_lease_that_was_followed_by_another_is_not_sent() {
    superseded(&Service::start("api").await).await;
}

/// Of several deferrals of a lease the earliest counts, in whatever order they come.
pub(crate) async fn earliest(api: &Service) {
    let task = remind(api, "alice", "x", 1).await;
    let again = async |id: &str| titles(&lease(api, id, 1).await).0.len();
    api.pass(1);
    lease(api, FIRST, 1).await;
    let first = leased(&task, FIRST);
    defer(api, &[(&first, 300), (&first, 60), (&first, 200)]).await;
    defer(api, &[(&first, 120)]).await;
    defer(api, &[(&first, 30)]).await;
    api.pass(29);
    assert_eq!(again(SECOND).await, 0);
    api.pass(1);
    assert_eq!(again(SECOND).await, 1);
    // Without an id, a deferral only ends a lease that is in force.
    defer(api, &[(&due(&task), 60)]).await;
    defer(api, &[(&due(&task), 0)]).await;
    assert_eq!(again(THIRD).await, 0);
}

#[tokio::test]
async fn the_earliest_deferral_of_a_lease_counts() {
    earliest(&Service::start("api").await).await;
}

/// The response says whether something may become due again before `reconcile` would know.
pub(crate) async fn pending(api: &Service) {
    let task = remind(api, "alice", "x", 1).await;
    let pending = async || lease(api, THIRD, 1).await["pending"].clone();
    assert_eq!(
        pending().await,
        false,
        "it becomes due at its instant, which has a job"
    );
    api.pass(1);
    assert_eq!(lease(api, FIRST, 1).await["pending"], true);
    assert_eq!(pending().await, true, "it is in flight");
    let first = leased(&task, FIRST);
    defer(api, &[(&first, 31)]).await;
    assert_eq!(pending().await, false);
    defer(api, &[(&first, 30)]).await;
    assert_eq!(pending().await, true, "it rests for some seconds");
    api.pass(30);
    lease(api, SECOND, 1).await;
    api.sidecar()
        .post("/internal/events/reminder-outcomes", &sent(&task, 0))
        .await;
    assert_eq!(pending().await, false);
}

#[tokio::test]
async fn a_response_says_whether_reminders_may_become_due_again() {
    pending(&Service::start("api").await).await;
}
