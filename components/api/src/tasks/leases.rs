//! Leases of due reminders (decision 0039).
//!
//! notification leases what is due, publishes it, and is not asked about it again. A reminder leaves the index of due ones when its
//! outcome is stored, or when it is moved, cancelled or deleted. A lease that none of that ends expires, and the reminder is leased
//! again: that is all there is to do after a crash, anywhere.
//!
//! A lease has an id (decision 0041), which its events carry. Events of a lease that was followed by another are not sent any more, so
//! copies do not wait behind each other when the mail server is slow. A lease that has expired without a successor is still the
//! reminder's: otherwise nothing would be sent if the broker took longer than a lease lasts.
//!
//! Few reminders are in flight at a time, in all. So the backlog of a burst waits in the database, where users take turns, and not in
//! the broker, where the next user's reminder would wait behind it.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use nudge_component::settings::variable;
use nudge_contract::api::{Deferral, LeaseReminders, LeasedReminder, LeasedReminders};
use nudge_domain::id::{LeaseId, ReminderId, UserId};
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::Task;
use uuid::Uuid;

use self::store::{Deferred, Leased, Left, Wanted};
use super::record;
use crate::db::{Database, DbError, milliseconds};

mod store;

/// How long a lease is in force: longer than the broker and the mail server take on a good day for as many as are in flight.
const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// How soon a reminder that rests is due again for [`LeasedReminders::pending`]: `reconcile` arms what rests longer.
const SOON: SignedDuration = SignedDuration::from_secs(30);

/// How far the clock of the scheduler may be ahead.
pub(crate) const AHEAD: SignedDuration = SignedDuration::from_secs(5);

/// Maximum number of reminders per lease.
pub(crate) const MAX_LIMIT: u32 = 100;

/// Maximum number of seconds that the question for due seconds looks ahead.
pub(crate) const MAX_HORIZON: u32 = 3600;

/// Maximum number of reminders in flight when the variable `reminders_in_flight` is not set.
const IN_FLIGHT: u32 = 128;

/// Size in bytes at which a response ends. It has one reminder more than fit.
const ENOUGH_BYTES: usize = 1024 * 1024;

/// Why reminders are not leased.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    /// The bound of reminders in flight cannot be read. The text is for the log.
    #[error("{0}")]
    Setting(String),
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Leases reminders that are due.
pub(crate) async fn lease(
    database: &Database,
    asked: &LeaseReminders,
) -> Result<LeasedReminders, LeaseError> {
    let now = milliseconds(Timestamp::now());
    let ahead = asked.due_by.unwrap_or(now).min(later(now, AHEAD));
    let id = asked.lease_id.unwrap_or_else(|| Uuid::now_v7().into());
    lease_due_by(database, now, ahead.max(now), id, asked.limit).await
}

/// Leases reminders that have been due for a time.
pub(crate) async fn lease_overdue(
    database: &Database,
    since: SignedDuration,
    limit: u32,
) -> Result<LeasedReminders, LeaseError> {
    let now = milliseconds(Timestamp::now());
    let by = now.saturating_sub(since).unwrap_or(Timestamp::MIN);
    lease_due_by(database, now, by, Uuid::now_v7().into(), limit).await
}

async fn lease_due_by(
    database: &Database,
    now: Timestamp,
    by: Timestamp,
    id: LeaseId,
    limit: u32,
) -> Result<LeasedReminders, LeaseError> {
    let by = milliseconds(by);
    let wanted = Wanted {
        now,
        by,
        until: later(now, LEASE),
        id,
        limit,
        in_flight: in_flight().await.map_err(LeaseError::Setting)?,
    };
    let mut leased = store::lease(database, &wanted).await?;
    if leased.is_empty() {
        let Left {
            due,
            pending,
            repeated,
        } = store::left(database, &wanted, later(now, SOON)).await?;
        if repeated {
            // The response to the first request was lost, or came too late.
            leased = store::leased(database, id, now).await?;
        }
        if leased.is_empty() {
            return Ok(LeasedReminders {
                items: Vec::new(),
                more: due,
                pending,
            });
        }
    }
    let (tasks, more) = store::tasks_of(database, &leased, by).await?;
    let mut tasks: BTreeMap<ReminderId, _> = tasks.into_iter().collect();
    let mut items = Vec::new();
    let mut too_many = Vec::new();
    let mut unreadable = Vec::new();
    let mut bytes = 0;
    for leased in in_turns(leased) {
        let item = match tasks.remove(&leased.id) {
            Some(Ok(task)) => item(&leased, &task, id),
            Some(Err(error)) => {
                // It is found again when the lease would have expired, so this line comes again. It is not in flight until then.
                tracing::error!(reminder = %leased.id, "its task cannot be read: {error}");
                unreadable.push(Deferred {
                    id: leased.id,
                    remind_at: leased.remind_at,
                    lease: Some(id),
                    attempt_at: wanted.until,
                    held: None,
                });
                None
            }
            None => None,
        };
        let Some(item) = item else { continue };
        if bytes >= ENOUGH_BYTES {
            too_many.push(leased.id);
            continue;
        }
        bytes += serde_json::to_vec(&item).map_or(0, |json| json.len());
        items.push(item);
    }
    if !too_many.is_empty() {
        store::give_back(database, &too_many, id).await?;
    }
    if !unreadable.is_empty() {
        store::defer(database, &unreadable).await?;
    }
    Ok(LeasedReminders {
        items,
        more: more || !too_many.is_empty(),
        pending: true,
    })
}

