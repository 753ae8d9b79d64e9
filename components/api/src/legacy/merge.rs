//! A change of the legacy system to a task that Nudge has.

use jiff::Timestamp;
use nudge_contract::event::Change;
use nudge_contract::legacy::{Action, Applied, IMPORT, LegacyChange, LegacyField, LegacyFields};
use nudge_domain::id::TaskId;
use nudge_domain::reminder::{Reminder, ReminderStatus, ReminderWhen};
use nudge_domain::task::{Context, Status, Task, TaskPatch};

use super::LegacyError;
use super::batch::{Batch, origin};
use super::fields;
use super::since::Since;
use crate::db::{DbError, milliseconds};
use crate::events::outbox;
use crate::profile;
use crate::tasks::room::Room;
use crate::tasks::service::{context, kind_of};
use crate::tasks::{record, store, successors};

/// Applies a change. Returns `None` if another request changed the task meanwhile. An event whose fields the task has already makes a
/// version as well: it records the time, so that an older event that arrives later does not count.
pub(super) async fn merge(
    batch: &mut Batch<'_>,
    before: &Task,
    change: &LegacyChange,
) -> Result<Option<Applied>, LegacyError> {
    // A row has one time for all of its fields, so it cannot tell which of them its user changed in Nudge since.
    if change.event_id == IMPORT && profile::is_reminded_here(batch.database, &before.user_id).await? {
        return Ok(Some(Applied::Unchanged));
    }
    let mut merge = Merge {
        task: before.clone(),
        named: Vec::new(),
        since: Since::read(batch.database, before.id, change).await?,
        at: milliseconds(change.at),
        context: context(),
    };
    merge.apply(batch, &change.action).await?;
    let Merge {
        mut task,
        named,
        since,
        at,
        ..
    } = merge;
    let deleted = matches!(change.action, Action::Deleted { .. });
    if task == *before && !deleted && (since.is_recorded() || named.is_empty()) {
        return Ok(Some(Applied::Unchanged));
    }
    let kind = match deleted {
        true => Change::Deleted,
        false => kind_of(before, &task),
    };
    task.advance(before.updated_at.max(at));
    let mut event = record::event(&task, kind, Some(before), &batch.cause);
    event.origin = origin(change);
    let unchanged = named.iter().map(|field| field.name().to_owned());
    let unchanged: Vec<String> = unchanged.filter(|name| !event.changed.contains(name)).collect();
    event.changed.extend(unchanged);
    if !store::update(batch.database, &task, &event, false, &Room::default()).await? {
        return Ok(None);
    }
    outbox::publish_after_response(&event);
    Ok(Some(Applied::Updated))
}

/// A task on its way to the next version.
struct Merge {
    task: Task,
    /// Fields that the change names, and that have not changed since, whether or not the task has these values already. A row names
    /// none: it has no time for each.
    named: Vec<LegacyField>,
    since: Since,
    /// The time of the change.
    at: Timestamp,
    context: Context,
}

impl Merge {
    async fn apply(&mut self, batch: &mut Batch<'_>, action: &Action) -> Result<(), LegacyError> {
        match action {
            Action::Stored { fields, reminded, .. } => {
                self.fields(batch, fields).await?;
                if *reminded {
                    self.mark_sent();
                }
            }
            Action::Updated {
                fields,
                remind_before,
                ..
            } => {
                self.named = self.fields(batch, fields).await?;
                if self.named.contains(&LegacyField::Due) {
                    self.remind(*remind_before);
                }
            }
            Action::Completed { completed_at, .. } => {
                if !self.since.changed(LegacyField::Status) {
                    self.named.push(LegacyField::Status);
                    self.task.complete(milliseconds(*completed_at));
                }
            }
            Action::Reminded { .. } => self.mark_sent(),
            Action::Deleted { .. } => self.task.cancel_reminders(),
            Action::Category { .. } | Action::Tag { .. } => {}
        }
        Ok(())
    }

    /// Changes the fields that have not changed since, and returns which these are.
    async fn fields(
        &mut self,
        batch: &mut Batch<'_>,
        fields: &LegacyFields,
    ) -> Result<Vec<LegacyField>, LegacyError> {
        let wanted = fields.given().filter(|field| !self.since.changed(*field));
        let wanted: Vec<LegacyField> = wanted.collect();
        let patch = TaskPatch {
            fields: fields::command(batch, fields, &wanted).await?,
            ..TaskPatch::default()
        };
        self.task.patch(&patch, &self.context)?;
        if wanted.contains(&LegacyField::Status) {
            match fields.status {
                Some(Status::Completed) => self.task.complete(self.at),
                Some(Status::Pending) => self.task.reopen(self.context.now),
                None => {}
            }
        }
        Ok(wanted)
    }

    /// Adds a reminder, this many minutes before the due date, to a task without reminders, unless it would never fire.
    fn remind(&mut self, minutes: Option<u32>) {
        let task = &mut self.task;
        let Some(minutes) = minutes else { return };
        if task.status == Status::Completed
            || !task.reminders.is_empty()
            || self.since.changed(LegacyField::Reminders)
        {
            return;
        }
        let when = ReminderWhen::MinutesBefore(minutes);
        let id = (self.context.new_id)().into();
        let reminder = Reminder::new(id, when, task.due.as_ref(), &task.reminders, self.context.now);
        let reminder = reminder
            .ok()
            .filter(|reminder| reminder.status == ReminderStatus::Scheduled);
        task.reminders.extend(reminder);
    }

    /// Marks the reminder as sent. The legacy system has one per task, relative to the due date.
    fn mark_sent(&mut self) {
        if self.since.changed(LegacyField::Reminders) {
            return;
        }
        for reminder in &mut self.task.reminders {
            if reminder.status == ReminderStatus::Scheduled
                && matches!(reminder.when, ReminderWhen::MinutesBefore(_))
            {
                reminder.status = ReminderStatus::Sent;
            }
        }
    }
}

/// Creates the next occurrence of a task, if it is completed and there is one.
pub(super) async fn follow(batch: &Batch<'_>, id: TaskId) -> Result<(), DbError> {
    match store::find_for_service(batch.database, id).await? {
        Some(task) if task.status == Status::Completed && task.recurrence.is_some() => {
            successors::follow(batch.database, &task, &batch.cause.followed()).await
        }
        _ => Ok(()),
    }
}
