//! From changes of tasks to jobs, from jobs to due reminders.
//!
//! Nothing here relies on order: a change that is older than the record is skipped, a job that fires for a reminder that
//! was moved or cancelled meanwhile is stopped by the api before a mail is sent. Every step can be repeated: jobs are
//! overwritten by name, and the record is written last.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use nudge_component::dapr::invocation::{self, Request};
use nudge_component::dapr::jobs::{self, ConstantPolicy, FailurePolicy, Job, Timing};
use nudge_component::dapr::pubsub;
use nudge_component::dapr::state::Outcome;
use nudge_component::dapr::types::Error;
use nudge_component::events::Disposition;
use nudge_component::publish::{self, describe};
use nudge_component::subscriber::retry;
use nudge_component::trace::Traceparent;
use nudge_contract::api::{ArmedReminder, OverdueReminders, RelayReport};
use nudge_contract::event::{Change, ReminderDue, SCHEMA_VERSION, TaskEvent};
use nudge_contract::names::{app, component, job, route, topic};
use nudge_domain::LocalInstant;
use nudge_domain::id::ReminderId;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::Status;

use crate::store::{self, Armed};

/// How often two writers of one record may collide before the event is delivered again.
const ATTEMPTS: u32 = 5;

/// A reminder's job calls again every 5 s for 5 minutes; then the standing job takes over.
const RETRY: ConstantPolicy = ConstantPolicy {
    interval_ms: 5_000,
    max_retries: Some(60),
};

/// Arms the reminders of a task as they are at this version, and disarms those that are gone.
pub(crate) async fn task_changed(event: TaskEvent) -> Result<(), Disposition> {
    let task = event.task.task.id;
    let wanted = wanted(&event);
    // Nothing was armed before it, and it arms nothing: most tasks. What came after it has its own record.
    if event.task.task.version == 1 && wanted.is_empty() {
        return Ok(());
    }
    let mut overtaken = false;
    for _ in 0..ATTEMPTS {
        let stored = store::load(task).await.map_err(retry)?;
        let before = stored.as_ref().map(|stored| &stored.armed);
        if let Some(newer) = before.filter(|armed| armed.version >= event.task.task.version) {
            return if overtaken {
                put_back(newer, &wanted, &event).await
            } else {
                Ok(())
            };
        }
        let none = BTreeMap::new();
        let old = before.map_or(&none, |armed| &armed.jobs);
        for (reminder, remind_at) in &wanted {
            // A first attempt may have scheduled it and then crashed; that is why the record alone does not decide
            // when there is none.
            if !same_instant(old.get(reminder), remind_at) {
                arm(*reminder, *remind_at, &event).await?;
            }
        }
        for (reminder, remind_at) in old {
            if !wanted.contains_key(reminder) && !is_over(&event, *reminder, remind_at.at()) {
                jobs::delete(job_name(*reminder)).await.map_err(retry)?;
            }
        }
        let armed = Armed {
            version: event.task.task.version,
            jobs: wanted.clone(),
        };
        match store::save(task, &armed, stored.as_ref()).await.map_err(retry)? {
            Outcome::Done => return Ok(()),
            // Another version was handled at the same time. Which of the two wrote its jobs last is not known.
            Outcome::Lost => overtaken = true,
        }
    }
    Err(Disposition::Retry(format!(
        "the record of task {task} changed {ATTEMPTS} times meanwhile"
    )))
}

/// Sets the jobs right that this version may have written over those of a newer one. Only their instants come from the
/// newer one; that the task in their data is older matters to nobody, since the api is asked before a mail is sent.
async fn put_back(
    newer: &Armed,
    written: &BTreeMap<ReminderId, LocalInstant>,
    event: &TaskEvent,
) -> Result<(), Disposition> {
    for (reminder, remind_at) in newer
        .jobs
        .iter()
        .filter(|(reminder, remind_at)| !same_instant(written.get(*reminder), remind_at))
    {
        arm(*reminder, *remind_at, event).await?;
    }
    for reminder in written
        .keys()
        .filter(|reminder| !newer.jobs.contains_key(*reminder))
    {
        jobs::delete(job_name(*reminder)).await.map_err(retry)?;
    }
    Ok(())
}

/// The reminders that should have a job, and when.
fn wanted(event: &TaskEvent) -> BTreeMap<ReminderId, LocalInstant> {
    let task = &event.task.task;
    if event.change == Change::Deleted || task.status == Status::Completed {
        return BTreeMap::new();
    }
    let scheduled = task
        .reminders
        .iter()
        .filter(|reminder| reminder.status == ReminderStatus::Scheduled);
    scheduled
        .map(|reminder| (reminder.id, reminder.remind_at))
        .collect()
}

/// Offsets do not count: a change of the task's zone alone leaves the jobs as they are.
fn same_instant(known: Option<&LocalInstant>, wanted: &LocalInstant) -> bool {
    known.is_some_and(|known| known.at() == wanted.at())
}

/// Whether a reminder's mail went out, or was given up, for this instant. Its job fired for that and is gone; one that fires late
/// finds the mail's record.
fn is_over(event: &TaskEvent, reminder: ReminderId, remind_at: Timestamp) -> bool {
    event.task.task.reminders.iter().any(|known| {
        let over = matches!(known.status, ReminderStatus::Sent | ReminderStatus::Failed);
        over && known.id == reminder && known.remind_at.at() == remind_at
    })
}

