//! Applies changes, one after the other.

use nudge_component::trace::Traceparent;
use nudge_contract::legacy::{Action, Applied, LegacyChange, LegacyResults};
use nudge_domain::id::TaskId;

use super::batch::Batch;
use super::insert::insert;
use super::merge::merge;
use super::{LegacyError, labels, numbers, waiting};
use crate::db::Database;
use crate::error::ServiceError;
use crate::tasks::labels::Kind;
use crate::tasks::store;
use crate::version::{ATTEMPTS, Thing};

/// Applies changes in their order. A change that can never be applied is refused; the others are applied all the same.
pub(crate) async fn apply(
    database: &Database,
    changes: &[LegacyChange],
    trace: &Traceparent,
) -> Result<LegacyResults, ServiceError> {
    let mut batch = Batch::new(database, trace);
    let mut results = Vec::with_capacity(changes.len());
    for change in changes {
        results.push(match apply_one(&mut batch, change).await {
            Ok(applied) => applied,
            Err(error) => Applied::Refused {
                reason: error.into_reason()?,
            },
        });
    }
    Ok(LegacyResults { results })
}

pub(super) async fn apply_one(batch: &mut Batch<'_>, change: &LegacyChange) -> Result<Applied, LegacyError> {
    match &change.action {
        Action::Category { number, name, color } => {
            labels::apply(batch, change, Kind::Category, *number, name, color.as_deref()).await
        }
        Action::Tag { number, name, color } => {
            labels::apply(batch, change, Kind::Tag, *number, name, color.as_deref()).await
        }
        Action::Stored { task, .. }
        | Action::Updated { task, .. }
        | Action::Completed { task, .. }
        | Action::Deleted { task }
        | Action::Reminded { task } => apply_to_task(batch, change, *task).await,
    }
}

async fn apply_to_task(
    batch: &mut Batch<'_>,
    change: &LegacyChange,
    number: i64,
) -> Result<Applied, LegacyError> {
    let database = batch.database;
    let id = numbers::task(database, number).await?;
    let mut kept = false;
    for _ in 0..ATTEMPTS {
        let applied = if let Some(before) = store::find(database, &change.user_id, id).await? {
            merge(batch, &before, change).await?
        } else if is_deleted(database, change, number, id).await? {
            Some(Applied::Unchanged)
        } else if matches!(change.action, Action::Stored { .. }) {
            insert(batch, change, id).await?
        } else if kept {
            return Ok(Applied::Waiting);
        } else {
            // A request that stores the task meanwhile finds the change, or is found by the next attempt.
            waiting::keep(database, number, change).await?;
            kept = true;
            None
        };
        if let Some(applied) = applied {
            // Also after a change to a task that Nudge had: changes may still wait after a run that was interrupted.
            waiting::apply_all(batch, number, id).await?;
            return Ok(applied);
        }
    }
    Err(ServiceError::contended(Thing::Task, id).into())
}

/// Whether a task that its user does not have was deleted. Nothing brings it back.
///
/// # Errors
///
/// Also if the task belongs to another user.
async fn is_deleted(
    database: &Database,
    change: &LegacyChange,
    number: i64,
    id: TaskId,
) -> Result<bool, LegacyError> {
    match store::find_for_service(database, id).await? {
        Some(task) if task.user_id != change.user_id => {
            let owner = task.user_id;
            let message = format!("task {number} belongs to user {owner}: check which of the two is right");
            Err(LegacyError::field("user_id", message))
        }
        task => Ok(task.is_some()),
    }
}
