//! The sweep: leases reminders that are due, and publishes them in bulk.
//!
//! Whatever fires does the same. The api leases a reminder to one caller at a time, so sweeps may overlap, on one replica or on
//! several. What happens after a crash at each point:
//!
//! | crash after | consequence |
//! | --- | --- |
//! | the lease | it runs out, and the next sweep leases the reminder again |
//! | the publish | none: email-delivery has the events |
//!
//! A job is answered after its first round, since the sidecar waits for it. If more is due, the instance's pump goes on after the
//! response: there is one, and it ends when nothing is left, when nothing moves for [`PATIENCE`], or with a failure. `reconcile` finds
//! what it leaves.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use nudge_component::ask;
use nudge_component::dapr::pubsub::{self, CloudEvent};
use nudge_component::events::Disposition;
use nudge_component::publish::{self, describe};
use nudge_component::subscriber::retry;
use nudge_component::trace::Traceparent;
use nudge_contract::api::{
    DeferReminders, Deferral, DueReminder, LeaseReminders, LeasedReminder, LeasedReminders,
};
use nudge_contract::event::{ReminderDue, SCHEMA_VERSION};
use nudge_contract::names::{app, component, route, topic};
use nudge_domain::LocalInstant;
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;

/// Maximum number of reminders in one round.
const AT_ONCE: u32 = 64;

/// Maximum size of a bulk publish in bytes: a quarter of what a sidecar accepts, and no more than brokers take in one write.
const LARGEST: usize = 1_000_000;

/// What an event has besides its data, in bytes, generously.
const ENVELOPE: usize = 1_024;

/// How long the pump runs without publishing anything and without a new job.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// The first and the longest pause of the pump while too many reminders are in flight.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// The pump of this instance. Nothing in it is specific to a user.
#[derive(Debug, Default)]
struct Pump {
    running: bool,
    /// Something asked for another round since the last one began.
    again: bool,
    /// The latest second that was asked for.
    due_by: Option<Timestamp>,
}

static PUMP: Mutex<Pump> = Mutex::new(Pump {
    running: false,
    again: false,
    due_by: None,
});

/// The result of a round.
struct Round {
    published: usize,
    more: bool,
}

/// Publishes what is due now, or by `due_by`: as much as fits one round; the pump goes on with the rest.
///
/// # Errors
///
/// Retry: the api or the broker failed. What was leased and not published is given back.
pub(crate) async fn run(due_by: Option<Timestamp>) -> Result<(), Disposition> {
    if round(due_by).await?.more && begin(due_by) {
        spin_sdk::wasip3::spawn(pump());
    }
    Ok(())
}

/// Requests another round of the pump. Returns whether the caller has to start it.
fn begin(due_by: Option<Timestamp>) -> bool {
    let mut pump = PUMP.lock().unwrap_or_else(PoisonError::into_inner);
    pump.again = true;
    pump.due_by = pump.due_by.max(due_by);
    !std::mem::replace(&mut pump.running, true)
}

/// Takes the request for another round, if there is one.
fn next() -> Option<Option<Timestamp>> {
    let mut pump = PUMP.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut pump.again).then_some(pump.due_by)
}

/// Ends the pump, unless another round was requested. There is no await between the check and the end, so no request is missed.
fn end() -> bool {
    let mut pump = PUMP.lock().unwrap_or_else(PoisonError::into_inner);
    if pump.again {
        return false;
    }
    *pump = Pump::default();
    true
}

async fn pump() {
    let mut due_by = None;
    let mut until = Timestamp::now();
    let mut pause = PAUSES.0;
    loop {
        if let Some(requested) = next() {
            due_by = requested;
            until = patience();
        }
        let finished = match round(due_by).await {
            Ok(Round { more: false, .. }) => true,
            Ok(Round { published, .. }) => {
                if published > 0 {
                    until = patience();
                    pause = PAUSES.0;
                } else {
                    pause = wait(pause).await;
                }
                let left = until.duration_since(Timestamp::now());
                // More is left than there was: the clock was set back.
                !(SignedDuration::ZERO..=PATIENCE).contains(&left)
            }
            Err(Disposition::Retry(reason) | Disposition::Drop(reason)) => {
                tracing::warn!("due reminders wait for the next sweep: {reason}");
                true
            }
        };
        if finished && end() {
            return;
        }
    }
}

