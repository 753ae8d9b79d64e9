//! Bursts of events, delivered to each consumer as its sidecar does.
//!
//! No event on the broker causes the same work: none says `completed`, and no reminder is due.
#![expect(clippy::indexing_slicing, reason = "unexpected JSON ends the run")]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::Method;
use jiff::Timestamp;
use nudge_contract::names::{app, route};
use nudge_test_kit::http::{Call, Session};
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::cost::settle;
use crate::load::{self, Client};
use crate::results::{Measure, Results};
use crate::stack::{Stack, Subject, USERS};
use test_real::APP_TOKEN;

pub(crate) const NOTIFICATION: Measure = Measure {
    name: "events at once, through notification",
    setting: "events",
};

pub(crate) const RECURRING_TASK: Measure = Measure {
    name: "events at once, through recurring-task",
    setting: "events",
};

pub(crate) const EMAIL_DELIVERY: Measure = Measure {
    name: "events at once, through email-delivery",
    setting: "events",
};

/// Maximum number of events whose tasks have to be stored first; 10,000 emails take minutes.
pub(crate) const OF_TASKS: u32 = 1_000;

/// Number of connections of a burst of single deliveries. Batches of a topic are delivered one after another.
const CONNECTIONS: u32 = 64;

/// `maxMessagesCount` of the subscriptions of notification and recurring-task.
const BATCH: usize = 50;

/// That of email-delivery.
const BATCH_OF_REMINDERS: usize = 32;

