//! Arms the seconds in which reminders become due soon: each is one Dapr job, however many reminders it has.
//!
//! A job says only that something is due at its second; the database says what. So a reminder that is moved or cancelled needs
//! no call, and arming a second again is harmless. A reminder beyond [`HORIZON`] needs no call either: `reconcile` arms its second
//! when it is near.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use nudge_component::ask;
use nudge_component::dapr::jobs::{self, ConstantPolicy, FailurePolicy, Job, Timing};
use nudge_component::dapr::types::Error;
use nudge_component::events::Disposition;
use nudge_component::subscriber::retry;
use nudge_contract::api::DueSeconds;
use nudge_contract::event::{Change, TaskEvent};
use nudge_contract::names::{job, route};
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::Status;

/// How far ahead seconds are armed: several times the interval of `reconcile`.
const HORIZON: SignedDuration = SignedDuration::from_mins(2);

/// How old a due reminder of an event may be to be armed; `reconcile` finds older ones.
const LATE: SignedDuration = SignedDuration::from_mins(1);

/// How much the scheduler's clock may be ahead of this one. What fires earlier comes again.
pub(crate) const AHEAD: SignedDuration = SignedDuration::from_secs(5);

/// Maximum number of remembered seconds, more than [`HORIZON`] has.
const REMEMBERED: usize = 512;

/// A job retries every 5 s for 5 minutes; then `reconcile` takes over.
const RETRY: ConstantPolicy = ConstantPolicy {
    interval_ms: 5_000,
    max_retries: Some(60),
};

/// Seconds that this instance has armed lately. They are not specific to a request or a user.
static LATELY: Mutex<BTreeSet<i64>> = Mutex::new(BTreeSet::new());

/// Arms what changed tasks need. Returns one result per event, in order: if a second cannot be armed, the events that need it are
/// delivered again.
pub(crate) async fn tasks_changed(events: Vec<TaskEvent>) -> Vec<Result<(), Disposition>> {
    let now = Timestamp::now();
    let needed: Vec<BTreeSet<i64>> = events.iter().map(|event| seconds(event, now)).collect();
    let all: BTreeSet<i64> = needed.iter().flatten().copied().collect();
    let missing = all.into_iter().filter(|second| !is_armed(*second, now));
    let failed = arm_all(missing.collect()).await;
    let result = |seconds: &BTreeSet<i64>| match seconds.iter().find_map(|second| failed.get(second)) {
        Some(why) => Err(why.clone()),
        None => Ok(()),
    };
    needed.iter().map(result).collect()
}

/// Arms every second within the horizon in which the database has reminders, whatever this instance remembers: the scheduler may
/// have lost its jobs.
pub(crate) async fn arm_horizon() -> Result<(), Disposition> {
    let path = format!("{}?seconds={}", route::DUE_SECONDS, HORIZON.as_secs());
    let due: DueSeconds = ask::get(&path).await?;
    let failed = arm_all(due.seconds.into_iter().collect()).await;
    failed.into_values().next().map_or(Ok(()), Err)
}

/// The seconds that the reminders of a changed task need: those in which one becomes due soon, or did a moment ago.
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
        .filter(|at| (-LATE..=HORIZON).contains(&at.duration_since(now)))
        .map(whole_second)
        .collect()
}

/// The first whole second, in Unix time, at which something that is due at `at` is due.
pub(crate) fn whole_second(at: Timestamp) -> i64 {
    // Rounded towards zero, so down, unless it is before 1970.
    at.as_second() + i64::from(at.subsec_nanosecond() > 0)
}

/// Whether this instance has armed a second, and its job cannot have fired yet.
fn is_armed(second: i64, now: Timestamp) -> bool {
    second > whole_second(now).saturating_add(AHEAD.as_secs())
        && LATELY
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&second)
}

fn remember(second: i64) {
    let now = Timestamp::now().as_second();
    let mut lately = LATELY.lock().unwrap_or_else(PoisonError::into_inner);
    lately.retain(|known| *known > now);
    if lately.len() < REMEMBERED {
        lately.insert(second);
    }
}

/// Arms seconds one after another. Returns those that could not be armed, and why. Without a scheduler each attempt takes long, so
/// the first one is the last.
async fn arm_all(seconds: Vec<i64>) -> BTreeMap<i64, Disposition> {
    let mut failed = BTreeMap::new();
    let mut left = seconds.into_iter();
    while let Some(second) = left.next() {
        let error = match arm(second).await {
            Ok(()) => continue,
            Err(error) => error,
        };
        let is_away = matches!(error, Error::Unavailable(_) | Error::Timeout(_));
        let why = retry(error);
        if is_away {
            failed.extend(left.by_ref().map(|second| (second, why.clone())));
        }
        failed.insert(second, why);
    }
    failed
}

async fn arm(second: i64) -> Result<(), Error> {
    let Ok(at) = Timestamp::from_second(second) else {
        // Instants of reminders are instants, and the api answers with seconds of reminders.
        tracing::error!(second, "cannot be armed: it is beyond the instants that exist");
        return Ok(());
    };
    let job = Job {
        timing: Timing::Once(at.to_string()),
        data: second.to_string(),
        overwrite: true,
        failure_policy: Some(FailurePolicy::Constant(RETRY)),
    };
    jobs::schedule(format!("{}{second}", job::DUE_PREFIX), job).await?;
    remember(second);
    Ok(())
}