/// Reminders in the order in which their users take turns, each user's in the order in which they are due.
fn in_turns(mut leased: Vec<Leased>) -> Vec<Leased> {
    leased.sort_by_key(|leased| (leased.remind_at, leased.id));
    let mut turns: BTreeMap<UserId, usize> = BTreeMap::new();
    let mut leased: Vec<(usize, Leased)> = leased
        .into_iter()
        .map(|leased| {
            let turn = turns.entry(leased.user_id.clone()).or_default();
            *turn += 1;
            (*turn, leased)
        })
        .collect();
    // The order within a turn stays.
    leased.sort_by_key(|(turn, _)| *turn);
    leased.into_iter().map(|(_, leased)| leased).collect()
}

/// The reminder as it was leased; `None` if it was moved or cancelled since, which has ended the lease.
fn item(leased: &Leased, task: &Task, id: LeaseId) -> Option<LeasedReminder> {
    let reminder = task.reminder(leased.id)?;
    let same = reminder.status == ReminderStatus::Scheduled && reminder.remind_at == leased.remind_at;
    same.then(|| LeasedReminder {
        reminder_id: leased.id,
        remind_at: record::local(task, leased.remind_at),
        lease_id: Some(id),
        task: record::snapshot(task),
    })
}

/// Ends leases of reminders that were not sent, for another attempt. One of a lease that has been followed by another is ignored, and
/// the earliest of several of one lease counts.
pub(crate) async fn defer(database: &Database, deferrals: &[Deferral]) -> Result<(), DbError> {
    let now = milliseconds(Timestamp::now());
    let mut earliest: BTreeMap<_, Deferred> = BTreeMap::new();
    for deferral in deferrals {
        let reminder = &deferral.reminder;
        let deferred = Deferred {
            id: reminder.reminder_id,
            remind_at: reminder.remind_at.at(),
            lease: reminder.lease_id,
            attempt_at: later(now, SignedDuration::from_secs(deferral.after_seconds.into())),
            held: deferral.because.map(|why| (now, why)),
        };
        let key = (deferred.id, deferred.remind_at.as_second(), deferred.lease);
        let known = earliest.get(&key);
        if known.is_none_or(|known| deferred.attempt_at < known.attempt_at) {
            earliest.insert(key, deferred);
        }
    }
    let deferred: Vec<Deferred> = earliest.into_values().collect();
    if deferred.is_empty() {
        return Ok(());
    }
    store::defer(database, &deferred).await
}

/// The seconds, in Unix time, in which reminders become due within the next seconds.
pub(crate) async fn due_seconds(database: &Database, horizon: u32) -> Result<Vec<i64>, DbError> {
    let now = milliseconds(Timestamp::now());
    store::due_seconds(
        database,
        now,
        later(now, SignedDuration::from_secs(horizon.into())),
    )
    .await
}

/// When the request that a lease has its id from began, by the clock of notification: the id is a UUIDv7 (RFC 9562, section 5.7).
pub(crate) fn leased_at(lease: LeaseId) -> Option<Timestamp> {
    let time = lease.as_uuid().get_timestamp()?;
    let (seconds, nanoseconds) = time.to_unix();
    Timestamp::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?).ok()
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Maximum number of reminders in flight, in all.
async fn in_flight() -> Result<u32, String> {
    match variable("reminders_in_flight").await? {
        None => Ok(IN_FLIGHT),
        Some(text) => text
            .parse()
            .ok()
            .filter(|bound| *bound > 0)
            .ok_or_else(|| format!("variable reminders_in_flight is {text}: write a whole number from 1")),
    }
}
