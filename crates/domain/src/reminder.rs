//! Reminders: when they fire, and what becomes of them when their task changes.
//!
//! The functions change reminders in memory; storing them, and moving the jobs that fire them, is the caller's.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::due::Due;
use crate::id::ReminderId;
use crate::word::words;

/// Most reminders one task may have, whatever their status.
pub const MAX_REMINDERS: usize = 5;

/// Longest time before the due, in minutes: four weeks.
pub const MAX_MINUTES_BEFORE: u32 = 4 * 7 * 24 * 60;

/// Longest snooze, in minutes: four weeks.
pub const MAX_SNOOZE_MINUTES: u32 = 4 * 7 * 24 * 60;

/// When to remind: `{"minutesBefore": 30}` or `{"at": "2026-12-01T08:00:00Z"}` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReminderWhen {
    /// So many minutes before the due, 0 to 40,320; it moves with the due.
    MinutesBefore(u32),
    /// At an instant of its own.
    At(Timestamp),
}

impl ReminderWhen {
    /// The instant at which it fires for a task that is due then. It is at most four weeks before the due, even for a
    /// number of minutes that [`Reminder::new`] refuses.
    pub fn remind_at(self, due: &Due) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::MinutesBefore(minutes) => {
                let before = SignedDuration::from_mins(i64::from(minutes.min(MAX_MINUTES_BEFORE)));
                // A due is from 1970 on, so this stays in range; were it not, the due itself is the safe instant.
                due.at().checked_sub(before).unwrap_or(due.at())
            }
        }
    }
}

/// What has become of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReminderStatus {
    /// It fires at its instant, or at once if that is past.
    Scheduled,
    /// It was delivered.
    Sent,
    /// It was given up.
    Failed,
    /// It does not fire: its task is done or gone, or both its instant and the due are past.
    Cancelled,
}

words!(ReminderStatus: "reminder status", "invalid_reminder_status", "scheduled, sent, failed or cancelled",
    Scheduled = "scheduled", Sent = "sent", Failed = "failed", Cancelled = "cancelled");

/// A reminder of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reminder {
    /// Its id; jobs and mails are named by it.
    pub id: ReminderId,
    /// What was asked for.
    pub when: ReminderWhen,
    /// The instant that follows from it and the due, or a later one that it was snoozed or postponed to.
    pub remind_at: Timestamp,
    /// What has become of it.
    pub status: ReminderStatus,
}

impl Reminder {
    /// A new reminder for a task with `due` and the reminders `existing`, at the time `now`.
    ///
    /// Relative reminders whose instant is past are scheduled as long as the due is ahead, and so fire at once; when both
    /// are past they are cancelled from the start.
    ///
    /// # Errors
    ///
    /// A relative reminder without due or of more than four weeks, an instant in the past, one that the task already
    /// has, or more than [`MAX_REMINDERS`].
    pub fn new(
        id: ReminderId,
        when: ReminderWhen,
        due: Option<&Due>,
        existing: &[Self],
        now: Timestamp,
    ) -> Result<Self, ReminderError> {
        if existing.len() >= MAX_REMINDERS {
            return Err(ReminderError::TooMany);
        }
        if existing.iter().any(|reminder| reminder.when == when) {
            return Err(ReminderError::Duplicate);
        }
        match (when, due) {
            (ReminderWhen::MinutesBefore(minutes), _) if minutes > MAX_MINUTES_BEFORE => {
                Err(ReminderError::TooEarly { minutes })
            }
            (ReminderWhen::MinutesBefore(_), None) => Err(ReminderError::NoDue),
            (ReminderWhen::MinutesBefore(_), Some(due)) => Ok(Self::relative(id, when, due, now)),
            (ReminderWhen::At(at), _) if is_over(at, now) => Err(ReminderError::InThePast { at }),
            (ReminderWhen::At(at), _) => Ok(Self {
                id,
                when,
                remind_at: at,
                status: ReminderStatus::Scheduled,
            }),
        }
    }

    /// Fires again, or later, at `until`, at the time `now`. Whatever had become of it, it is scheduled then; what was
    /// asked for (`when`) stays, so moving the due moves a snoozed relative reminder along.
    ///
    /// # Errors
    ///
    /// [`ReminderError::InThePast`] for an instant that is not ahead, [`ReminderError::SnoozedTooFar`] for one more than
    /// [`MAX_SNOOZE_MINUTES`] ahead. The reminder is unchanged then.
    pub fn snooze(&mut self, until: Timestamp, now: Timestamp) -> Result<(), ReminderError> {
        if until <= now {
            return Err(ReminderError::InThePast { at: until });
        }
        if until.duration_since(now) > SignedDuration::from_mins(i64::from(MAX_SNOOZE_MINUTES)) {
            return Err(ReminderError::SnoozedTooFar { until });
        }
        self.remind_at = until;
        self.status = ReminderStatus::Scheduled;
        Ok(())
    }