/// The counts, limited to `limit`, without duplicates.
pub(crate) fn at_most(counts: &[u32], limit: u32) -> Vec<u32> {
    let mut counts: Vec<u32> = counts.iter().map(|count| limit.min(*count)).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// New tasks with a reminder years ahead. These tasks are not stored.
pub(crate) async fn through_notification(
    results: &mut Results,
    subject: &str,
    stack: &mut Stack,
    count: u32,
) -> Result<()> {
    let events = (0..count).map(|_| new_task(Uuid::now_v7(), Uuid::now_v7()));
    let time = deliver(stack, app::NOTIFICATION, route::TASK_EVENTS, events).await?;
    figures(results, NOTIFICATION, subject, count, time);
    settle(stack).await
}

/// Completed tasks of series, for each of which the api stores the next occurrence. The api created them; they are completed in the
/// database directly, because its own events would come first.
pub(crate) async fn through_recurring_task(
    results: &mut Results,
    subject: &str,
    stack: &mut Stack,
    count: u32,
) -> Result<()> {
    let tasks = created(stack, count, json!({ "recurrence": "FREQ=WEEKLY" })).await?;
    settle(stack).await?;
    let database = stack.database().await?;
    let now = Timestamp::from_second(Timestamp::now().as_second())?;
    // The version stays, so that no trigger stores an event.
    let (table, complete) = match stack.subject() {
        Subject::Python => ("seed.tasks", "completed_at = to_timestamp($1::bigint / 1000)"),
        _ => (
            "task",
            "completed_at = $1, updated_at = $1, successor = 'pending'",
        ),
    };
    let complete = format!(
        "UPDATE {table} SET status = 'completed', {complete} \
         WHERE recurrence IS NOT NULL AND occurrence = 1 AND status = 'pending'"
    );
    let completed = database.execute(&complete, &[&now.as_millisecond()]).await?;
    ensure!(
        completed == u64::from(count),
        "{completed} of {count} tasks are completed"
    );
    let next = format!("SELECT count(*) FROM {table} WHERE occurrence > 1");
    let before: i64 = database.query_one(&next, &[]).await?.get(0);
    let events = tasks.into_iter().map(|mut task| {
        task["status"] = json!("completed");
        task["completedAt"] = json!(now.to_string());
        task["version"] = json!(2);
        changed("completed", task)
    });
    let time = deliver(stack, app::RECURRING_TASK, route::TASK_RECURRENCE, events).await?;
    let stored: i64 = database.query_one(&next, &[]).await?.get(0);
    let stored = stored - before;
    ensure!(
        stored == i64::from(count),
        "{stored} next occurrences of {count} tasks"
    );
    figures(results, RECURRING_TASK, subject, count, time);
    settle(stack).await
}

/// Due reminders, for each of which the api is asked, an email is sent and its outcome published. They are years ahead, which neither
/// email-delivery nor the api checks, so no job fires first.
pub(crate) async fn through_email_delivery(
    results: &mut Results,
    subject: &str,
    stack: &mut Stack,
    count: u32,
) -> Result<()> {
    let tasks = created(stack, count, json!({ "reminders": [{ "minutesBefore": 30 }] })).await?;
    settle(stack).await?;
    let before = stack.platform.mail.emails().len();
    let events = tasks.into_iter().map(due);
    let time = deliver(stack, app::EMAIL_DELIVERY, route::TASK_REMINDERS, events).await?;
    let emails = stack.platform.mail.emails().len() - before;
    ensure!(emails == count as usize, "{emails} emails of {count} reminders");
    figures(results, EMAIL_DELIVERY, subject, count, time);
    settle(stack).await
}

fn figures(results: &mut Results, measure: Measure, subject: &str, count: u32, time: Duration) {
    let seconds = time.as_secs_f64();
    let figures = [("seconds", seconds), ("events/s", f64::from(count) / seconds)];
    results.add(measure, subject, count, &figures);
}

/// Delivers events as the sidecar of the service may, and measures the time until the last one is handled.
async fn deliver(
    stack: &Stack,
    app_id: &str,
    route: &str,
    events: impl Iterator<Item = Value>,
) -> Result<Duration> {
    let service = stack.service(app_id)?;
    let call = Call::new(service, Method::POST, route).header("dapr-api-token", APP_TOKEN);
    let events: Vec<Value> = events.collect();
    let (calls, connections): (Arc<[Value]>, u32) = match (stack.takes_batches(), app_id) {
        (false, _) => (events.into(), app::max_concurrency(app_id).unwrap_or(CONNECTIONS)),
        (_, app::EMAIL_DELIVERY) => (events.chunks(BATCH_OF_REMINDERS).map(batch).collect(), 1),
        _ => (events.chunks(BATCH).map(batch).collect(), 1),
    };
    let count = u32::try_from(calls.len())?;
    let begun = Instant::now();
    load::all(count, connections, async |_| {
        Ok(Delivering {
            session: Session::open(service).await?,
            call: call.clone(),
            bodies: calls.clone(),
        })
    })
    .await?;
    Ok(begun.elapsed())
}

/// A delivery of a bulk subscription.
fn batch(events: &[Value]) -> Value {
    let entries = events.iter().enumerate().map(|(number, event)| {
        json!({
            "entryId": number.to_string(),
            "event": event,
            "contentType": "application/cloudevents+json",
            "metadata": {},
        })
    });
    let entries: Vec<Value> = entries.collect();
    json!({
        "id": Uuid::now_v7(),
        "type": "com.dapr.event.sent.bulk",
        "pubsubname": "pubsub",
        "metadata": { "pubsubName": "pubsub" },
        "entries": entries,
    })
}

/// Delivers events, alone or in batches, over one connection.
struct Delivering {
    session: Session,
    call: Call,
    bodies: Arc<[Value]>,
}

impl Client for Delivering {
    async fn once(&mut self, number: u32) -> Result<()> {
        let body = self.bodies.get(number as usize).context("no such delivery")?;
        let answer = self.session.send(self.call.clone().json(body)).await?;
        let said = answer.json()?;
        let handled = match said["statuses"].as_array() {
            Some(statuses) => {
                Some(statuses.len()) == body["entries"].as_array().map(Vec::len)
                    && statuses.iter().all(|entry| entry["status"] == "SUCCESS")
            }
            None => said["status"] == "SUCCESS",
        };
        ensure!(
            answer.status == 200 && handled,
            "{}: {:?}",
            answer.status,
            answer.body
        );
        Ok(())
    }
}

/// Creates tasks through the api that are due years ahead, with more fields, and returns them as events carry them.
async fn created(stack: &Stack, count: u32, more: Value) -> Result<Vec<Value>> {
    let tasks = Arc::new(Mutex::new(Vec::new()));
    load::all(count, USERS, async |user| {
        Ok(Creating {
            session: Session::open(stack.api()?).await?,
            call: stack.call(user, Method::POST, "/api/v1/tasks")?,
            user: format!("user-{user}"),
            more: more.clone(),
            tasks: tasks.clone(),
        })
    })
    .await?;
    let mut tasks = tasks.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *tasks))
}

