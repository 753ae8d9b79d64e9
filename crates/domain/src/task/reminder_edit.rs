//! Changing one reminder of a task.

use jiff::{SignedDuration, Timestamp};

use super::Status;
use super::command::{Patch, ReminderEdit, ReminderTime, Snooze};
use super::fields::Task;
use super::life::Context;
use super::mistake::{FieldName, Mistake, ReminderField};
use crate::due::Due;
use crate::id::ReminderId;
use crate::reminder::{MAX_SNOOZE_MINUTES, ReminderError, ReminderStatus, ReminderWhen};

/// Why a reminder is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderRefusal {
    /// The task has no such reminder.
    NotFound,
    /// The task is completed, so there is nothing to remind of.
    Completed,
    /// Something is wrong with the command.
    Invalid(Vec<Mistake>),
}

impl From<Vec<Mistake>> for ReminderRefusal {
    fn from(mistakes: Vec<Mistake>) -> Self {
        Self::Invalid(mistakes)
    }
}

impl Task {
    /// Changes one reminder, or adds it under this id.
    ///
    /// # Errors
    ///
    /// Why it is refused. The task is not to be used then.
    pub fn edit_reminder(
        &mut self,
        id: ReminderId,
        edit: &ReminderEdit,
        context: &Context,
    ) -> Result<(), ReminderRefusal> {
        if let ReminderEdit::Add(time) = edit {
            if self.reminder(id).is_none() {
                let (when, field) = self.when(time, context)?;
                self.add_reminder(id, when, field, context)?;
            }
            return Ok(());
        }
        let index = self
            .reminders
            .iter()
            .position(|reminder| reminder.id == id)
            .ok_or(ReminderRefusal::NotFound)?;
        // It leaves the list and returns to its index: the others are what a new time is compared with.
        let mut reminder = self.reminders.remove(index);
        match edit {
            ReminderEdit::Add(_) | ReminderEdit::Remove => return Ok(()),
            ReminderEdit::Move(time) => {
                let (when, field) = self.when(time, context)?;
                // The time that it has already takes a snooze back, and is no change otherwise.
                let asked = match (when, &self.due) {
                    (ReminderWhen::At(at), _) => Some(at),
                    (ReminderWhen::MinutesBefore(_), due) => due.as_ref().map(|due| when.remind_at(due)),
                };
                if when != reminder.when || asked != Some(reminder.remind_at) {
                    reminder = self
                        .arm(id, when, &self.reminders, context.now)
                        .map_err(|error| refused(field, &error))?;
                }
            }
            ReminderEdit::Snooze(snooze) => {
                if self.status == Status::Completed {
                    return Err(ReminderRefusal::Completed);
                }
                let (until, field) = self.until(snooze, context)?;
                reminder
                    .snooze(until, context.now)
                    .map_err(|error| refused(field, &error))?;
            }
        }
        self.reminders.insert(index, reminder);
        Ok(())
    }

    /// Adds a reminder under `new`, unless one is armed for that time already. Returns the id of the one that is.
    ///
    /// # Errors
    ///
    /// What is wrong with the time. The task is not to be used then.
    pub fn set_reminder(
        &mut self,
        new: ReminderId,
        time: &ReminderTime,
        context: &Context,
    ) -> Result<ReminderId, Vec<Mistake>> {
        let (when, field) = self.when(time, context)?;
        let armed = self
            .reminders
            .iter()
            .find(|known| known.status == ReminderStatus::Scheduled && known.when == when);
        match armed {
            Some(armed) => Ok(armed.id),
            None => self.add_reminder(new, when, field, context).map(|()| new),
        }
    }

    fn add_reminder(
        &mut self,
        id: ReminderId,
        when: ReminderWhen,
        field: ReminderField,
        context: &Context,
    ) -> Result<(), Vec<Mistake>> {
        let reminder = self
            .arm(id, when, &self.reminders, context.now)
            .map_err(|error| refused(field, &error))?;
        self.reminders.push(reminder);
        Ok(())
    }

    /// Until when a reminder waits, and which of the two fields said so.
    fn until(&self, snooze: &Snooze, context: &Context) -> Result<(Timestamp, ReminderField), Vec<Mistake>> {
        let mut mistakes = snooze.unreadable.clone();
        let mut found = None;
        let mistake = |field, code, message: String| Mistake::new(FieldName::Reminder(field), code, message);
        match (&snooze.minutes, &snooze.until) {
            (Patch::Value(_), Patch::Value(_)) => mistakes.push(mistake(
                ReminderField::Until,
                "invalid_reminder",
                "give minutes or until, not both".to_owned(),
            )),
            (Patch::Value(minutes), _) => match in_minutes(*minutes, context.now) {
                Some(until) => found = Some((until, ReminderField::Minutes)),
                None => mistakes.push(mistake(
                    ReminderField::Minutes,
                    "invalid_reminder",
                    format!("give 1 to {MAX_SNOOZE_MINUTES} minutes (4 weeks)"),
                )),
            },
            (_, Patch::Value(text)) => match Due::parse_or_phrase(text, &self.zone, context.now) {
                Ok(until) => found = Some((until.at(), ReminderField::Until)),
                Err(error) => mistakes.push(mistake(
                    ReminderField::Until,
                    "invalid_reminder",
                    error.to_string(),
                )),
            },
            _ if snooze.minutes.is_missing() && snooze.until.is_missing() => mistakes.push(mistake(
                ReminderField::Minutes,
                "required",
                "give minutes, from now, or until".to_owned(),
            )),
            _ => {}
        }
        match found {
            Some(found) if mistakes.is_empty() => Ok(found),
            _ => Err(mistakes),
        }
    }
}

fn refused(field: ReminderField, error: &ReminderError) -> Vec<Mistake> {
    let field = match error {
        ReminderError::TooMany => FieldName::Reminders,
        _ => FieldName::Reminder(field),
    };
    vec![Mistake::new(field, error.code(), error)]
}

/// A whole second: jobs and emails of reminders have no finer resolution.
fn in_minutes(minutes: u32, now: Timestamp) -> Option<Timestamp> {
    let allowed = (1..=MAX_SNOOZE_MINUTES).contains(&minutes);
    let until = now.checked_add(SignedDuration::from_mins(minutes.into())).ok()?;
    Timestamp::from_second(until.as_second()).ok().filter(|_| allowed)
}
