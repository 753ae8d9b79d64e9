//! What Nudge has of a task that a change is about.

use nudge_contract::legacy::LegacyChange;
use nudge_domain::id::TaskId;
use nudge_domain::task::Task;

use super::LegacyError;
use crate::db::Database;
use crate::tasks::store;

/// What Nudge has of a task.
pub(super) enum Found {
    Task(Box<Task>),
    /// Nothing brings it back.
    Deleted,
    Nothing,
}

/// Looks for the task of a change, with one statement: by two, a task that is stored in between would be missing for the first, and
/// for the second not missing, as if it was deleted.
///
/// # Errors
///
/// Also if the task belongs to another user.
pub(super) async fn find(
    database: &Database,
    change: &LegacyChange,
    number: i64,
    id: TaskId,
) -> Result<Found, LegacyError> {
    match store::find_with_deletion(database, id).await? {
        None => Ok(Found::Nothing),
        Some((task, _)) if task.user_id != change.user_id => {
            let owner = task.user_id;
            let message = format!("task {number} belongs to user {owner}: check which of the two is right");
            Err(LegacyError::field("user_id", message))
        }
        Some((_, true)) => Ok(Found::Deleted),
        Some((task, false)) => Ok(Found::Task(Box::new(task))),
    }
}
