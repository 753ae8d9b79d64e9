//! The statements on categories and tags.

use jiff::Timestamp;
use nudge_domain::characters::name_key;
use nudge_domain::id::UserId;
use uuid::Uuid;

use super::{Cursor, Kind, Label, LabelId};
use crate::db::{Database, DbError, Dialect, Row, Value};

fn read(row: &Row) -> Result<Label, DbError> {
    let number = |column| {
        let value = row.int(column)?;
        u32::try_from(value).map_err(|error| DbError::Unreadable(format!("column {column}: {error}")))
    };
    Ok(Label {
        id: row.parsed(0)?,
        name: row.text(1)?.to_owned(),
        color: row.text(2)?.to_owned(),
        version: number(3)?,
        task_count: number(4)?,
    })
}

/// The columns of [`read`].
fn columns(kind: Kind) -> &'static str {
    match kind {
        Kind::Category => {
            "id, name, color, version, \
             (SELECT COUNT(*) FROM task WHERE task.category_id = category.id AND task.deleted_at IS NULL)"
        }
        Kind::Tag => {
            "id, name, color, version, (SELECT COUNT(*) FROM task_tag WHERE task_tag.tag_id = tag.id)"
        }
    }
}

/// Some of a user's labels after a position and `offset` more, by name: by its bytes, whatever PostgreSQL's locale.
pub(super) async fn list(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    after: &Cursor,
    offset: u32,
    limit: u32,
) -> Result<Vec<Label>, DbError> {
    let name = match database.dialect() {
        Dialect::Sqlite => "name",
        Dialect::Postgres => "name COLLATE \"C\"",
    };
    let sql = format!(
        "SELECT {} FROM {} WHERE user_id = $1 AND ({name}, id) > ($2, $3) ORDER BY {name}, id LIMIT $4 OFFSET $5",
        columns(kind),
        kind.table()
    );
    let parameters = [
        user_id.into(),
        after.name.as_str().into(),
        after.id.as_str().into(),
        limit.into(),
        offset.into(),
    ];
    database.query(&sql, parameters).await?.iter().map(read).collect()
}

/// One of a user's labels.
pub(crate) async fn find(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    id: Uuid,
) -> Result<Option<Label>, DbError> {
    let sql = format!(
        "SELECT {} FROM {} WHERE id = $1 AND user_id = $2",
        columns(kind),
        kind.table()
    );
    database
        .query(&sql, [id.into(), user_id.into()])
        .await?
        .first()
        .map(read)
        .transpose()
}

/// Stores a new label. Returns `false` if there is one of that id, if the user has another whose name looks the same, see
/// [`name_key`], or if they have `most` already.
pub(crate) async fn insert(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    label: &Label,
    now: Timestamp,
    most: Option<u32>,
) -> Result<bool, DbError> {
    let table = kind.table();
    let room = match most {
        Some(_) => format!(" AND NOT EXISTS (SELECT 1 FROM {table} WHERE user_id = $2 LIMIT 1 OFFSET $8)"),
        None => String::new(),
    };
    let sql = format!(
        "INSERT INTO {table} (id, user_id, name, color, created_at, version, name_key, keyed_name) \
         SELECT $1, $2, $3, $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS TEXT), $3 \
         WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE user_id = $2 AND name = $3) \
         AND NOT EXISTS (SELECT 1 FROM {table} WHERE user_id = $2 AND name_key = $7){room} \
         ON CONFLICT (id) DO NOTHING RETURNING id"
    );
    let mut parameters: Vec<Value> = vec![
        label.id.into(),
        user_id.into(),
        label.name.as_str().into(),
        label.color.as_str().into(),
        now.into(),
        label.version.into(),
        name_key(&label.name).into(),
    ];
    // The last that there may be is not there yet.
    parameters.extend(most.map(|most| Value::from(most.saturating_sub(1))));
    stored(database.query(&sql, parameters).await)
}

