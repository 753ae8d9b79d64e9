//! Reminders that are all due at once, and events that all come at once.

use std::time::Duration;

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use nudge_contract::names::{app, route};
use nudge_test_kit::http::Call;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use crate::load::{self, Requests, number};
use crate::real::{APP_TOKEN, in_seconds};
use crate::results::{Measure, Results};
use crate::stack::Stack;

pub(crate) const LATE: Measure = Measure {
    name: "reminders due in one second",
    setting: "reminders",
};

pub(crate) const EVENTS: Measure = Measure {
    name: "events at once, through notification",
    setting: "events",
};

/// Connections that a burst comes over.
const CONNECTIONS: u32 = 64;

/// Clients that create the tasks, one user each.
const CREATING: u32 = 16;

/// How long all mails may take after the reminders are due.
const PATIENCE: Duration = Duration::from_secs(300);

/// Creates tasks whose reminders are due at one instant, and takes the time from there to each mail.
pub(crate) async fn late(
    results: &mut Results,
    subject: &str,
    stack: &Stack,
    count: u32,
    lead: u32,
) -> Result<()> {
    let at = in_seconds(i64::from(lead));
    let due = at + SignedDuration::from_mins(1);
    load::all(count, CREATING, async |client| {
        let call = stack.call(client, Method::POST, "/api/v1/tasks")?;
        let of = move |number| {
            let task = json!({
                "title": format!("No. {number}"),
                "due": due.to_string(),
                "reminders": [{ "minutesBefore": 1 }],
            });
            call.clone().json(&task)
        };
        Requests::open(stack.api()?, 201, of).await
    })
    .await?;
    let left = at.duration_since(Timestamp::now());
    ensure!(
        left > SignedDuration::from_secs(2),
        "{subject} was still creating {count} tasks when their reminders were about to be due: give a longer --lead"
    );
    let mail = &stack.platform.mail;
    let begun = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(200));
    while mail.mails().len() < count as usize && begun.elapsed() < left.unsigned_abs() + PATIENCE {
        looks.tick().await;
    }
    let late = mail.late(at);
    let mut times = Histogram::<u64>::new_with_bounds(1, 600_000, 3)?;
    for seconds in &late {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "milliseconds of minutes; one that was early counts as on time"
        )]
        times.saturating_record((seconds.max(0.0) * 1_000.0) as u64);
    }
    let milliseconds = |quantile| number(times.value_at_quantile(quantile));
    results.add(
        LATE,
        subject,
        count,
        &[
            ("p50 ms", milliseconds(0.5)),
            ("p95 ms", milliseconds(0.95)),
            ("p99 ms", milliseconds(0.99)),
            ("last ms", milliseconds(1.0)),
            ("mails", number(late.len() as u64)),
        ],
    );
    Ok(())
}

/// Delivers events to notification as its sidecar does, all at once, and takes the time until the last one is handled: each is a
/// new task with a reminder, for which a job is scheduled.
pub(crate) async fn events(results: &mut Results, subject: &str, stack: &Stack, count: u32) -> Result<()> {
    let notification = stack.service(app::NOTIFICATION)?;
    let begun = Instant::now();
    load::all(count, CONNECTIONS, async |_| {
        let call =
            Call::new(notification, Method::POST, route::TASK_EVENTS).header("dapr-api-token", APP_TOKEN);
        let of = move |_| {
            let event = created(Uuid::now_v7(), Uuid::now_v7()).to_string();
            call.clone().body("application/cloudevents+json", event)
        };
        Requests::open(notification, 200, of).await
    })
    .await?;
    let seconds = begun.elapsed().as_secs_f64();
    let figures = [("seconds", seconds), ("events/s", f64::from(count) / seconds)];
    results.add(EVENTS, subject, count, &figures);
    Ok(())
}

/// The event of a new task with a reminder years ahead.
fn created(task: Uuid, reminder: Uuid) -> Value {
    let now = Timestamp::now().to_string();
    json!({
        "specversion": "1.0",
        "id": format!("{task}:1"),
        "source": app::API,
        "type": "nudge.task.created.v1",
        "subject": task,
        "time": now,
        "datacontenttype": "application/json",
        "topic": "task-events",
        "pubsubname": "pubsub",
        "data": {
            "schemaVersion": 1,
            "change": "created",
            "changed": [],
            "task": {
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
            },
        },
    })
}
