//! The database: SQLite, or PostgreSQL if the variable `database_url` is set.
//!
//! Statements are written once, with `$1`, `$2` … for parameters. Nothing here opens a transaction: Spin shares one SQLite
//! connection between all instances, so it would include statements of other requests. Changes that belong together are one
//! statement.

mod column;
mod dialect;
pub(crate) mod rows;

use spin_sdk::pg::{self, DbValue, ParameterValue, PgError, QueryError};
use spin_sdk::sqlite;

pub(crate) use column::{Column, Json};
pub(crate) use dialect::{Dialect, PRIORITY, title};

/// A parameter, or a column of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Int(i64),
    Text(String),
    Null,
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<uuid::Uuid> for Value {
    fn from(value: uuid::Uuid) -> Self {
        Self::Text(value.to_string())
    }
}

impl From<jiff::Timestamp> for Value {
    fn from(value: jiff::Timestamp) -> Self {
        Self::Int(value.as_millisecond())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Why a statement failed. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    /// The database is unavailable or busy: a later attempt may succeed.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The database refused the statement.
    #[error("the database refused a statement: {0}")]
    Refused(String),
    /// Another row has that value already.
    #[error("the database has that already: {0}")]
    Conflict(String),
    /// The rows would belong to an account that is being deleted.
    #[error("the account is being deleted")]
    AccountClosing,
    /// The database contains a value that this program would not have written.
    #[error("the database holds a value that cannot be read: {0}")]
    Unreadable(String),
}

impl DbError {
    /// Whether a statement about many rows failed because of one of them: it may succeed for the others alone.
    pub(crate) fn is_about_a_row(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Conflict(_) | Self::AccountClosing => true,
            Self::Unavailable(_) | Self::Unreadable(_) => false,
        }
    }
}

/// A row of a result; columns by position.
#[derive(Debug)]
pub(crate) struct Row(Vec<Value>);

impl Row {
    /// A row as a statement would return it.
    #[cfg(fuzzing)]
    pub(crate) fn of(values: Vec<Value>) -> Self {
        Self(values)
    }

    fn value(&self, column: usize) -> Result<&Value, DbError> {
        self.0
            .get(column)
            .ok_or_else(|| DbError::Unreadable(format!("there is no column {column}")))
    }

    pub(crate) fn int(&self, column: usize) -> Result<i64, DbError> {
        match self.value(column)? {
            Value::Int(value) => Ok(*value),
            other => Err(DbError::Unreadable(format!(
                "column {column} is {other:?}, not a number"
            ))),
        }
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str, DbError> {
        match self.value(column)? {
            Value::Text(value) => Ok(value),
            other => Err(DbError::Unreadable(format!(
                "column {column} is {other:?}, not text"
            ))),
        }
    }

    pub(crate) fn is_null(&self, column: usize) -> Result<bool, DbError> {
        Ok(*self.value(column)? == Value::Null)
    }

    pub(crate) fn maybe_int(&self, column: usize) -> Result<Option<i64>, DbError> {
        match self.is_null(column)? {
            true => Ok(None),
            false => self.int(column).map(Some),
        }
    }

    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<&str>, DbError> {
        match self.is_null(column)? {
            true => Ok(None),
            false => self.text(column).map(Some),
        }
    }

    /// An instant, which is stored in milliseconds.
    pub(crate) fn instant(&self, column: usize) -> Result<jiff::Timestamp, DbError> {
        instant(self.int(column)?)
    }

    /// A string that represents a value of another type.
    pub(crate) fn parsed<T>(&self, column: usize) -> Result<T, DbError>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        let text = self.text(column)?;
        text.parse()
            .map_err(|error| DbError::Unreadable(format!("column {column}: {error}")))
    }
}

/// An instant from the milliseconds that are stored.
pub(crate) fn instant(milliseconds: i64) -> Result<jiff::Timestamp, DbError> {
    jiff::Timestamp::from_millisecond(milliseconds).map_err(|error| DbError::Unreadable(error.to_string()))
}

