//! The jobs of this service: those of due seconds, and the recurring ones.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use nudge_component::ask;
use nudge_component::dapr::jobs::{self, FailurePolicy, Job, Timing};
use nudge_component::dapr::state;
use nudge_component::dapr::types::Error;
use nudge_component::events::Disposition;
use nudge_component::publish::describe;
use nudge_contract::api::RelayReport;
use nudge_contract::names::{component, job, route};
use nudge_domain::LocalInstant;
use nudge_domain::id::TaskId;
use serde::Deserialize;

use crate::{arming, sweep};

/// Runs a job of this app.
pub(crate) async fn run_job(name: &str, data: &[u8]) -> Result<(), Disposition> {
    match name {
        job::RELAY => relay().await,
        job::RECONCILE => reconcile().await,
        name if name.starts_with(job::DUE_PREFIX) => second_is_due(data).await,
        name if name.starts_with(job::REMINDER_PREFIX) => reminder_is_due(data).await,
        other => Err(Disposition::Drop(format!("there is no job {other} here"))),
    }
}

/// The job of a due second; its data is that second in Unix time.
async fn second_is_due(data: &[u8]) -> Result<(), Disposition> {
    let second: i64 = serde_json::from_slice(data)
        .map_err(|error| Disposition::Drop(format!("the job's data is not a Unix second: {error}")))?;
    let due_by = Timestamp::from_second(second)
        .map_err(|error| Disposition::Drop(format!("the job's data is not a Unix second: {error}")))?;
    due(due_by).await
}

async fn due(due_by: Timestamp) -> Result<(), Disposition> {
    let ahead = due_by.duration_since(Timestamp::now());
    if ahead > arming::AHEAD {
        return Err(Disposition::Retry(format!(
            "the job fired {} s early by this clock",
            ahead.as_secs()
        )));
    }
    sweep::run(Some(due_by)).await
}

/// The part that is used of the data of an earlier version's job.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OldJob {
    remind_at: LocalInstant,
    task: OldTask,
}

#[derive(Deserialize)]
struct OldTask {
    id: TaskId,
}

/// A job of an earlier version, which scheduled one per reminder and kept a record of the jobs of each task. It means the same as the
/// job of its second; the record is deleted.
async fn reminder_is_due(data: &[u8]) -> Result<(), Disposition> {
    let old: OldJob = match serde_json::from_slice(data) {
        Ok(old) => old,
        Err(error) => {
            tracing::warn!("the data of a job of an earlier version cannot be read: {error}");
            return sweep::run(None).await;
        }
    };
    let due_by = Timestamp::from_second(arming::whole_second(old.remind_at.at()));
    due(due_by.unwrap_or_else(|_| old.remind_at.at())).await?;
    let record = format!("armed-{}", old.task.id);
    if let Err(error) = state::delete(component::STATE_STORE.to_owned(), record, None).await {
        tracing::warn!(
            task = %old.task.id,
            "the record of an earlier version could not be deleted: {}",
            describe(&error)
        );
    }
    Ok(())
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

/// Arms what is due soon, and publishes what is due and was lost on its way. Neither prevents the other. In this order nothing is
/// missed that becomes due in between.
async fn reconcile() -> Result<(), Disposition> {
    let armed = arming::arm_horizon().await;
    sweep::run(None).await?;
    armed
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
