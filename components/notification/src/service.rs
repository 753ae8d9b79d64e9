//! Arms due seconds, and publishes what is due when their jobs fire.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use nudge_component::ask;
use nudge_component::dapr::jobs::{self, ConstantPolicy, FailurePolicy, Job, Timing};
use nudge_component::dapr::pubsub;
use nudge_component::dapr::types::Error;
use nudge_component::events::Disposition;
use nudge_component::publish::{self, describe};
use nudge_component::subscriber::retry;
use nudge_component::trace::Traceparent;
use nudge_contract::api::{LeaseReminders, LeasedReminder, LeasedReminders, RelayReport};
use nudge_contract::event::{Change, ReminderDue, SCHEMA_VERSION, TaskEvent};
use nudge_contract::names::{app, component, job, route, topic};
use nudge_domain::LocalInstant;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::Status;

/// How far ahead seconds are armed.
const HORIZON: SignedDuration = SignedDuration::from_mins(2);

const RETRY: ConstantPolicy = ConstantPolicy {
    interval_ms: 5_000,
    max_retries: Some(60),
};

/// Arms the seconds in which reminders become due soon. Returns one result per event, in order.
pub(crate) async fn tasks_changed(events: Vec<TaskEvent>) -> Vec<Result<(), Disposition>> {
    let mut results = Vec::new();
    for event in &events {
        results.push(arm_all(event).await);
    }
    results
}

async fn arm_all(event: &TaskEvent) -> Result<(), Disposition> {
    for second in seconds(event, Timestamp::now()) {
        arm(second).await?;
    }
    Ok(())
}

fn seconds(event: &TaskEvent, now: Timestamp) -> BTreeSet<i64> {
    let task = &event.task.task;
    if event.change == Change::Deleted || task.status == Status::Completed {
        return BTreeSet::new();
    }
    let scheduled = task
        .reminders
        .iter()
        .filter(|reminder| reminder.status == ReminderStatus::Scheduled);
    scheduled
        .map(|reminder| reminder.remind_at.at())
        .filter(|at| at.duration_since(now) <= HORIZON)
        .map(|at| at.as_second() + i64::from(at.subsec_nanosecond() > 0))
        .collect()
}

async fn arm(second: i64) -> Result<(), Disposition> {
    let at = Timestamp::from_second(second).map_err(|error| Disposition::Drop(error.to_string()))?;
    let job = Job {
        timing: Timing::Once(at.to_string()),
        data: second.to_string(),
        overwrite: true,
        failure_policy: Some(FailurePolicy::Constant(RETRY)),
    };
    jobs::schedule(format!("{}{second}", job::DUE_PREFIX), job)
        .await
        .map_err(retry)?;
    Ok(())
}

/// Runs a job of this app.
pub(crate) async fn run_job(name: &str, data: &[u8]) -> Result<(), Disposition> {
    match name {
        job::RELAY => relay().await,
        job::RECONCILE => sweep(None).await,
        name if name.starts_with(job::DUE_PREFIX) => {
            let second: i64 = serde_json::from_slice(data)
                .map_err(|error| Disposition::Drop(format!("the job's data is not a second: {error}")))?;
            let due_by =
                Timestamp::from_second(second).map_err(|error| Disposition::Drop(error.to_string()))?;
            sweep(Some(due_by)).await
        }
        name if name.starts_with(job::REMINDER_PREFIX) => sweep(None).await,
        other => Err(Disposition::Drop(format!("there is no job {other} here"))),
    }
}

async fn sweep(due_by: Option<Timestamp>) -> Result<(), Disposition> {
    let request = LeaseReminders { due_by, limit: 64 };
    let leased: LeasedReminders = ask::post(route::LEASES, &request).await?;
    if leased.items.is_empty() {
        return Ok(());
    }
    let events: Vec<_> = leased.items.into_iter().map(due_event).collect();
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

fn due_event(leased: LeasedReminder) -> pubsub::CloudEvent {
    let task_id = leased.task.task.id.to_string();
    let id = format!("{}:{}", leased.reminder_id, leased.remind_at);
    let now = Timestamp::now();
    let minutes_until = |due: LocalInstant| due.at().duration_since(now).as_secs().div_euclid(60);
    let data = ReminderDue {
        schema_version: SCHEMA_VERSION,
        reminder_id: leased.reminder_id,
        remind_at: leased.remind_at,
        minutes_left: leased.task.task.due.map(minutes_until),
        task: leased.task,
        traceparent: Some(Traceparent::start().to_string()),
    };
    publish::event(app::NOTIFICATION, id, task_id, &data)
}

/// Makes the api publish pending events that a crash left in its database.
async fn relay() -> Result<(), Disposition> {
    let report: RelayReport = ask::post_empty(route::RELAY).await?;
    if report.published > 0 {
        tracing::warn!(
            published = report.published,
            left = report.left,
            "pending events were published"
        );
    }
    Ok(())
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