    /// Waits until `until`, the end of quiet hours. A reminder that is not scheduled, or not before that, stays as it is.
    /// Tells whether it moved.
    pub fn postpone(&mut self, until: Timestamp) -> bool {
        let moves = self.status == ReminderStatus::Scheduled && self.remind_at < until;
        if moves {
            self.remind_at = until;
        }
        moves
    }

    /// A reminder that fires at its instant, or at once while the due is ahead, or never.
    pub(crate) fn relative(id: ReminderId, when: ReminderWhen, due: &Due, now: Timestamp) -> Self {
        let remind_at = when.remind_at(due);
        let still_of_use = !is_over(remind_at, now) || due.at() > now;
        let status = if still_of_use {
            ReminderStatus::Scheduled
        } else {
            ReminderStatus::Cancelled
        };
        Self {
            id,
            when,
            remind_at,
            status,
        }
    }
}

/// Moves the reminders of a pending task whose due went from `old` to `new`.
///
/// Relative ones move along, and are scheduled again, even if they were sent, failed or cancelled, when their new
/// instant or the new due is ahead; otherwise they are cancelled, as they are when the due is taken away. Absolute ones
/// stay as they are, and so does everything when the instant of the due is the same.
pub fn reschedule(reminders: &mut [Reminder], old: Option<&Due>, new: Option<&Due>, now: Timestamp) {
    if old.map(Due::at) == new.map(Due::at) {
        return;
    }
    let relative = |reminder: &&mut Reminder| matches!(reminder.when, ReminderWhen::MinutesBefore(_));
    for reminder in reminders.iter_mut().filter(relative) {
        match new {
            Some(due) => *reminder = Reminder::relative(reminder.id, reminder.when, due, now),
            None => cancel(reminder),
        }
    }
}

/// Cancels what has not fired yet, because the task is completed or deleted. Sent and failed ones keep their status.
pub fn cancel_all(reminders: &mut [Reminder]) {
    reminders.iter_mut().for_each(cancel);
}

/// Arms cancelled reminders again, because the task is pending again: those whose instant is ahead, snoozed or not, and
/// relative ones whose due is. Sent and failed ones keep their status, so nothing is sent twice.
pub fn rearm_cancelled(reminders: &mut [Reminder], due: Option<&Due>, now: Timestamp) {
    for reminder in reminders
        .iter_mut()
        .filter(|reminder| reminder.status == ReminderStatus::Cancelled)
    {
        match (reminder.when, due) {
            (ReminderWhen::MinutesBefore(_), None) => {}
            _ if reminder.remind_at > now => reminder.status = ReminderStatus::Scheduled,
            (ReminderWhen::MinutesBefore(_), Some(due)) => {
                *reminder = Reminder::relative(reminder.id, reminder.when, due, now);
            }
            (ReminderWhen::At(_), _) => {}
        }
    }
}

/// Whether the second of `at` has passed. The second that runs now has not: reminders are for whole seconds, so "now" is
/// the one that has just begun.
fn is_over(at: Timestamp, now: Timestamp) -> bool {
    at.as_second() < now.as_second()
}

fn cancel(reminder: &mut Reminder) {
    if reminder.status == ReminderStatus::Scheduled {
        reminder.status = ReminderStatus::Cancelled;
    }
}

/// Why a reminder was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReminderError {
    /// Minutes before nothing.
    #[error(
        "a reminder relative to the due date needs one: give the task a due date, or the reminder an instant"
    )]
    NoDue,
    /// Over four weeks.
    #[error("{minutes} minutes before is too early: give at most {MAX_MINUTES_BEFORE} minutes (4 weeks)")]
    TooEarly {
        /// The refused number of minutes.
        minutes: u32,
    },
    /// An instant that has passed.
    #[error("{at} is in the past: give an instant that is still ahead")]
    InThePast {
        /// The refused instant.
        at: Timestamp,
    },
    /// Snoozed for over four weeks.
    #[error("{until} is too far ahead to snooze until: give an instant at most 4 weeks from now")]
    SnoozedTooFar {
        /// The refused instant.
        until: Timestamp,
    },
    /// The task already has it.
    #[error("the task already has this reminder: change or delete that one, or choose another time")]
    Duplicate,
    /// One more than fits.
    #[error("a task has at most {MAX_REMINDERS} reminders: delete one first")]
    TooMany,
}

impl ReminderError {
    /// Stable code for machines: `too_many_reminders`, `duplicate_reminder`, or `invalid_reminder`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooMany => "too_many_reminders",
            Self::Duplicate => "duplicate_reminder",
            Self::NoDue | Self::TooEarly { .. } | Self::InThePast { .. } | Self::SnoozedTooFar { .. } => {
                "invalid_reminder"
            }
        }
    }
}