async fn arm(reminder_id: ReminderId, remind_at: LocalInstant, event: &TaskEvent) -> Result<(), Disposition> {
    let data = ArmedReminder {
        reminder_id,
        remind_at,
        task: event.task.clone(),
        traceparent: event.traceparent.clone(),
    };
    let data = serde_json::to_string(&data)
        .map_err(|error| Disposition::Drop(format!("a reminder is not JSON: {error}")))?;
    let job = Job {
        timing: Timing::Once(remind_at.to_string()),
        data,
        overwrite: true,
        failure_policy: Some(FailurePolicy::Constant(RETRY)),
    };
    jobs::schedule(job_name(reminder_id), job).await.map_err(retry)?;
    Ok(())
}

fn job_name(reminder: ReminderId) -> String {
    format!("{}{reminder}", job::REMINDER_PREFIX)
}

/// Runs a job of this app.
pub(crate) async fn run_job(name: &str, data: &[u8]) -> Result<(), Disposition> {
    match name {
        job::RELAY => relay().await,
        job::RECONCILE => reconcile().await,
        name if name.starts_with(job::REMINDER_PREFIX) => fire(data).await,
        other => Err(Disposition::Drop(format!("there is no job {other} here"))),
    }
}

/// Says that a reminder is due.
async fn fire(data: &[u8]) -> Result<(), Disposition> {
    let armed: ArmedReminder = serde_json::from_slice(data)
        .map_err(|error| Disposition::Drop(format!("the job's data is no reminder: {error}")))?;
    let event = due_event(armed);
    publish::publish(topic::TASK_REMINDERS, event)
        .await
        .map_err(retry)
}

fn due_event(armed: ArmedReminder) -> pubsub::CloudEvent {
    let task_id = armed.task.task.id.to_string();
    // The same reminder for the same instant, written with the same offset, is the same event, whichever job fires it.
    let id = format!("{}:{}", armed.reminder_id, armed.remind_at);
    let now = Timestamp::now();
    let minutes_until = |due: LocalInstant| due.at().duration_since(now).as_secs().div_euclid(60);
    let data = ReminderDue {
        schema_version: SCHEMA_VERSION,
        reminder_id: armed.reminder_id,
        remind_at: armed.remind_at,
        minutes_left: armed.task.task.due.map(minutes_until),
        task: armed.task,
        traceparent: armed.traceparent,
    };
    publish::event(app::NOTIFICATION, id, task_id, &data)
}

/// Has the api publish what a crash left in its database.
async fn relay() -> Result<(), Disposition> {
    let report: RelayReport = ask_api("POST", route::RELAY).await?;
    if report.published > 0 {
        tracing::warn!(
            published = report.published,
            left = report.left,
            "events were left over and are published now"
        );
    }
    Ok(())
}

/// Fires the reminders that are overdue in the database: their job was lost, or their mail.
async fn reconcile() -> Result<(), Disposition> {
    let overdue: OverdueReminders = ask_api("GET", route::OVERDUE_REMINDERS).await?;
    if overdue.items.is_empty() {
        return Ok(());
    }
    tracing::warn!(
        reminders = overdue.items.len(),
        "reminders are overdue and fire now"
    );
    let events: Vec<_> = overdue.items.into_iter().map(due_event).collect();
    let topic = publish::topic(topic::TASK_REMINDERS).await.map_err(retry)?;
    let failed = pubsub::publish_all(component::PUBSUB.to_owned(), topic, events)
        .await
        .map_err(retry)?;
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(Disposition::Retry(format!(
            "{} reminders were not published: {}",
            failed.len(),
            first.message
        ))),
    }
}

async fn ask_api<T: serde::de::DeserializeOwned>(method: &str, path: &str) -> Result<T, Disposition> {
    let request = Request {
        method: method.to_owned(),
        path: path.trim_start_matches('/').to_owned(),
        body: None,
        traceparent: Some(Traceparent::start().to_string()),
    };
    let response = invocation::invoke(app::API.to_owned(), request)
        .await
        .map_err(retry)?;
    if response.status != 200 {
        return Err(Disposition::Retry(format!(
            "the api answered {} to {method} {path}",
            response.status
        )));
    }
    serde_json::from_slice(&response.body)
        .map_err(|error| Disposition::Retry(format!("the api's answer to {path} cannot be read: {error}")))
}

/// Sees to it that the standing jobs exist, once at a time. Called behind the health probe's answer, since a component has no
/// start of its own. Jobs that exist stay as they are: overwriting them would start their interval anew each time.
pub(crate) async fn keep_standing_jobs() {
    static KEEPING: AtomicBool = AtomicBool::new(false);
    // With the scheduler away this takes longer than it is until the next probe.
    if KEEPING.swap(true, Ordering::AcqRel) {
        return;
    }
    for (name, schedule) in [(job::RELAY, "@every 15s"), (job::RECONCILE, "@every 30s")] {
        if let Err(error) = keep_standing_job(name, schedule).await {
            tracing::warn!(
                job = name,
                "a standing job could not be scheduled; the next probe tries again: {}",
                describe(&error)
            );
        }
    }
    KEEPING.store(false, Ordering::Release);
}

async fn keep_standing_job(name: &str, schedule: &str) -> Result<(), Error> {
    // Asked first: scheduling one that exists is an error in the sidecar's log, with every probe.
    if jobs::exists(name.to_owned()).await? {
        return Ok(());
    }
    let job = Job {
        timing: Timing::Repeated(schedule.to_owned()),
        data: "{}".to_owned(),
        overwrite: false,
        failure_policy: Some(FailurePolicy::Drop),
    };
    jobs::schedule(name.to_owned(), job).await?;
    Ok(())
}