/// Creates tasks of a user over one connection, and keeps the responses.
struct Creating {
    session: Session,
    call: Call,
    user: String,
    more: Value,
    tasks: Arc<Mutex<Vec<Value>>>,
}

impl Client for Creating {
    async fn once(&mut self, number: u32) -> Result<()> {
        let mut body = self.more.clone();
        body["title"] = json!(format!("No. {number}"));
        body["due"] = json!("2031-05-12T09:30:00+02:00");
        let answer = self.session.send(self.call.clone().json(&body)).await?;
        ensure!(answer.status == 201, "{}: {:?}", answer.status, answer.body);
        let mut task = answer.json()?;
        task["userId"] = json!(self.user);
        task["seriesStart"] = match task["seriesId"] {
            Value::Null => Value::Null,
            _ => task["due"].clone(),
        };
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push(task);
        Ok(())
    }
}

/// The event of a change of a task.
fn changed(change: &str, task: Value) -> Value {
    let id = format!("{}:{}", text(&task["id"]), task["version"]);
    let kind = format!("nudge.task.{change}.v1");
    let data = json!({ "schemaVersion": 1, "change": change, "changed": [], "task": task });
    event(&id, app::API, &kind, data)
}

/// The event that the first reminder of a task is due.
fn due(task: Value) -> Value {
    let reminder = &task["reminders"][0];
    let (reminder, remind_at) = (reminder["id"].clone(), reminder["remindAt"].clone());
    let id = format!("{}:{}", text(&reminder), text(&remind_at));
    let data = json!({
        "schemaVersion": 1,
        "reminderId": reminder,
        "remindAt": remind_at,
        "minutesLeft": 30,
        "task": task,
    });
    event(&id, app::NOTIFICATION, "nudge.reminder.due.v1", data)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A CloudEvent as a sidecar delivers it.
fn event(id: &str, source: &str, kind: &str, data: Value) -> Value {
    json!({
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": kind,
        "subject": data["task"]["id"],
        "time": Timestamp::now().to_string(),
        "datacontenttype": "application/json",
        "pubsubname": "pubsub",
        "data": data,
    })
}

/// The event of a new task with a reminder years ahead.
fn new_task(task: Uuid, reminder: Uuid) -> Value {
    let now = Timestamp::now().to_string();
    let task = json!({
        "userId": "user-0",
        "id": task,
        "title": "Pay the invoice",
        "description": null,
        "status": "pending",
        "priority": "medium",
        "due": "2031-05-12T07:30:00+00:00",
        "timeZone": "Europe/Berlin",
        "categoryId": null,
        "tagIds": [],
        "recurrence": null,
        "recurrenceFrom": "due",
        "reminders": [{
            "id": reminder,
            "minutesBefore": 30,
            "remindAt": "2031-05-12T07:00:00Z",
            "status": "scheduled",
        }],
        "seriesId": null,
        "seriesStart": null,
        "occurrence": 1,
        "version": 1,
        "createdAt": now,
        "updatedAt": now,
        "completedAt": null,
    });
    changed("created", task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_limited_and_without_duplicates() {
        assert_eq!(at_most(&[10_000, 50, 1_000], 1_000), [50, 1_000]);
    }
}
