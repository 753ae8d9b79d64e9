//! Numbers in the legacy system and ids in Nudge.

use nudge_contract::legacy::{self, FIRST_NUMBER, Numbered};
use nudge_domain::id::TaskId;
use uuid::Uuid;

use crate::db::{Database, DbError};
use crate::error::ServiceError;
use crate::tasks::labels::Kind;
use crate::tasks::{record, store};
use crate::version::{ATTEMPTS, Thing};

/// A task with its numbers in the legacy system; a task that has none gets one. Of a task that was purged only the number is left.
pub(crate) async fn numbered(database: &Database, id: TaskId) -> Result<Numbered, ServiceError> {
    let Some(task) = store::find_for_service(database, id).await? else {
        // Its owner deleted the account. The number stays, so that the legacy system can be told.
        let number = of(database, id.into()).await?;
        return Ok(Numbered {
            number: number.ok_or(ServiceError::NotFound(Thing::Task))?,
            category: None,
            tags: Vec::new(),
            task: None,
        });
    };
    let mut tags = Vec::new();
    for tag in &task.tags {
        tags.extend(of(database, (*tag).into()).await?);
    }
    let category = match task.category {
        Some(category) => of(database, category.into()).await?,
        None => None,
    };
    Ok(Numbered {
        number: assign(database, id.into()).await?,
        category,
        tags,
        task: Some(record::snapshot(&task)),
    })
}

/// The id of the task with this number: the registered one of a task that was created in Nudge, otherwise the one derived from the
/// number.
pub(super) async fn task(database: &Database, number: i64) -> Result<TaskId, DbError> {
    let registered = match number {
        FIRST_NUMBER.. => registered(database, Thing::Task, number).await?,
        _ => None,
    };
    Ok(registered.map_or_else(|| legacy::task_id(number), TaskId::from))
}

/// The id of the label with this number, which is registered for [`numbered`].
pub(super) async fn label(database: &Database, kind: Kind, number: i64) -> Result<Uuid, DbError> {
    if let Some(id) = registered(database, kind.thing(), number).await? {
        return Ok(id);
    }
    let id = match kind {
        Kind::Category => legacy::category_id(number).into(),
        Kind::Tag => legacy::tag_id(number).into(),
    };
    register(database, kind.thing(), number, id).await?;
    Ok(id)
}

async fn registered(database: &Database, kind: Thing, number: i64) -> Result<Option<Uuid>, DbError> {
    let sql = "SELECT id FROM legacy_number WHERE kind = $1 AND number = $2";
    let rows = database.query(sql, [kind.name().into(), number.into()]).await?;
    rows.first().map(|row| row.parsed(0)).transpose()
}

/// Stores the number of an id.
pub(super) async fn register(database: &Database, kind: Thing, number: i64, id: Uuid) -> Result<(), DbError> {
    let sql = "INSERT INTO legacy_number (kind, number, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    database
        .execute(sql, [kind.name().into(), number.into(), id.into()])
        .await
}

/// The number of an id, if it has one.
async fn of(database: &Database, id: Uuid) -> Result<Option<i64>, DbError> {
    let sql = "SELECT number FROM legacy_number WHERE id = $1";
    let rows = database.query(sql, [id.into()]).await?;
    rows.first().map(|row| row.int(0)).transpose()
}

/// The number of a task; the next free one, from [`FIRST_NUMBER`] on, if it has none.
async fn assign(database: &Database, id: Uuid) -> Result<i64, DbError> {
    for _ in 0..ATTEMPTS {
        if let Some(number) = of(database, id).await? {
            return Ok(number);
        }
        // Of two requests that take the same number at the same time, one tries again.
        let sql = "INSERT INTO legacy_number (kind, id, number) \
             SELECT 'task', CAST($1 AS TEXT), COALESCE(MAX(number), CAST($2 AS BIGINT) - 1) + 1 \
             FROM legacy_number WHERE kind = 'task' AND number >= CAST($2 AS BIGINT) ON CONFLICT DO NOTHING";
        database.execute(sql, [id.into(), FIRST_NUMBER.into()]).await?;
    }
    Err(DbError::Unavailable(format!(
        "other requests took the next number {ATTEMPTS} times in a row: task {id} has none"
    )))
}
