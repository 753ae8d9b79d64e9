//! Categories and tags of the legacy system.
//!
//! Names that differ in case alone are one name in Nudge and two in the legacy system, so a user may have both: the
//! second is stored without the key by which names are compared.

use jiff::Timestamp;
use nudge_contract::legacy::{Applied, LegacyChange};
use nudge_domain::id::UserId;
use nudge_domain::task::{Color, FieldName, Mistake, Patch};

use super::LegacyError;
use super::batch::Batch;
use crate::db::{Database, DbError};
use crate::error::ServiceError;
use crate::profile;
use crate::tasks::labels::store::stored;
use crate::tasks::labels::{Kind, Label, LabelPatch, service, store};
use crate::version::ATTEMPTS;

/// Creates a label, or changes one whose owner the legacy system still reminds.
pub(super) async fn apply(
    batch: &mut Batch<'_>,
    change: &LegacyChange,
    kind: Kind,
    number: i64,
    name: &str,
    color: Option<&str>,
) -> Result<Applied, LegacyError> {
    let user_id = &change.user_id;
    // Creates the profile of a user who is new.
    batch.profile(user_id).await?;
    let id = batch.label(kind, number).await?;
    let patch = patch(name, color);
    for _ in 0..ATTEMPTS {
        let applied = match store::find(batch.database, kind, user_id, id).await? {
            None => insert(batch.database, user_id, &service::draft(kind, id, &patch)?, kind).await?,
            Some(before) => update(batch.database, user_id, before, &patch, kind).await?,
        };
        if let Some(applied) = applied {
            return Ok(applied);
        }
    }
    Err(ServiceError::contended(kind.thing(), id).into())
}

fn patch(name: &str, color: Option<&str>) -> LabelPatch {
    let mut unreadable = Vec::new();
    let color = match color.map(str::parse::<Color>) {
        None => Patch::Null,
        Some(Ok(color)) => Patch::Value(color),
        Some(Err(error)) => {
            let field = FieldName::Named("color".to_owned());
            unreadable.push(Mistake::new(field, error.code(), &error));
            Patch::Unreadable
        }
    };
    LabelPatch {
        name: Patch::Value(name.to_owned()),
        color,
        unreadable,
    }
}

/// Stores a label that Nudge does not have. Returns `None` if another request was faster.
async fn insert(
    database: &Database,
    user_id: &UserId,
    label: &Label,
    kind: Kind,
) -> Result<Option<Applied>, LegacyError> {
    if store::insert(database, kind, user_id, label, Timestamp::now(), None).await?
        || insert_without_key(database, kind, user_id, label).await?
    {
        return Ok(Some(Applied::Created));
    }
    match store::find(database, kind, user_id, label.id).await? {
        Some(_) => Ok(None),
        None => Err(name_taken(kind)),
    }
}

/// Changes a label. Returns `None` if another request changed it meanwhile.
async fn update(
    database: &Database,
    user_id: &UserId,
    before: Label,
    patch: &LabelPatch,
    kind: Kind,
) -> Result<Option<Applied>, LegacyError> {
    let mut label = before.clone();
    service::apply(kind, &mut label, patch, Vec::new())?;
    if label == before || profile::is_reminded_here(database, user_id).await? {
        return Ok(Some(Applied::Unchanged));
    }
    label.version += 1;
    if store::update(database, kind, user_id, &label).await?
        || update_without_key(database, kind, user_id, &label).await?
    {
        return Ok(Some(Applied::Updated));
    }
    let now = store::find(database, kind, user_id, label.id).await?;
    match now {
        Some(now) if now.version == before.version => Err(name_taken(kind)),
        _ => Ok(None),
    }
}

fn name_taken(kind: Kind) -> LegacyError {
    let kind = kind.thing().name();
    LegacyError::field(
        "name",
        format!("there is another {kind} of that name: rename one of the two"),
    )
}

/// Stores a new label, unless there is one of that id, or the user has another of exactly that name.
async fn insert_without_key(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    label: &Label,
) -> Result<bool, DbError> {
    let table = kind.table();
    let sql = format!(
        "INSERT INTO {table} (id, user_id, name, color, created_at, version, keyed_name) \
         SELECT $1, $2, $3, $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT), $3 \
         WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE user_id = $2 AND name = $3) \
         ON CONFLICT (id) DO NOTHING RETURNING id"
    );
    let parameters = [
        label.id.into(),
        user_id.into(),
        label.name.as_str().into(),
        label.color.as_str().into(),
        Timestamp::now().into(),
        label.version.into(),
    ];
    stored(database.query(&sql, parameters).await)
}

/// Stores the next version of a label, unless it is at another version, or the user has another of exactly that name.
async fn update_without_key(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    label: &Label,
) -> Result<bool, DbError> {
    let table = kind.table();
    let sql = format!(
        "UPDATE {table} SET name = $3, color = $4, version = $5, name_key = CASE WHEN name = $3 THEN name_key END, \
         keyed_name = CASE WHEN name = $3 THEN keyed_name ELSE $3 END WHERE id = $1 AND user_id = $2 AND version + 1 = $5 \
         AND NOT EXISTS (SELECT 1 FROM {table} AS other WHERE other.user_id = $2 AND other.name = $3 AND other.id <> $1) \
         RETURNING id"
    );
    let parameters = [
        label.id.into(),
        user_id.into(),
        label.name.as_str().into(),
        label.color.as_str().into(),
        label.version.into(),
    ];
    stored(database.query(&sql, parameters).await)
}
