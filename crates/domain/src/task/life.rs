//! The rules of a task's life: done and reopened, tagged, followed by the next occurrence.

use jiff::Timestamp;
use uuid::Uuid;

use super::fields::Task;
use super::{MAX_TAGS, Status};
use crate::due::Due;
use crate::id::{ReminderId, TagId, UserId};
use crate::reminder::{
    Reminder, ReminderError, ReminderStatus, ReminderWhen, cancel_all, rearm_cancelled, reschedule,
};
use crate::series::{CompletedOccurrence, NextOccurrence, copy_reminders, next_occurrence};
use crate::zone::Zone;

/// Where ids and the time come from.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// The time. Instants that are stored in milliseconds should be given in milliseconds.
    pub now: Timestamp,
    /// Makes an id.
    pub new_id: fn() -> Uuid,
}

/// Whose task is created, and what applies where the task says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// The user.
    pub id: &'a UserId,
    /// Their time zone.
    pub zone: &'a Zone,
    /// Minutes before the due date at which a task reminds that names no reminders.
    pub default_reminder: Option<u32>,
}

/// A task has [`MAX_TAGS`] tags already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a task has at most {MAX_TAGS} tags: remove one first")]
pub struct TagError;

impl TagError {
    /// Stable code for machines.
    pub fn code(self) -> &'static str {
        "too_many_tags"
    }
}

impl Task {
    /// Marks the task as done; one that is done stays as it is. Its reminders have nothing to remind of any more.
    pub fn complete(&mut self, now: Timestamp) {
        if self.status == Status::Pending {
            self.status = Status::Completed;
            self.completed_at = Some(now);
            cancel_all(&mut self.reminders);
        }
    }

    /// Takes that back; one that is not done stays as it is. Reminders that are still ahead are armed again.
    pub fn reopen(&mut self, now: Timestamp) {
        if self.status == Status::Completed {
            self.status = Status::Pending;
            self.completed_at = None;
            rearm_cancelled(&mut self.reminders, self.due.as_ref(), now);
        }
    }

    /// Tags the task. A tag that it has already stays where it is.
    ///
    /// # Errors
    ///
    /// [`TagError`] if it would have more than [`MAX_TAGS`].
    pub fn attach_tag(&mut self, tag: TagId) -> Result<(), TagError> {
        if self.tags.contains(&tag) {
            return Ok(());
        }
        if self.tags.len() >= MAX_TAGS {
            return Err(TagError);
        }
        self.tags.push(tag);
        Ok(())
    }

    /// Removes a tag, if the task has it.
    pub fn detach_tag(&mut self, tag: TagId) {
        self.tags.retain(|attached| *attached != tag);
    }

    /// Cancels its reminders, because it is deleted.
    pub fn cancel_reminders(&mut self) {
        cancel_all(&mut self.reminders);
    }

    /// Makes this the next version.
    pub fn advance(&mut self, now: Timestamp) {
        self.version = self.version.saturating_add(1);
        self.updated_at = now;
    }

    /// One of its reminders.
    pub fn reminder(&self, id: ReminderId) -> Option<&Reminder> {
        self.reminders.iter().find(|reminder| reminder.id == id)
    }

    /// What comes after this occurrence, which was completed or is skipped; `None` when the series has ended.
    pub fn next(&self) -> Option<NextOccurrence> {
        let (rule, due, series) = (
            self.recurrence.as_ref()?,
            self.due.as_ref()?,
            self.series.as_ref()?,
        );
        next_occurrence(&CompletedOccurrence {
            series_id: series.id,
            occurrence: self.occurrence,
            rule,
            first_due: &series.start,
            due,
            counts_from: self.recurrence_from,
            completed_at: self.completed_at.unwrap_or(self.updated_at),
        })
    }

    /// The task of the next occurrence, with copies of the relative reminders.
    pub fn followed_by(&self, next: NextOccurrence, now: Timestamp) -> Self {
        Self {
            id: next.task_id,
            status: Status::Pending,
            reminders: copy_reminders(&self.reminders, &next, now),
            due: Some(next.due),
            occurrence: next.occurrence,
            version: 1,
            created_at: now,
            updated_at: now,
            completed_at: None,
            ..self.clone()
        }
    }

    /// Moves reminders along with the due date. Those of a completed task wait for it to be reopened.
    pub(super) fn reschedule(&mut self, due_before: Option<&Due>, now: Timestamp) {
        reschedule(&mut self.reminders, due_before, self.due.as_ref(), now);
        if self.status == Status::Completed {
            cancel_all(&mut self.reminders);
        }
    }

    /// A new reminder beside others; one of a completed task waits for it to be reopened.
    pub(super) fn arm(
        &self,
        id: ReminderId,
        when: ReminderWhen,
        others: &[Reminder],
        now: Timestamp,
    ) -> Result<Reminder, ReminderError> {
        let mut reminder = Reminder::new(id, when, self.due.as_ref(), others, now)?;
        if self.status == Status::Completed {
            reminder.status = ReminderStatus::Cancelled;
        }
        Ok(reminder)
    }
}
