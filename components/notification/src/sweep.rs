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
//! response: there is one, and it ends when nothing is left, or when nothing moves for [`PATIENCE`]. `reconcile` finds what it leaves.
//! A failure does not end it: the api may be restarting, and events that the broker refuses must not hold up the others.
//!
//! While reminders are in flight, or were given back for a few seconds, the pump stays and asks every [`POLL`]: what email-delivery
//! gives back has no job, and would wait for `reconcile`. For a single reminder that is one request more, after its email was sent.
//!
//! Each round has an id. A request for leases that the sidecar repeats, because the response came too late, gets the same reminders.

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
    DeferReminders, Deferral, DueReminder, HeldBack, LeaseReminders, LeasedReminder, LeasedReminders,
};
use nudge_contract::event::{ReminderDue, SCHEMA_VERSION};
use nudge_contract::names::{app, component, route, topic};
use nudge_domain::LocalInstant;
use spin_sdk::wasip3::clocks::monotonic_clock::wait_for;
use uuid::Uuid;

/// Maximum number of reminders in one round.
const AT_ONCE: u32 = 64;

/// Maximum size of a bulk publish in bytes: a quarter of what a sidecar accepts, and no more than brokers take in one write.
const LARGEST: usize = 1_000_000;

/// What an event has besides its data, in bytes, generously.
const ENVELOPE: usize = 1_024;

/// How long the pump runs without publishing anything and without a new job.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

/// The first and the longest pause of the pump while too many reminders are in flight, or something fails.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(500));

/// How often the pump asks while nothing is due and reminders are in flight: about as long as an email takes on a bad day.
const POLL: Duration = Duration::from_secs(1);

/// How often it looks meanwhile whether a job has left something for it. That is no request.
const GLANCE: Duration = Duration::from_millis(50);

/// The pump of this instance. Nothing in it is specific to a user.
#[derive(Debug, Default)]
struct Pump {
    running: bool,
    /// Something asked for another round since the last one began.
    again: bool,
    /// More was due than the one who asked could publish, so the round is not to wait.
    more: bool,
    /// The latest second that was asked for.
    due_by: Option<Timestamp>,
}

static PUMP: Mutex<Pump> = Mutex::new(Pump {
    running: false,
    again: false,
    more: false,
    due_by: None,
});

/// How long a reminder rests whose event was refused: the next rounds lease others.
const REST_SECONDS: u32 = 5;

/// The result of a round.
struct Round {
    published: usize,
    /// Others are due.
    more: bool,
    /// Some may become due again soon.
    pending: bool,
    /// Why not all were published.
    refused: Option<String>,
}

/// Publishes what is due now, or by `due_by`: as much as fits one round; the pump goes on with the rest.
///
/// # Errors
///
/// Retry: the api or the broker failed. What was leased and not published is given back.
pub(crate) async fn run(due_by: Option<Timestamp>) -> Result<(), Disposition> {
    let round = round(due_by).await?;
    if (round.more || round.pending) && begin(due_by, round.more) {
        spin_sdk::wasip3::spawn(pump());
    }
    round
        .refused
        .map_or(Ok(()), |reason| Err(Disposition::Retry(reason)))
}

/// Requests another round of the pump. Returns whether the caller has to start it.
fn begin(due_by: Option<Timestamp>, more: bool) -> bool {
    let mut pump = PUMP.lock().unwrap_or_else(PoisonError::into_inner);
    pump.again = true;
    pump.more |= more;
    pump.due_by = pump.due_by.max(due_by);
    !std::mem::replace(&mut pump.running, true)
}

/// Takes the request for another round, if there is one.
fn next() -> Option<Option<Timestamp>> {
    let mut pump = PUMP.lock().unwrap_or_else(PoisonError::into_inner);
    pump.more = false;
    std::mem::take(&mut pump.again).then_some(pump.due_by)
}