/// Whether a user has a label whose name looks like this one.
pub(crate) async fn is_name_taken(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    name: &str,
) -> Result<bool, DbError> {
    let table = kind.table();
    let sql = format!(
        "SELECT 1 FROM {table} WHERE user_id = $1 AND name = $2 UNION ALL SELECT 1 FROM {table} WHERE user_id = $1 AND name_key = $3"
    );
    let parameters = [user_id.into(), name.into(), name_key(name).into()];
    Ok(!database.query(&sql, parameters).await?.is_empty())
}

/// Stores the next version of a label, if it is still at the version before. Returns `false` if it is not, if it is gone, or
/// if the user has another of that name. A name that does not change is never a conflict.
pub(crate) async fn update(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    label: &Label,
) -> Result<bool, DbError> {
    let table = kind.table();
    let sql = format!(
        "UPDATE {table} SET name = $3, color = $4, version = $5, name_key = CASE WHEN name = $3 THEN name_key ELSE $6 END, \
         keyed_name = CASE WHEN name = $3 THEN keyed_name ELSE $3 END \
         WHERE id = $1 AND user_id = $2 AND version + 1 = $5 \
         AND NOT EXISTS (SELECT 1 FROM {table} AS other WHERE other.user_id = $2 AND other.name = $3 AND other.id <> $1) \
         AND (name = $3 OR NOT EXISTS (SELECT 1 FROM {table} AS alike WHERE alike.user_id = $2 AND alike.name_key = $6 AND alike.id <> $1)) \
         RETURNING id"
    );
    let parameters = [
        label.id.into(),
        user_id.into(),
        label.name.as_str().into(),
        label.color.as_str().into(),
        label.version.into(),
        name_key(&label.name).into(),
    ];
    stored(database.query(&sql, parameters).await)
}

/// Whether a row was stored. Two requests at the same time that store the same name get an error on PostgreSQL: neither
/// sees the other's row.
pub(crate) fn stored(rows: Result<Vec<Row>, DbError>) -> Result<bool, DbError> {
    match rows {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(DbError::Conflict(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a label, of this version if one is given. Returns `false` if there is none.
pub(crate) async fn delete(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    id: Uuid,
    version: Option<u32>,
) -> Result<bool, DbError> {
    let mut sql = format!("DELETE FROM {} WHERE id = $1 AND user_id = $2", kind.table());
    let mut parameters: Vec<Value> = vec![id.into(), user_id.into()];
    if let Some(version) = version {
        sql.push_str(" AND version = $3");
        parameters.push(version.into());
    }
    sql.push_str(" RETURNING id");
    Ok(!database.query(&sql, parameters).await?.is_empty())
}

/// Which of these ids are a user's labels. Nothing is counted, unlike in [`find`].
pub(crate) async fn known(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (2..ids.len() + 2).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT id FROM {} WHERE user_id = $1 AND id IN ({})",
        kind.table(),
        places.join(", ")
    );
    let mut parameters: Vec<Value> = vec![user_id.into()];
    parameters.extend(ids.iter().map(|id| Value::from(*id)));
    let rows = database.query(&sql, parameters).await?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

/// Ids and names of a user's labels, in no order. Nothing is counted, unlike in [`list`].
pub(crate) async fn names(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
) -> Result<Vec<(Uuid, String)>, DbError> {
    let sql = format!("SELECT id, name FROM {} WHERE user_id = $1", kind.table());
    let rows = database.query(&sql, [user_id.into()]).await?;
    rows.iter()
        .map(|row| Ok((row.parsed(0)?, row.text(1)?.to_owned())))
        .collect()
}

/// Whether a label is the user's.
pub(crate) async fn exists(database: &Database, user_id: &UserId, label: LabelId) -> Result<bool, DbError> {
    let known = known(database, label.kind(), user_id, &[label.uuid()]).await?;
    Ok(!known.is_empty())
}
