//! Applies changes, one after the other.

use nudge_component::trace::Traceparent;
use nudge_contract::legacy::{Action, Applied, LegacyChange, LegacyResults};

use super::batch::Batch;
use super::found::{Found, find};
use super::insert::insert;
use super::merge::merge;
use super::{LegacyError, labels, numbers, waiting};
use crate::db::Database;
use crate::error::ServiceError;
use crate::tasks::labels::Kind;
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
        let applied = match find(database, change, number, id).await? {
            Found::Task(before) => merge(batch, &before, change).await?,
            Found::Deleted => Some(Applied::Unchanged),
            Found::Nothing if matches!(change.action, Action::Stored { .. }) => {
                insert(batch, change, id).await?
            }
            Found::Nothing if kept => return Ok(Applied::Waiting),
            Found::Nothing => {
                // A request that stores the task meanwhile finds the change, or is found by the next attempt.
                waiting::keep(database, number, change).await?;
                kept = true;
                None
            }
        };
        if let Some(applied) = applied {
            // Also after a change to a task that Nudge had: changes may still wait after a run that was interrupted.
            waiting::apply_all(batch, number, id).await?;
            return Ok(applied);
        }
    }
    Err(ServiceError::contended(Thing::Task, id).into())
}
