//! Schedules jobs for changed tasks, and publishes due reminders when jobs fire.
//!
//! Nothing here relies on order: a change that is older than the record is skipped, and if a job fires for a reminder that
//! was moved or cancelled in the meantime, the api prevents the email. Every step can be repeated: jobs are
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

/// Attempts to write a record that other writers change at the same time, before the event is redelivered.
const ATTEMPTS: u32 = 5;

/// A reminder's job retries every 5 s for 5 minutes; then the recurring job takes over.
const RETRY: ConstantPolicy = ConstantPolicy {
    interval_ms: 5_000,
    max_retries: Some(60),
};

/// Schedules jobs for the reminders that the task has at this version, and removes the jobs of deleted ones.
pub(crate) async fn task_changed(event: TaskEvent) -> Result<(), Disposition> {
    let task = event.task.task.id;
    let wanted = wanted(&event);
    // Most tasks: no jobs were scheduled before, and none are needed now. Later versions have records of their own.
    if event.task.task.version == 1 && wanted.is_empty() {
        return Ok(());
    }
    let mut overtaken = false;
    for _ in 0..ATTEMPTS {
        let stored = store::load(task).await.map_err(retry)?;
        let before = stored.as_ref().map(|stored| &stored.armed);
        if let Some(newer) = before.filter(|armed| armed.version >= event.task.task.version) {
            return if overtaken {
                restore_newer_jobs(newer, &wanted, &event).await
            } else {
                Ok(())
            };
        }
        let none = BTreeMap::new();
        let old = before.map_or(&none, |armed| &armed.jobs);
        for (reminder, remind_at) in &wanted {
            // A first attempt may have scheduled it and then crashed, so a missing record does not mean
            // that there is no job.
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
            // Another version was handled at the same time. It is not known which of the two wrote its jobs last.
            Outcome::Lost => overtaken = true,
        }
    }
    Err(Disposition::Retry(format!(
        "the record of task {task} changed {ATTEMPTS} times in the meantime"
    )))
}

/// Restores jobs of a newer version that this version may have overwritten. Only their instants come from the newer
/// version; their data may hold an older task, which does no harm, since the api is asked before an email is sent.
async fn restore_newer_jobs(
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

/// The reminders that should have a job, and when each fires.
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

/// Offsets do not matter: if only the task's zone changes, the jobs stay as they are.
fn same_instant(known: Option<&LocalInstant>, wanted: &LocalInstant) -> bool {
    known.is_some_and(|known| known.at() == wanted.at())
}

/// Whether a reminder's email was sent, or given up, for this instant. Then its job has fired and is gone; one that fires late
/// finds the record of the email.
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
        .map_err(|error| Disposition::Drop(format!("a reminder cannot be written as JSON: {error}")))?;
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

/// Publishes that a reminder is due.
async fn fire(data: &[u8]) -> Result<(), Disposition> {
    let armed: ArmedReminder = serde_json::from_slice(data)
        .map_err(|error| Disposition::Drop(format!("the job's data is not a reminder: {error}")))?;
    let event = due_event(armed);
    publish::publish(topic::TASK_REMINDERS, event)
        .await
        .map_err(retry)
}

fn due_event(armed: ArmedReminder) -> pubsub::CloudEvent {
    let task_id = armed.task.task.id.to_string();
    // The same for each repetition. After a change of the task's zone, a job and `reconcile` may write one instant with two offsets, so
    // with two ids; email-delivery claims a reminder by the second, whatever the offset.
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

/// Makes the api publish pending events that a crash left in its database.
async fn relay() -> Result<(), Disposition> {
    let report: RelayReport = ask_api("POST", route::RELAY).await?;
    if report.published > 0 {
        tracing::warn!(
            published = report.published,
            left = report.left,
            "pending events were published"
        );
    }
    Ok(())
}

/// Fires the reminders that are overdue in the database: their job or their email was lost.
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

/// Schedules the recurring jobs that do not exist, once at a time. Called after responding to a health probe, since a component
/// has no startup hook. Existing jobs stay as they are: overwriting them would restart their interval each time.
pub(crate) async fn schedule_recurring_jobs() {
    static KEEPING: AtomicBool = AtomicBool::new(false);
    // If the scheduler is down, this takes longer than the interval between probes.
    if KEEPING.swap(true, Ordering::AcqRel) {
        return;
    }
    for (name, schedule) in [(job::RELAY, "@every 15s"), (job::RECONCILE, "@every 30s")] {
        if let Err(error) = schedule_if_missing(name, schedule).await {
            tracing::warn!(
                job = name,
                "a recurring job could not be scheduled; the next probe tries again: {}",
                describe(&error)
            );
        }
    }
    KEEPING.store(false, Ordering::Release);
}

async fn schedule_if_missing(name: &str, schedule: &str) -> Result<(), Error> {
    // Checked first: scheduling an existing job would log an error in the sidecar with every probe.
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
