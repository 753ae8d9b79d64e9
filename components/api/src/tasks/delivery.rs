//! What email-delivery asks and reports about reminders, in batches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use nudge_component::events::Disposition;
use nudge_component::trace::Traceparent;
use nudge_contract::api::{DueReminder, ReminderDelivery};
use nudge_contract::event::{Delivery, DeliveryKind, DeliveryOutcome};
use nudge_domain::id::{TaskId, UserId};
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::{Status, Task};

use super::batch::{Changed, ReminderChange, change_all};
use super::{leases, record, store_all};
use crate::db::{Database, DbError, milliseconds};
use crate::profile::{self, Profile};
use crate::recipients::limits::{self, Budget};
use crate::recipients::standing::{self, Pair, Standing};
use crate::recipients::{Mailbox, links};

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
            let trace = trace.unwrap_or_else(Traceparent::start);
            ReminderChange {
                task: outcome.task_id,
                reminder: outcome.reminder_id,
                delivery: ended(outcome, &trace),
                trace,
            }
        })
        .collect();
    let database = Database::open().await?;
    // An outcome that comes again is not counted again. What the last attempt saw counts.
    let known = Mutex::new(BTreeSet::new());
    let changed = change_all(&database, &changes, |index, reminder| {
        let ended = outcomes
            .get(index)
            .filter(|outcome| outcome.remind_at.at().as_second() == reminder.remind_at.as_second());
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&index);
        // Otherwise it was moved while the email was on its way.
        if let Some(outcome) = ended {
            match reminder.status {
                ReminderStatus::Scheduled | ReminderStatus::Cancelled => {
                    reminder.status = match outcome.failure {
                        None => ReminderStatus::Sent,
                        Some(_) => ReminderStatus::Failed,
                    };
                }
                // An outcome came before.
                _ => {
                    known.insert(index);
                }
            }
        }
    })
    .await?;
    let known = known.into_inner().unwrap_or_else(PoisonError::into_inner);
    // An email counts even if its task or reminder was moved or deleted while it was on its way.
    let sent: Vec<TaskId> = outcomes
        .iter()
        .zip(&changed)
        .enumerate()
        .filter(|(index, (outcome, changed))| {
            outcome.failure.is_none()
                && matches!(changed, Changed::Done | Changed::Deleted)
                && !known.contains(index)
        })
        .map(|(_, (outcome, _))| outcome.task_id)
        .collect();
    if let Err(error) = count_sent(&database, &sent).await {
        // The outcomes are stored: they would not be counted the next time either.
        tracing::warn!(reminders = sent.len(), "sent emails were not counted: {error}");
    }
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

/// What the event of a task says about an outcome.
fn ended(outcome: &DeliveryOutcome, trace: &Traceparent) -> Delivery {
    Delivery {
        reminder_id: outcome.reminder_id,
        remind_at: outcome.remind_at,
        kind: match outcome.failure {
            None => DeliveryKind::Sent,
            Some(_) => DeliveryKind::Failed,
        },
        at: outcome.at,
        reason: outcome.failure.clone(),
        until: None,
        leased_at: outcome.lease_id.and_then(leases::leased_at),
        handed_over_at: outcome.handed_over_at,
        attempts: outcome.attempts,
        trace_id: Some(trace.trace_id().to_owned()),
    }
}

