//! A task of the legacy system that is new to Nudge.

use nudge_contract::event::Change;
use nudge_contract::legacy::{Action, Applied, LegacyChange, LegacyField};
use nudge_domain::id::TaskId;
use nudge_domain::task::{NewTask, Owner, Status, Task};

use super::batch::{Batch, origin};
use super::{LegacyError, fields, numbers};
use crate::db::milliseconds;
use crate::events::outbox;
use crate::tasks::service::context;
use crate::tasks::{record, store};
use crate::version::Thing;

/// Stores a task that Nudge does not have. Returns `None` if another request was faster.
pub(super) async fn insert(
    batch: &mut Batch<'_>,
    change: &LegacyChange,
    id: TaskId,
) -> Result<Option<Applied>, LegacyError> {
    let Action::Stored {
        task: number,
        created_at,
        fields,
        reminded,
        remind_before,
    } = &change.action
    else {
        return Ok(None);
    };
    let given: Vec<LegacyField> = fields.given().collect();
    let new = NewTask {
        fields: fields::command(batch, fields, &given).await?,
    };
    let profile = batch.profile(&change.user_id).await?;
    let owner = Owner {
        default_reminder: match reminded {
            true => None,
            false => remind_before.or(profile.default_reminder),
        },
        ..profile.owner()
    };
    let at = milliseconds(change.at);
    let mut task = Task::create(id, owner, &new, &context())?;
    task.created_at = created_at.map_or(at, |created_at| milliseconds(created_at).min(at));
    task.updated_at = at;
    if fields.status == Some(Status::Completed) {
        task.complete(at);
    }
    let mut event = record::event(&task, Change::Created, None, &batch.cause);
    event.origin = origin(change);
    numbers::register(batch.database, Thing::Task, *number, id.into()).await?;
    if !store::insert(batch.database, &task, &event).await? {
        return Ok(None);
    }
    outbox::publish_after_response(&event);
    Ok(Some(Applied::Created))
}
