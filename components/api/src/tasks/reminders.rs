//! One reminder of a task at a time. Each change is a change of the task.

use nudge_domain::id::{ReminderId, TaskId};
use nudge_domain::reminder::Reminder;
use nudge_domain::task::{ReminderEdit, ReminderTime, Task};
use uuid::Uuid;

use crate::caller::Caller;
use crate::error::ServiceError;
use crate::tasks::service;
use crate::version::{Conditions, Thing};

/// Changes one reminder of a task, and returns the task.
pub(crate) async fn edit(
    caller: &Caller,
    task: TaskId,
    reminder: ReminderId,
    expected: &Conditions,
    edit: &ReminderEdit,
) -> Result<Task, ServiceError> {
    let edited = service::change_remembered(caller, task, expected, |task, context| {
        Ok(task.edit_reminder(reminder, edit, context)?)
    })
    .await;
    match edited {
        // A reminder that does not exist is not found, whatever is expected of it (RFC 9110, section 13.2.1).
        Err(ServiceError::Mismatch(mismatch)) if !matches!(edit, ReminderEdit::Add(_)) => {
            find(&service::read(caller, task).await?, reminder)?;
            Err(mismatch.into())
        }
        edited => edited,
    }
}

/// A reminder of a task.
pub(crate) fn find(task: &Task, id: ReminderId) -> Result<&Reminder, ServiceError> {
    task.reminder(id).ok_or(ServiceError::NotFound(Thing::Reminder))
}

/// Sets a reminder: a new one, unless one is armed for that time already. Returns the task and the id of the reminder.
pub(crate) async fn set(
    caller: &Caller,
    task: TaskId,
    time: &ReminderTime,
) -> Result<(Task, ReminderId), ServiceError> {
    let new = ReminderId::from(Uuid::now_v7());
    let mut set = new;
    let task = service::change_remembered(caller, task, &Conditions::NONE, |task, context| {
        set = task.set_reminder(new, time, context)?;
        Ok(())
    })
    .await?;
    Ok((task, set))
}
