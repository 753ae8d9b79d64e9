//! The api: REST in, tasks and events out.

mod access;
mod access_internal;
mod access_keys;
mod access_rotation;
pub(crate) mod agents;
pub(crate) mod batches;
mod bulk;
mod coding;
mod conditional;
mod cost;
mod create;
pub(crate) mod dead_letters;
mod events;
pub(crate) mod feed;
mod idempotency;
mod identity_provider;
mod labels;
pub(crate) mod languages;
pub(crate) mod lease_fairness;
pub(crate) mod lease_ids;
pub(crate) mod leases;
pub(crate) mod legacy;
pub(crate) mod limits;
mod list;
mod me;
mod me_elsewhere;
mod me_export;
pub(crate) mod me_leaving;
mod occurrences;
mod patch;
mod protected_resource;
mod quick_add;
mod rate;
pub(crate) mod recipients;
pub(crate) mod recipients_limits;
mod recipients_pages;
mod refusals;
mod reminders;
mod reminders_routes;
pub(crate) mod search;
mod series;
pub(crate) mod texts;
pub(crate) mod tokens;
pub(crate) mod trail;

use serde_json::{Value, json};

use crate::support::{Service, json as body, text};

/// The event that the email of a task's reminder was sent.
fn sent(task: &Value, reminder: usize) -> Value {
    outcome(task, reminder, "nudge.reminder.sent.v1", None)
}

/// The event with the outcome of the email of a task's reminder.
fn outcome(task: &Value, reminder: usize, kind: &str, failure: Option<&str>) -> Value {
    let reminder = &task["reminders"][reminder];
    let mut data = json!({
        "schemaVersion": 1,
        "reminderId": reminder["id"],
        "taskId": task["id"],
        "remindAt": reminder["remindAt"],
        "at": "2026-11-21T12:00:00Z",
    });
    if let Some(failure) = failure {
        data["failure"] = json!(failure);
    }
    json!({
        "specversion": "1.0",
        "id": format!("{}:{}:{kind}", text(reminder, "id"), text(reminder, "remindAt")),
        "source": "email-delivery",
        "type": kind,
        "subject": task["id"],
        "time": "2026-11-21T12:00:00Z",
        "datacontenttype": "application/json",
        "data": data,
    })
}

/// Runs the relay and gives back its report.
pub(crate) async fn relay(api: &Service) -> Value {
    body(&api.sidecar().post("/internal/relay", &json!({})).await, 200)
}

/// Returns once everything that is stored is published and marked so. The relay leaves fresh events alone, and counts
/// them.
pub(crate) async fn settled(api: &Service) {
    let settling = async { while relay(api).await["left"] != 0 {} };
    tokio::time::timeout(nudge_test_kit::http::DEADLINE, settling)
        .await
        .expect("events are published after responding");
}

/// The titles of a page of tasks.
pub(crate) fn titles(page: &Value) -> Vec<&str> {
    page["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|task| text(task, "title"))
        .collect()
}

/// The api's last word on the first reminder of a task, as it was when `task` was read.
pub(crate) async fn delivery(api: &Service, task: &Value) -> Value {
    let reminder = &task["reminders"][0];
    let at = text(reminder, "remindAt").replace('+', "%2b").replace(':', "%3a");
    let path = format!(
        "/internal/reminders/{}/delivery?remindAt={at}",
        text(reminder, "id")
    );
    body(&api.sidecar().get(&path).await, 200)
}
