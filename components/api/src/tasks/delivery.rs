//! What email-delivery asks and reports about reminders, in batches.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nudge_component::events::Disposition;
use nudge_component::trace::Traceparent;
use nudge_contract::api::{DueReminder, ReminderDelivery};
use nudge_contract::event::DeliveryOutcome;
use nudge_domain::id::UserId;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::{Status, Task};

use super::batch::{Changed, ReminderChange, change_all};
use super::{record, store_all};
use crate::db::{Database, DbError};
use crate::profile::{self, Profile};

/// Stores how deliveries of reminders ended, each if the reminder is still the one that was due. Returns a result per outcome.
pub(crate) async fn reminders_ended(outcomes: Vec<DeliveryOutcome>) -> Vec<Result<(), Disposition>> {
    match store_outcomes(&outcomes).await {
        Ok(stored) => stored,
        Err(error) => {
            let reason = error.to_string();
            outcomes
                .iter()
                .map(|_| Err(Disposition::Retry(reason.clone())))
                .collect()
        }
    }
}

async fn store_outcomes(outcomes: &[DeliveryOutcome]) -> Result<Vec<Result<(), Disposition>>, DbError> {
    let changes: Vec<ReminderChange> = outcomes
        .iter()
        .map(|outcome| {
            let trace = outcome.traceparent.as_deref().and_then(Traceparent::parse);
            ReminderChange {
                task: outcome.task_id,
                reminder: outcome.reminder_id,
                trace: trace.unwrap_or_else(Traceparent::start),
            }
        })
        .collect();
    let database = Database::open().await?;
    let changed = change_all(&database, &changes, |index, reminder| {
        let ended = outcomes
            .get(index)
            .filter(|outcome| outcome.remind_at.at().as_second() == reminder.remind_at.as_second());
        // Otherwise it was moved while the email was on its way, or an outcome came before.
        if let Some(outcome) = ended
            && matches!(
                reminder.status,
                ReminderStatus::Scheduled | ReminderStatus::Cancelled
            )
        {
            reminder.status = match outcome.failure {
                None => ReminderStatus::Sent,
                Some(_) => ReminderStatus::Failed,
            };
        }
    })
    .await?;
    let results = changed
        .into_iter()
        .zip(outcomes)
        .map(|(changed, outcome)| match changed {
            Changed::Done | Changed::Deleted => Ok(()),
            Changed::Unknown => Err(Disposition::Drop(format!("there is no task {}", outcome.task_id))),
            Changed::Contended => Err(Disposition::Retry(format!(
                "task {} was changed by other requests at the same time",
                outcome.task_id
            ))),
            // A retry would hold up the outcomes of other users.
            Changed::Refused(reason) => Err(Disposition::Drop(reason)),
        });
    Ok(results.collect())
}

/// What is known about a reminder before its owner is.
enum Judged {
    /// It is not to be sent, for this reason.
    Skip(String),
    /// It is to be sent, if it is not the time of its owner's quiet hours.
    Due(Box<Task>),
}

/// Decides whether reminders are sent, and where to. One that is due in its owner's quiet hours moves to their end, as a change
/// of its task (decision 0014). Returns a decision per reminder.
pub(crate) async fn decide(
    database: &Database,
    asked: &[DueReminder],
    trace: &Traceparent,
) -> Result<Vec<ReminderDelivery>, DbError> {
    let judged = judge(database, asked).await?;
    let owners: BTreeSet<&UserId> = judged
        .iter()
        .filter_map(|judged| match judged {
            Judged::Due(task) => Some(&task.user_id),
            Judged::Skip(_) => None,
        })
        .collect();
    let profiles = if owners.is_empty() {
        BTreeMap::new()
    } else {
        profile::find_all(database, owners).await?
    };
    let now = Timestamp::now();
    let mut postponed = Vec::new();
    let mut until = Vec::new();
    let mut decisions = Vec::with_capacity(asked.len());
    for (judged, asked) in judged.into_iter().zip(asked) {
        decisions.push(match judged {
            Judged::Skip(reason) => ReminderDelivery::Skip { reason },
            Judged::Due(task) => match profiles.get(&task.user_id) {
                None => ReminderDelivery::NoAddress,
                Some(Err(error)) => unreadable(asked, error),
                // One that is leased early, because the scheduler's clock is ahead, is decided as at its instant: at the end of the
                // quiet hours, it would wait for its lease to expire.
                Some(Ok(profile)) => match profile.quiet_until(now.max(asked.remind_at.at())) {
                    None => send(profile, &task),
                    Some(end) => {
                        until.push((asked.remind_at.at(), end));
                        postponed.push(ReminderChange {
                            task: task.id,
                            reminder: asked.reminder_id,
                            trace: trace.clone(),
                        });
                        ReminderDelivery::Skip {
                            reason: "its owner has quiet hours: it waits until they end".to_owned(),
                        }
                    }
                },
            },
        });
    }
    let moved = change_all(database, &postponed, |index, reminder| {
        // Otherwise it was moved meanwhile.
        if let Some((asked, until)) = until.get(index)
            && asked.as_second() == reminder.remind_at.as_second()
        {
            reminder.postpone(*until);
        }
    });
    for (moved, change) in moved.await?.into_iter().zip(&postponed) {
        if matches!(moved, Changed::Contended | Changed::Refused(_)) {
            // It is leased again, and decided again, when its lease has expired.
            tracing::warn!(reminder = %change.reminder, "not postponed until quiet hours end: {moved:?}");
        }
    }
    Ok(decisions)
}

async fn judge(database: &Database, asked: &[DueReminder]) -> Result<Vec<Judged>, DbError> {
    let found = store_all::find_by_reminders(database, asked.iter().map(|asked| asked.reminder_id)).await?;
    let judged = asked.iter().map(|asked| {
        let skip = |reason: &str| Judged::Skip(reason.to_owned());
        let (task, reminded_here, lease) = match found.get(&asked.reminder_id) {
            None => return skip("the reminder or its task is gone"),
            Some(Err(error)) => {
                tracing::error!(reminder = %asked.reminder_id, "its task cannot be read: {error}");
                return skip("its task cannot be read");
            }
            Some(Ok(found)) => (&found.task, found.reminded_here, found.lease),
        };
        let Some(reminder) = task.reminder(asked.reminder_id) else {
            return skip("the reminder is gone");
        };
        if reminder.remind_at.as_second() != asked.remind_at.at().as_second() {
            skip("the reminder was moved")
        } else if reminder.status != ReminderStatus::Scheduled || task.status == Status::Completed {
            skip("the reminder was cancelled, or is sent")
        } else if asked.lease_id.is_some() && asked.lease_id != lease {
            skip("its lease has ended: it is leased again")
        } else if !reminded_here {
            skip("the system that Nudge replaces reminds its owner")
        } else {
            Judged::Due(Box::new(task.clone()))
        }
    });
    Ok(judged.collect())
}

fn send(profile: &Profile, task: &Task) -> ReminderDelivery {
    match profile.email() {
        Some(email) => ReminderDelivery::Send {
            email: email.to_owned(),
            time_zone: profile.zone().name().to_owned(),
            task: Box::new(record::snapshot(task)),
        },
        None => ReminderDelivery::NoAddress,
    }
}

fn unreadable(asked: &DueReminder, error: &DbError) -> ReminderDelivery {
    tracing::error!(reminder = %asked.reminder_id, "the profile of its owner cannot be read: {error}");
    ReminderDelivery::Skip {
        reason: "the profile of its owner cannot be read".to_owned(),
    }
}
