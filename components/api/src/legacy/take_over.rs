//! Creates the next occurrence of tasks that were completed in the legacy system, whose own service no longer does so.

use nudge_component::trace::Traceparent;
use nudge_contract::legacy::{Action, Applied, LegacyChange};
use nudge_domain::task::{FieldName, Mistake};

use super::apply::apply_one;
use super::batch::Batch;
use super::merge::follow;
use super::{LegacyError, numbers, waiting};
use crate::db::Database;
use crate::error::ServiceError;
use crate::tasks::store;

/// Applies a completion and creates the next occurrence. A completion whose task Nudge does not have waits for the task.
pub(crate) async fn take_over(
    database: &Database,
    change: &LegacyChange,
    trace: &Traceparent,
) -> Result<(), LegacyError> {
    let mut batch = Batch::new(database, trace);
    let Action::Completed { task: number, .. } = change.action else {
        let kind = FieldName::Named("kind".to_owned());
        let mistake = Mistake::new(kind, "wrong_kind", "only a completion can be taken over");
        return Err(ServiceError::Invalid(vec![mistake]).into());
    };
    let id = numbers::task(database, number).await?;
    if apply_one(&mut batch, change).await? != Applied::Waiting {
        return Ok(follow(&batch, id).await?);
    }
    waiting::keep_taken_over(database, number, change).await?;
    match store::find_for_service(database, id).await? {
        // The request that stored it may have looked for waiting changes before this one was kept.
        Some(_) => waiting::apply_all(&mut batch, number, id).await,
        None => Ok(()),
    }
}