/// When the pump ends if nothing moves until then.
fn patience() -> Timestamp {
    Timestamp::now()
        .saturating_add(PATIENCE)
        .unwrap_or(Timestamp::MAX)
}

/// Waits, and returns the next pause.
async fn wait(pause: Duration) -> Duration {
    wait_for(u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX)).await;
    (pause * 2).min(PAUSES.1)
}

/// Leases reminders and publishes them.
async fn round(due_by: Option<Timestamp>) -> Result<Round, Disposition> {
    let request = LeaseReminders {
        due_by,
        limit: AT_ONCE,
    };
    let leased: LeasedReminders = ask::post(route::LEASES, &request).await?;
    let published = leased.items.len();
    publish(leased.items).await?;
    Ok(Round {
        published,
        more: leased.more,
    })
}

/// Publishes leased reminders. Those that the broker does not accept are given back.
async fn publish(leased: Vec<LeasedReminder>) -> Result<(), Disposition> {
    if leased.is_empty() {
        return Ok(());
    }
    let topic = publish::topic(topic::TASK_REMINDERS).await.map_err(retry)?;
    let mut returned = Vec::new();
    let mut reason = None;
    for part in parts(leased) {
        // After an error it is unknown what was published, and email-delivery sends what comes twice once.
        if reason.is_some() {
            returned.extend(part.reminders);
            continue;
        }
        match pubsub::publish_all(component::PUBSUB.to_owned(), topic.clone(), part.events).await {
            Ok(failed) => {
                reason = failed.first().map(|first| first.message.clone());
                let failed = failed
                    .iter()
                    .filter_map(|failed| part.reminders.get(usize::try_from(failed.index).ok()?));
                returned.extend(failed.cloned());
            }
            Err(error) => {
                reason = Some(describe(&error));
                returned.extend(part.reminders);
            }
        }
    }
    let Some(reason) = reason else {
        return Ok(());
    };
    let count = returned.len();
    give_back(returned).await;
    Err(Disposition::Retry(format!(
        "{count} due reminders were not published: {reason}"
    )))
}

/// What one bulk publish holds: events, and their reminders in the same order.
#[derive(Default)]
struct Part {
    events: Vec<CloudEvent>,
    reminders: Vec<DueReminder>,
}

fn parts(leased: Vec<LeasedReminder>) -> Vec<Part> {
    let mut parts = vec![Part::default()];
    let mut size = 0;
    for leased in leased {
        let reminder = DueReminder {
            reminder_id: leased.reminder_id,
            remind_at: leased.remind_at,
        };
        let event = due_event(leased);
        let length = event.data.len() + ENVELOPE;
        if size > 0 && size + length > LARGEST {
            parts.push(Part::default());
            size = 0;
        }
        size += length;
        if let Some(part) = parts.last_mut() {
            part.events.push(event);
            part.reminders.push(reminder);
        }
    }
    parts
}

fn due_event(leased: LeasedReminder) -> CloudEvent {
    let task_id = leased.task.task.id.to_string();
    // The same for each repetition, unless the task's zone changes in between and one instant is written with two offsets;
    // email-delivery claims a reminder by the second, whatever the offset.
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

/// Ends leases, so that the next sweep gets the reminders. If that fails, the leases expire by themselves.
async fn give_back(reminders: Vec<DueReminder>) {
    let items = reminders.into_iter().map(|reminder| Deferral {
        reminder,
        after_seconds: 0,
    });
    let request = DeferReminders {
        items: items.collect(),
    };
    if let Err(Disposition::Retry(reason) | Disposition::Drop(reason)) =
        ask::tell(route::DEFERRALS, &request).await
    {
        tracing::warn!("leases could not be given back and expire by themselves: {reason}");
    }
}