/// Counts emails of reminders for the limits per day, by the task of each and the address that is in use now.
async fn count_sent(database: &Database, tasks: &[TaskId]) -> Result<(), DbError> {
    if tasks.is_empty() {
        return Ok(());
    }
    let sent = profile::recipients(database, tasks).await?;
    let sent: Vec<_> = sent
        .into_iter()
        .map(|(user, email, number)| (user, Mailbox::of(&email), number))
        .collect();
    limits::count_sent(database, &sent, Timestamp::now()).await
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
    let mut desk = Desk::open(database, profiles.values().flatten(), now).await?;
    let mut postponed = Vec::new();
    let mut until = Vec::new();
    let mut decisions = Vec::with_capacity(asked.len());
    for (judged, asked) in judged.into_iter().zip(asked) {
        decisions.push(match judged {
            Judged::Skip(reason) => ReminderDelivery::Skip { reason },
            Judged::Due(task) => match profiles.get(&task.user_id) {
                None => ReminderDelivery::Unsendable { reason: None },
                Some(Err(error)) => unreadable(asked, error),
                // One that is leased early, because the scheduler's clock is ahead, is decided as at its instant: at the end of the
                // quiet hours, it would wait for its lease to expire.
                Some(Ok(profile)) => match profile.quiet_until(now.max(asked.remind_at.at())) {
                    None => desk.send(profile, &task),
                    Some(end) => {
                        until.push((asked.remind_at.at(), end));
                        postponed.push(ReminderChange {
                            task: task.id,
                            reminder: asked.reminder_id,
                            trace: trace.clone(),
                            delivery: Delivery {
                                reminder_id: asked.reminder_id,
                                remind_at: asked.remind_at,
                                kind: DeliveryKind::HeldBack,
                                at: milliseconds(now),
                                reason: None,
                                until: Some(end),
                                leased_at: asked.lease_id.and_then(leases::leased_at),
                                handed_over_at: None,
                                attempts: 0,
                                trace_id: Some(trace.trace_id().to_owned()),
                            },
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

/// What is known about the recipients of a batch.
struct Desk {
    standings: BTreeMap<Pair, Standing>,
    /// Tokens of stop links that did not exist before.
    tokens: BTreeMap<Pair, String>,
    /// None if there are no links.
    public_url: Option<String>,
    /// None if the limits cannot be read.
    budget: Option<Budget>,
}

impl Desk {
    /// Reads it, in one statement; another one creates the links of new recipients.
    async fn open(
        database: &Database,
        owners: impl Iterator<Item = &Profile>,
        now: Timestamp,
    ) -> Result<Self, DbError> {
        let pair = |profile: &Profile| Some((profile.id.clone(), Mailbox::of(profile.email()?)));
        let pairs: Vec<Pair> = owners.filter_map(pair).collect();
        // A reminder is not late because of a link, or of a limit that cannot be read.
        let public_url = crate::public_url::read().await.unwrap_or_else(|reason| {
            tracing::error!("emails have no link that stops them: {reason}");
            None
        });
        let budget = Budget::read(now)
            .await
            .map_err(|reason| tracing::error!("emails are not limited: {reason}"));
        let standings = standing::find(database, &pairs, now).await?;
        let is_new = |pair: &&Pair| {
            let standing = standings.get(*pair);
            standing.is_none_or(|standing| standing.stop_token.is_none())
        };
        let tokens = match public_url {
            Some(_) => standing::stop_tokens(database, pairs.iter().filter(is_new)).await?,
            None => BTreeMap::new(),
        };
        Ok(Self {
            standings,
            tokens,
            public_url,
            budget: budget.ok(),
        })
    }

    fn send(&mut self, profile: &Profile, task: &Task) -> ReminderDelivery {
        let unsendable = |reason: String| ReminderDelivery::Unsendable { reason: Some(reason) };
        let Some(email) = profile.email() else {
            return match &profile.pending {
                Some(_) => unsendable(
                    "the address in your profile is not confirmed: open the link in the email that was sent there, \
                     or set the address again with PATCH /api/v1/me to get another link"
                        .to_owned(),
                ),
                None => ReminderDelivery::Unsendable { reason: None },
            };
        };
        let pair = (profile.id.clone(), Mailbox::of(email));
        let unknown = Standing::default();
        let standing = self.standings.get(&pair).unwrap_or(&unknown);
        if let Some(stop) = standing.stop {
            return unsendable(stop.reason.explain());
        }
        let taken = self
            .budget
            .as_mut()
            .map_or(Ok(()), |budget| budget.take(&pair.0, &pair.1, standing.sent));
        if let Err(reached) = taken {
            return unsendable(reached.of_reminder());
        }
        let token = standing.stop_token.as_ref().or_else(|| self.tokens.get(&pair));
        let stop_link = match (&self.public_url, token) {
            (Some(url), Some(token)) => Some(format!("{url}{}{token}", links::STOP)),
            _ => None,
        };
        ReminderDelivery::Send {
            email: email.to_owned(),
            time_zone: profile.zone().name().to_owned(),
            task: Box::new(record::snapshot(task)),
            stop_link,
        }
    }
}

fn unreadable(asked: &DueReminder, error: &DbError) -> ReminderDelivery {
    tracing::error!(reminder = %asked.reminder_id, "the profile of its owner cannot be read: {error}");
    ReminderDelivery::Skip {
        reason: "the profile of its owner cannot be read".to_owned(),
    }
}
