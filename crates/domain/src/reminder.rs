//! Reminders: when they fire, and how they change with their task.
//!
//! The functions change reminders in memory; storing them, and moving the jobs that fire them, is the caller's.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::due::Due;
use crate::id::ReminderId;
use crate::recurrence::words::and;
use crate::word::words;
use crate::zone::Zone;

/// Maximum number of reminders per task, whatever their status.
pub const MAX_REMINDERS: usize = 5;

/// Maximum time before the due date, in minutes: four weeks.
pub const MAX_MINUTES_BEFORE: u32 = 4 * 7 * 24 * 60;

/// Maximum snooze, in minutes: four weeks.
pub const MAX_SNOOZE_MINUTES: u32 = 4 * 7 * 24 * 60;

/// When to remind: `{"minutesBefore": 30}` or `{"at": "2026-12-01T08:00:00Z"}` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReminderWhen {
    /// This many minutes before the due date, 0 to 40,320; it moves with the due date.
    MinutesBefore(u32),
    /// At an instant of its own.
    At(Timestamp),
}

impl ReminderWhen {
    /// The instant at which it fires for a task that is due then. It is at most four weeks before the due date, even for
    /// a number of minutes that [`Reminder::new`] refuses.
    pub fn remind_at(self, due: &Due) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::MinutesBefore(minutes) => {
                let before = SignedDuration::from_mins(i64::from(minutes.min(MAX_MINUTES_BEFORE)));
                // Due dates are from 1970 on, so this stays in range; if it did not, the due date itself is safe.
                due.at().checked_sub(before).unwrap_or(due.at())
            }
        }
    }
}

impl ReminderWhen {
    /// The time in English, with instants in `zone`: `30 minutes before`, `1 day and 2 hours before`, `when it is due`,
    /// `Tuesday, 1 December 2026, 08:00`.
    pub fn in_words(self, zone: &Zone) -> String {
        let minutes = match self {
            Self::MinutesBefore(0) => return "when it is due".to_owned(),
            Self::MinutesBefore(minutes) => minutes,
            Self::At(at) => {
                return Due::new(at, zone.clone()).map_or_else(|_| at.to_string(), |due| due.in_words());
            }
        };
        let units = [
            (minutes / (7 * 24 * 60), "week"),
            (minutes / (24 * 60) % 7, "day"),
            (minutes / 60 % 24, "hour"),
            (minutes % 60, "minute"),
        ];
        let amounts = units.into_iter().filter(|(count, _)| *count > 0);
        let words = and(amounts.map(|(count, unit)| match count {
            1 => format!("1 {unit}"),
            count => format!("{count} {unit}s"),
        }));
        format!("{words} before")
    }
}

/// The status of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReminderStatus {
    /// It fires at its instant, or immediately if that has passed.
    Scheduled,
    /// It was delivered.
    Sent,
    /// Delivery was given up.
    Failed,
    /// It does not fire: its task is completed or deleted, or both its instant and the due date have passed.
    Cancelled,
}

words!(ReminderStatus: "reminder status", "invalid_reminder_status", "scheduled, sent, failed or cancelled",
    Scheduled = "scheduled", Sent = "sent", Failed = "failed", Cancelled = "cancelled");

/// A reminder of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reminder {
    /// Its id, also used in the names of jobs and the references of emails.
    pub id: ReminderId,
    /// The time that was requested.
    pub when: ReminderWhen,
    /// The instant that follows from `when` and the due date, or a later one that it was snoozed or postponed to.
    pub remind_at: Timestamp,
    /// Its status.
    pub status: ReminderStatus,
}

impl Reminder {
    /// A new reminder for a task with `due` and the reminders `existing`, at the time `now`.
    ///
    /// A relative reminder whose instant has passed is scheduled if the due date is in the future, and so fires immediately;
    /// if both have passed it is cancelled from the start.
    ///
    /// # Errors
    ///
    /// A relative reminder without a due date or of more than four weeks, an instant in the past, one that the task already
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

    /// Snoozes the reminder until `until`, at the time `now`. Whatever its status was, it is scheduled then; `when` stays the
    /// same, so moving the due date also moves a snoozed relative reminder.
    ///
    /// # Errors
    ///
    /// [`ReminderError::InThePast`] for an instant that is not in the future, [`ReminderError::SnoozedTooFar`] for one that is more
    /// than [`MAX_SNOOZE_MINUTES`] in the future. The reminder is unchanged then.
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

    /// Postpones the reminder until `until`, the end of quiet hours. A reminder that is not scheduled, or not before that, stays
    /// as it is. Returns whether it moved.
    pub fn postpone(&mut self, until: Timestamp) -> bool {
        let moves = self.status == ReminderStatus::Scheduled && self.remind_at < until;
        if moves {
            self.remind_at = until;
        }
        moves
    }

    /// A reminder that fires at its instant, or immediately if only the due date is in the future, or never.
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

/// Moves the reminders of a pending task whose due date changed from `old` to `new`.
///
/// Relative ones move with it, and are scheduled again, even if they were sent, failed or cancelled, if their new instant or
/// the new due date is in the future; otherwise, or if the due date is removed, they are cancelled. Absolute ones do not
/// change, and nothing changes if the instant of the due date is the same.
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

/// Cancels reminders that have not fired, because the task is completed or deleted. Sent and failed ones keep their status.
pub fn cancel_all(reminders: &mut [Reminder]) {
    reminders.iter_mut().for_each(cancel);
}

/// Schedules cancelled reminders again, because the task is pending again: those whose instant is in the future, snoozed or
/// not, and relative ones if the due date is. Sent and failed ones keep their status, so nothing is sent twice.
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

/// Whether the second of `at` has passed. The current second has not: reminders have a resolution of one second, so "now"
/// is the second that has just begun.
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
    /// A relative reminder of a task without a due date.
    #[error(
        "a reminder relative to the due date needs one: give the task a due date, or the reminder an instant"
    )]
    NoDue,
    /// More than four weeks before the due date.
    #[error("{minutes} minutes before is too early: give at most {MAX_MINUTES_BEFORE} minutes (4 weeks)")]
    TooEarly {
        /// The refused number of minutes.
        minutes: u32,
    },
    /// An instant that has passed.
    #[error("{at} is in the past: give an instant in the future")]
    InThePast {
        /// The refused instant.
        at: Timestamp,
    },
    /// Snoozed for more than four weeks.
    #[error("{until} is too far in the future to snooze until: give an instant at most 4 weeks from now")]
    SnoozedTooFar {
        /// The refused instant.
        until: Timestamp,
    },
    /// The task already has a reminder at that time.
    #[error("the task already has this reminder: change or delete that one, or choose another time")]
    Duplicate,
    /// More than [`MAX_REMINDERS`].
    #[error("a task has at most {MAX_REMINDERS} reminders: delete one first")]
    TooMany,
}

impl ReminderError {
    /// Stable code for programs: `too_many_reminders`, `duplicate_reminder`, or `invalid_reminder`.
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
