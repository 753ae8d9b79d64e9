//! Categories and tags: a name and a colour of a user's own. Alike but for the length of the name.

use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::problem::FieldError;
use nudge_domain::characters::name_key;
use nudge_domain::task::{CategoryName, Color, TagName};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::db::{Database, DbError, Dialect, Row, Value};
use crate::input::conditions::etag;
use crate::input::fields::{Field, Fields};

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Category,
    Tag,
}

impl Kind {
    /// Name of the table, and of the thing in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Tag => "tag",
        }
    }

    /// Path of the collection.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Category => "/api/v1/categories",
            Self::Tag => "/api/v1/tags",
        }
    }
}

/// A category or a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Label {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) color: String,
    /// Tasks that are in the category, or tagged with the tag.
    task_count: u32,
    /// One more with every change, from 1.
    pub(crate) version: u32,
}

impl Label {
    /// Its entity tag: the version and, if it is in use, the number of tasks, since the answer shows both.
    pub(crate) fn etag(&self) -> String {
        match self.task_count {
            0 => etag(self.version),
            count => format!("\"{}-{count}\"", self.version),
        }
    }
}

const DEFAULT_COLOR: &str = "#6b7280";

/// Changes a label by a body; a new one starts empty. Its version stays.
pub(crate) fn apply(
    kind: Kind,
    label: Option<Label>,
    body: Map<String, Json>,
    id: Uuid,
) -> Result<Label, Problem> {
    let new = label.is_none();
    let mut label = label.unwrap_or(Label {
        id,
        name: String::new(),
        color: DEFAULT_COLOR.to_owned(),
        task_count: 0,
        version: 1,
    });
    let mut fields = Fields::new(body);
    let name = match kind {
        Kind::Category => fields.changed::<CategoryName>("name", &label.name, |error| error.code()),
        Kind::Tag => fields.changed::<TagName>("name", &label.name, |error| error.code()),
    };
    match name {
        Field::Value(name) => label.name = name,
        Field::Absent if !new || !fields.errors.is_empty() => {}
        Field::Absent | Field::Null => {
            fields.error("name", "required", format!("a {} needs a name", kind.name()))
        }
    }
    match fields.parsed::<Color>("color", |error| error.code()) {
        Field::Value(color) => label.color = color.into(),
        Field::Null => label.color = DEFAULT_COLOR.to_owned(),
        Field::Absent => {}
    }
    fields.finish()?;
    Ok(label)
}

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

/// A user's labels, by name: by its bytes, whatever PostgreSQL's locale.
pub(crate) async fn list(database: &Database, kind: Kind, user_id: &str) -> Result<Vec<Label>, DbError> {
    let name = match database.dialect() {
        Dialect::Sqlite => "name",
        Dialect::Postgres => "name COLLATE \"C\"",
    };
    let sql = format!(
        "SELECT {} FROM {} WHERE user_id = $1 ORDER BY {name}, id",
        columns(kind),
        kind.name()
    );
    database
        .query(&sql, [user_id.into()])
        .await?
        .iter()
        .map(read)
        .collect()
}

/// One of a user's labels.
pub(crate) async fn find(
    database: &Database,
    kind: Kind,
    user_id: &str,
    id: Uuid,
) -> Result<Option<Label>, DbError> {
    let sql = format!(
        "SELECT {} FROM {} WHERE id = $1 AND user_id = $2",
        columns(kind),
        kind.name()
    );
    database
        .query(&sql, [id.into(), user_id.into()])
        .await?
        .first()
        .map(read)
        .transpose()
}

/// Which other labels of a user have the name of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// Those whose name looks the same, see [`name_key`].
    Alike,
    /// Those of the same characters: what is carried over from another system, which told more apart.
    Equal,
}

impl Names {
    fn key(self, name: &str) -> Value {
        match self {
            Self::Alike => name_key(name).into(),
            Self::Equal => Value::Null,
        }
    }
}

/// Stores a new label. Returns `false` if there is one of that id, or if the user has another of that name.
pub(crate) async fn insert(
    database: &Database,
    kind: Kind,
    user_id: &str,
    label: &Label,
    names: Names,
    now: Timestamp,
) -> Result<bool, DbError> {
    let table = kind.name();
    let sql = format!(
        "INSERT INTO {table} (id, user_id, name, color, created_at, version, name_key, keyed_name) \
         SELECT $1, $2, $3, $4, CAST($5 AS BIGINT), CAST($6 AS BIGINT), CAST($7 AS TEXT), $3 \
         WHERE NOT EXISTS (SELECT 1 FROM {table} WHERE user_id = $2 AND name = $3) \
         AND NOT EXISTS (SELECT 1 FROM {table} WHERE user_id = $2 AND name_key = $7) \
         ON CONFLICT (id) DO NOTHING RETURNING id"
    );
    let parameters = [
        label.id.into(),
        user_id.into(),
        label.name.as_str().into(),
        label.color.as_str().into(),
        now.into(),
        label.version.into(),
        names.key(&label.name),
    ];
    stored(database.query(&sql, parameters).await)
}

/// Stores the next version of a label, if it is still at the version before. Returns `false` if it is not, if it is gone, or
/// if the user has another of that name. A name that does not change is never a conflict.
pub(crate) async fn update(
    database: &Database,
    kind: Kind,
    user_id: &str,
    label: &Label,
    names: Names,
) -> Result<bool, DbError> {
    let table = kind.name();
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
        names.key(&label.name),
    ];
    stored(database.query(&sql, parameters).await)
}

/// Whether a row was stored. Two requests at the same time that store the same name get an error on PostgreSQL: neither
/// sees the other's row.
fn stored(rows: Result<Vec<Row>, DbError>) -> Result<bool, DbError> {
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
    user_id: &str,
    id: Uuid,
    version: Option<u32>,
) -> Result<bool, DbError> {
    let mut sql = format!("DELETE FROM {} WHERE id = $1 AND user_id = $2", kind.name());
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
    user_id: &str,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<String> = (2..ids.len() + 2).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT id FROM {} WHERE user_id = $1 AND id IN ({})",
        kind.name(),
        places.join(", ")
    );
    let mut parameters: Vec<Value> = vec![user_id.into()];
    parameters.extend(ids.iter().map(|id| Value::from(*id)));
    let rows = database.query(&sql, parameters).await?;
    rows.iter().map(|row| row.parsed(0)).collect()
}

/// Refuses ids that are not the user's.
pub(crate) async fn check(
    database: &Database,
    user_id: &str,
    category: Option<Uuid>,
    tags: &[Uuid],
) -> Result<(), Problem> {
    let mut errors = Vec::new();
    if let Some(id) = category
        && known(database, Kind::Category, user_id, &[id]).await?.is_empty()
    {
        errors.push(unknown("categoryId".to_owned(), Kind::Category));
    }
    let found = known(database, Kind::Tag, user_id, tags).await?;
    let missing = tags.iter().enumerate().filter(|(_, id)| !found.contains(id));
    errors.extend(missing.map(|(index, _)| unknown(format!("tagIds[{index}]"), Kind::Tag)));
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Problem::invalid(errors))
    }
}

fn unknown(field: String, kind: Kind) -> FieldError {
    let message = format!(
        "you have no such {}: create it first at {}",
        kind.name(),
        kind.path()
    );
    FieldError {
        field,
        code: format!("unknown_{}", kind.name()),
        message,
    }
}