/// An instant with the resolution that is stored.
pub(crate) fn milliseconds(at: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// How triggers refuse rows of an account that is being deleted: see account/erasure.rs.
const ACCOUNT_CLOSING: &str = "account_leaving";

/// An open database.
pub(crate) enum Database {
    Sqlite(sqlite::Connection),
    Postgres(pg::Connection),
}

impl Database {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            Self::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The result of a statement that counts rows.
    pub(crate) async fn count(&self, sql: &str) -> Result<u32, DbError> {
        let rows = self.query(sql, []).await?;
        let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    /// Runs a statement that returns rows.
    pub(crate) async fn query(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<Row>, DbError> {
        match self {
            Self::Sqlite(connection) => {
                let parameters = parameters.into_iter().map(to_sqlite);
                let result = connection.execute(numbered(sql), parameters).await?;
                let rows = result.collect().await?;
                rows.into_iter()
                    .map(|row| {
                        row.values
                            .into_iter()
                            .map(of_sqlite)
                            .collect::<Result<_, _>>()
                            .map(Row)
                    })
                    .collect()
            }
            Self::Postgres(connection) => {
                let parameters: Vec<_> = parameters.into_iter().map(to_postgres).collect();
                let mut result = connection.query(sql, parameters).await.map_err(DbError::from)?;
                let mut rows = Vec::new();
                while let Some(row) = result.rows().next().await {
                    rows.push(
                        row.into_iter()
                            .map(of_postgres)
                            .collect::<Result<_, _>>()
                            .map(Row)?,
                    );
                }
                result.result().await.map_err(DbError::from)?;
                Ok(rows)
            }
        }
    }

    /// Runs a statement that stores at most one row, without `RETURNING`. Returns whether it did.
    pub(crate) async fn store(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<bool, DbError> {
        match self {
            // Requests share the connection, so `changes` could be about the statement of another.
            Self::Sqlite(_) => Ok(!self
                .query(&format!("{sql} RETURNING 1"), parameters)
                .await?
                .is_empty()),
            // One host call. A result with rows is a call for the stream, for each row, for the end and for the outcome.
            Self::Postgres(connection) => {
                let parameters: Vec<_> = parameters.into_iter().map(to_postgres).collect();
                let rows = connection.execute(sql, parameters).await.map_err(DbError::from)?;
                Ok(rows > 0)
            }
        }
    }

    /// Runs a statement that returns nothing.
    pub(crate) async fn execute(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<(), DbError> {
        match self {
            Self::Sqlite(_) => self.query(sql, parameters).await.map(|_| ()),
            Self::Postgres(connection) => {
                let parameters: Vec<_> = parameters.into_iter().map(to_postgres).collect();
                connection
                    .execute(sql, parameters)
                    .await
                    .map(|_| ())
                    .map_err(DbError::from)
            }
        }
    }
}

/// SQLite numbers parameters with `?1`; `$1` would be a name there. No statement here has another `$`.
fn numbered(sql: &str) -> String {
    sql.replace('$', "?")
}

fn to_sqlite(value: Value) -> sqlite::Value {
    match value {
        Value::Int(value) => sqlite::Value::Integer(value),
        Value::Text(value) => sqlite::Value::Text(value),
        Value::Null => sqlite::Value::Null,
    }
}

fn of_sqlite(value: sqlite::Value) -> Result<Value, DbError> {
    match value {
        sqlite::Value::Integer(value) => Ok(Value::Int(value)),
        sqlite::Value::Text(value) => Ok(Value::Text(value)),
        sqlite::Value::Null => Ok(Value::Null),
        other => Err(DbError::Unreadable(format!(
            "{other:?} is neither a number nor text"
        ))),
    }
}

fn to_postgres(value: Value) -> ParameterValue {
    match value {
        Value::Int(value) => ParameterValue::Int64(value),
        Value::Text(value) => ParameterValue::Str(value),
        Value::Null => ParameterValue::DbNull,
    }
}

fn of_postgres(value: DbValue) -> Result<Value, DbError> {
    match value {
        DbValue::Int64(value) => Ok(Value::Int(value)),
        DbValue::Int32(value) => Ok(Value::Int(value.into())),
        DbValue::Str(value) => Ok(Value::Text(value)),
        DbValue::DbNull => Ok(Value::Null),
        other => Err(DbError::Unreadable(format!(
            "{other:?} is neither a number nor text"
        ))),
    }
}

impl From<sqlite::Error> for DbError {
    fn from(error: sqlite::Error) -> Self {
        match error {
            // SQLITE_BUSY, SQLITE_LOCKED and SQLITE_FULL in words: https://sqlite.org/rescode.html
            sqlite::Error::Io(message) if message.contains("locked") || message.contains("busy") => {
                DbError::Unavailable(message)
            }
            sqlite::Error::Io(message) if message.contains(ACCOUNT_CLOSING) => DbError::AccountClosing,
            sqlite::Error::Io(message) if message.contains("UNIQUE constraint failed") => {
                DbError::Conflict(message)
            }
            sqlite::Error::Io(message) => DbError::Refused(message),
            sqlite::Error::DatabaseFull => DbError::Unavailable("the disk is full".to_owned()),
            other => DbError::Unavailable(format!("{other:?}")),
        }
    }
}

impl From<pg::Error> for DbError {
    fn from(error: pg::Error) -> Self {
        let error = match error {
            pg::Error::PgError(error) => error,
            pg::Error::Decode(message) => return DbError::Unreadable(message),
        };
        match error {
            PgError::QueryFailed(QueryError::DbError(error)) => {
                // Class 08 connection, 40 rollback, 53 resources, 57 operator intervention:
                // https://www.postgresql.org/docs/current/errcodes-appendix.html
                // and 23505, unique_violation.
                if error.message == ACCOUNT_CLOSING {
                    DbError::AccountClosing
                } else if error.code == "23505" {
                    DbError::Conflict(error.as_text)
                } else if ["08", "40", "53", "57"]
                    .iter()
                    .any(|class| error.code.starts_with(class))
                {
                    DbError::Unavailable(error.as_text)
                } else {
                    DbError::Refused(error.as_text)
                }
            }
            PgError::ConnectionFailed(message)
            | PgError::QueryFailed(QueryError::Text(message))
            | PgError::Other(message) => DbError::Unavailable(message),
            PgError::BadParameter(message) | PgError::ValueConversionFailed(message) => {
                DbError::Refused(message)
            }
        }
    }
}
