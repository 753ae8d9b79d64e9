//! Changes of reminders of many tasks, with one statement that reads and one that writes them, however many they are.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nudge_component::trace::Traceparent;
use nudge_contract::event::{Change, Delivery, TaskEvent};
use nudge_domain::id::{ReminderId, TaskId};
use nudge_domain::reminder::Reminder;
use nudge_domain::task::Task;

use super::{record, store_all};
use crate::caller::Cause;
use crate::db::{Database, DbError, milliseconds};
use crate::events::outbox;
use crate::version::ATTEMPTS;

/// Maximum number of tasks that a statement reads or writes: a few megabytes if their descriptions are as long as they may be.
const AT_ONCE: usize = 100;

/// A reminder that is to be changed.
pub(crate) struct ReminderChange {
    pub(crate) task: TaskId,
    pub(crate) reminder: ReminderId,
    /// The trace that the change belongs to.
    pub(crate) trace: Traceparent,
    /// What its event says became of the reminder, if the change changes it.
    pub(crate) delivery: Delivery,
}

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Changed {
    /// It is stored, or there was nothing to change.
    Done,
    /// The task was deleted, or the account of its owner is being deleted.
    Deleted,
    /// There is no such task.
    Unknown,
    /// Other requests changed the task at the same time, each attempt. A later one may succeed.
    Contended,
    /// The task cannot be read or stored. The text is for the log.
    Refused(String),
}

/// Reads tasks, calls `apply` with the index of each change and its reminder, if the task has it, and writes the tasks, each as a
/// change with an event. Those that other requests have changed meanwhile start again, like a change of one task. Returns what
/// became of each change.
///
/// Several changes of one task become one version.
///
/// # Errors
///
/// The database cannot be reached. What is stored by then stays stored.
pub(crate) async fn change_all(
    database: &Database,
    changes: &[ReminderChange],
    apply: impl Fn(usize, &mut Reminder),
) -> Result<Vec<Changed>, DbError> {
    let mut changes_of: BTreeMap<TaskId, Vec<usize>> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate() {
        changes_of.entry(change.task).or_default().push(index);
    }
    let mut changed = BTreeMap::new();
    let tasks: Vec<TaskId> = changes_of.keys().copied().collect();
    for tasks in tasks.chunks(AT_ONCE) {
        let mut left = tasks.to_vec();
        for _ in 0..ATTEMPTS {
            if left.is_empty() {
                break;
            }
            let attempt = attempt(database, &left, |task| {
                let indexes = changes_of.get(&task.id).into_iter().flatten();
                let mut applied = Applied::default();
                for (index, change) in indexes.filter_map(|index| Some((*index, changes.get(*index)?))) {
                    let mut reminders = task.reminders.iter_mut();
                    if let Some(reminder) = reminders.find(|reminder| reminder.id == change.reminder) {
                        let before = reminder.clone();
                        apply(index, reminder);
                        if *reminder != before {
                            applied.trace.get_or_insert(&change.trace);
                            applied.deliveries.push(change.delivery.clone());
                        }
                    }
                }
                applied
            });
            let ended = attempt.await?;
            left.retain(|task| !ended.contains_key(task));
            changed.extend(ended);
        }
    }
    let changed = changes
        .iter()
        .map(|change| changed.get(&change.task).cloned().unwrap_or(Changed::Contended));
    Ok(changed.collect())
}

/// The changes of a task that changed it.
#[derive(Default)]
struct Applied<'a> {
    /// That of the first.
    trace: Option<&'a Traceparent>,
    deliveries: Vec<Delivery>,
}

/// Changes the tasks, and returns what became of each, except those that other requests have changed meanwhile.
async fn attempt<'a>(
    database: &Database,
    tasks: &[TaskId],
    apply: impl Fn(&mut Task) -> Applied<'a>,
) -> Result<BTreeMap<TaskId, Changed>, DbError> {
    let mut found = store_all::find(database, tasks.iter().copied()).await?;
    let now = milliseconds(Timestamp::now());
    let mut ended = BTreeMap::new();
    let mut next = Vec::new();
    for id in tasks {
        let result = match found.remove(id) {
            None => Changed::Unknown,
            Some(Err(error)) => Changed::Refused(error.to_string()),
            Some(Ok((_, true))) => Changed::Deleted,
            Some(Ok((before, false))) => {
                let mut task = before.clone();
                let applied = apply(&mut task);
                if task != before {
                    task.advance(now);
                    let cause = Cause::nudge(applied.trace.cloned());
                    let event = TaskEvent {
                        deliveries: applied.deliveries,
                        ..record::event(&task, Change::Updated, Some(&before), &cause)
                    };
                    next.push((task, event));
                    continue;
                }
                Changed::Done
            }
        };
        ended.insert(*id, result);
    }
    if !next.is_empty() {
        write(database, &next, &mut ended).await?;
    }
    Ok(ended)
}

/// Writes the next versions of tasks, and notes what became of each, except of those that are at another version.
async fn write(
    database: &Database,
    next: &[(Task, TaskEvent)],
    ended: &mut BTreeMap<TaskId, Changed>,
) -> Result<(), DbError> {
    match store_all::update_reminders(database, next).await {
        Ok(stored) => note(next, &stored, ended),
        Err(error) if error.is_about_a_row() => {
            for one in next.chunks(1) {
                match store_all::update_reminders(database, one).await {
                    Ok(stored) => note(one, &stored, ended),
                    // Its account is being deleted, and the task with it.
                    Err(DbError::AccountClosing) => {
                        ended.extend(one.iter().map(|(task, _)| (task.id, Changed::Deleted)));
                    }
                    Err(error) if error.is_about_a_row() => {
                        let refused = Changed::Refused(error.to_string());
                        ended.extend(one.iter().map(|(task, _)| (task.id, refused.clone())));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Publishes the events of the tasks that are stored.
fn note(next: &[(Task, TaskEvent)], stored: &BTreeSet<TaskId>, ended: &mut BTreeMap<TaskId, Changed>) {
    for (task, event) in next.iter().filter(|(task, _)| stored.contains(&task.id)) {
        outbox::publish_after_response(event);
        ended.insert(task.id, Changed::Done);
    }
}