/// Whether a job has left something for the pump.
fn is_more() -> bool {
    PUMP.lock().unwrap_or_else(PoisonError::into_inner).more
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
    let mut until = patience();
    let mut pause = PAUSES.0;
    poll().await;
    loop {
        if let Some(requested) = next() {
            due_by = requested;
            until = patience();
        }
        let (published, more, pending) = match round(due_by).await {
            Ok(round) => {
                if let Some(reason) = &round.refused {
                    tracing::warn!("{reason}");
                }
                (round.published, round.more, round.pending)
            }
            Err(Disposition::Retry(reason) | Disposition::Drop(reason)) => {
                tracing::warn!("due reminders wait: {reason}");
                (0, true, true)
            }
        };
        if published > 0 {
            pause = PAUSES.0;
            until = patience();
        }
        if more && published > 0 {
            continue;
        } else if more {
            pause = wait(pause).await;
        } else if pending {
            poll().await;
        } else if end() {
            return;
        }
        let left = until.duration_since(Timestamp::now());
        // More is left than there was: the clock was set back.
        if !(SignedDuration::ZERO..=PATIENCE).contains(&left) && end() {
            return;
        }
    }
}

/// Waits for [`POLL`], or until a job leaves something for the pump.
async fn poll() {
    let mut waited = Duration::ZERO;
    while waited < POLL && !is_more() {
        wait(GLANCE).await;
        waited += GLANCE;
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
        lease_id: Some(Uuid::now_v7().into()),
    };
    let leased: LeasedReminders = ask::post(route::LEASES, &request).await?;
    let count = leased.items.len();
    let (unpublished, reason) = publish(leased.items).await?;
    let published = count.saturating_sub(unpublished.len());
    let refused =
        reason.map(|reason| format!("{} due reminders were not published: {reason}", unpublished.len()));
    if !unpublished.is_empty() {
        give_back(unpublished).await;
    }
    match refused {
        Some(reason) if published == 0 => Err(Disposition::Retry(reason)),
        refused => Ok(Round {
            published,
            more: leased.more,
            pending: leased.pending,
            refused,
        }),
    }
}

/// Publishes leased reminders. Returns those that the broker did not accept, and why.
async fn publish(leased: Vec<LeasedReminder>) -> Result<(Vec<Deferral>, Option<String>), Disposition> {
    if leased.is_empty() {
        return Ok((Vec::new(), None));
    }
    let topic = publish::topic(topic::TASK_REMINDERS).await.map_err(retry)?;
    let mut unpublished = Vec::new();
    let mut reason = None;
    let mut is_away = false;
    for part in parts(leased) {
        if is_away {
            unpublished.extend(part.reminders.into_iter().map(|reminder| deferral(reminder, 0)));
            continue;
        }
        match pubsub::publish_all(component::PUBSUB.to_owned(), topic.clone(), part.events).await {
            Ok(refused) => {
                for refused in refused {
                    let index = usize::try_from(refused.index).ok();
                    if let Some(reminder) = index.and_then(|index| part.reminders.get(index)) {
                        unpublished.push(deferral(reminder.clone(), REST_SECONDS));
                    }
                    reason.get_or_insert(refused.message);
                }
            }
            // It is unknown what was published, and email-delivery sends what comes twice once.
            Err(error) => {
                is_away = true;
                unpublished.extend(part.reminders.into_iter().map(|reminder| deferral(reminder, 0)));
                reason = Some(describe(&error));
            }
        }
    }
    Ok((unpublished, reason))
}

fn deferral(reminder: DueReminder, after_seconds: u32) -> Deferral {
    Deferral {
        reminder,
        after_seconds,
        because: Some(HeldBack::BrokerRefused),
    }
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
            lease_id: leased.lease_id,
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
        lease_id: leased.lease_id,
        handed_over_at: Some(now),
        minutes_left: leased.task.task.due.map(minutes_until),
        task: leased.task,
        traceparent: Some(Traceparent::start().to_string()),
    };
    publish::event(app::NOTIFICATION, id, task_id, &data)
}

/// Ends leases, so that a later sweep gets the reminders. If that fails, the leases expire by themselves.
async fn give_back(items: Vec<Deferral>) {
    let request = DeferReminders { items };
    if let Err(Disposition::Retry(reason) | Disposition::Drop(reason)) =
        ask::tell(route::DEFERRALS, &request).await
    {
        tracing::warn!("leases could not be given back and expire by themselves: {reason}");
    }
}
