//! PostgreSQL: a pool per address, as on the spin host, and statements that each connection prepares once.
//!
//! Parameters and columns are those that Nudge has: numbers, texts, truth and NULL.

#![allow(clippy::result_large_err)] // The real error carries the server's whole answer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::vec::IntoIter;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Config, NoTls, Row};

pub use real::pg::{DbError, DbValue, Error, ParameterValue, PgError, QueryError};

/// Connections per address.
const CONNECTIONS: usize = 64;

static POOLS: Mutex<BTreeMap<String, Pool>> = Mutex::new(BTreeMap::new());

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A connection of the pool until it is dropped.
pub struct Connection(Box<Object>);

/// What a statement answered.
#[derive(Debug)]
pub struct QueryResult(Rows);

/// The rows of a result.
#[derive(Debug)]
pub struct Rows(IntoIter<Vec<DbValue>>);

impl Rows {
    /// The next row.
    pub async fn next(&mut self) -> Option<Vec<DbValue>> {
        self.0.next()
    }
}

impl QueryResult {
    /// The rows that were not taken yet.
    pub fn rows(&mut self) -> &mut Rows {
        &mut self.0
    }

    /// How it ended.
    ///
    /// # Errors
    ///
    /// None: the rows are read already.
    pub async fn result(self) -> Result<(), Error> {
        Ok(())
    }
}

impl Connection {
    /// Takes a connection of the pool.
    ///
    /// # Errors
    ///
    /// The address is invalid, or no server answers.
    pub async fn open(address: impl Into<String>) -> Result<Self, Error> {
        let pool = pool(address.into())?;
        Ok(Self(Box::new(pool.get().await.map_err(|error| failed(&error))?)))
    }

    /// Runs a statement that answers rows.
    ///
    /// # Errors
    ///
    /// What PostgreSQL says, and values of other types.
    pub async fn query(
        &self,
        statement: impl Into<String>,
        parameters: impl Into<Vec<ParameterValue>>,
    ) -> Result<QueryResult, Error> {
        let statement = self.0.prepare_cached(&statement.into()).await.map_err(refused)?;
        let parameters = to_sql(parameters.into())?;
        let rows = self
            .0
            .query(&statement, &borrowed(&parameters))
            .await
            .map_err(refused)?;
        let rows = rows
            .iter()
            .map(|row| (0..row.len()).map(|column| from_row(row, column)).collect())
            .collect::<Result<Vec<Vec<DbValue>>, _>>()?;
        Ok(QueryResult(Rows(rows.into_iter())))
    }

    /// Runs a statement, and says how many rows it changed.
    ///
    /// # Errors
    ///
    /// What PostgreSQL says, and values of other types.
    pub async fn execute(
        &self,
        statement: impl Into<String>,
        parameters: impl Into<Vec<ParameterValue>>,
    ) -> Result<u64, Error> {
        let statement = self.0.prepare_cached(&statement.into()).await.map_err(refused)?;
        let parameters = to_sql(parameters.into())?;
        self.0
            .execute(&statement, &borrowed(&parameters))
            .await
            .map_err(refused)
    }
}

fn pool(address: String) -> Result<Pool, Error> {
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = pools.get(&address) {
        return Ok(pool.clone());
    }
    let config: Config = address.parse().map_err(|error| failed(&error))?;
    let recycling_method = RecyclingMethod::Fast;
    let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method });
    let pool = Pool::builder(manager)
        .max_size(CONNECTIONS)
        .build()
        .map_err(|error| failed(&error))?;
    pools.insert(address, pool.clone());
    Ok(pool)
}

/// NULL, whatever the type of the parameter.
#[derive(Debug)]
struct Null;

impl ToSql for Null {
    fn to_sql(&self, _: &Type, _: &mut BytesMut) -> Result<IsNull, BoxError> {
        Ok(IsNull::Yes)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

type Parameter = Box<dyn ToSql + Sync + Send>;

fn to_sql(values: Vec<ParameterValue>) -> Result<Vec<Parameter>, Error> {
    let one = |value| -> Result<Parameter, Error> {
        Ok(match value {
            ParameterValue::Boolean(value) => Box::new(value),
            ParameterValue::Int32(value) => Box::new(value),
            ParameterValue::Int64(value) => Box::new(value),
            ParameterValue::Str(value) => Box::new(value),
            ParameterValue::DbNull => Box::new(Null),
            other => {
                let text = format!("{other:?} is of a type that Nudge's statements do not have");
                return Err(PgError::BadParameter(text).into());
            }
        })
    };
    values.into_iter().map(one).collect()
}

fn borrowed(parameters: &[Parameter]) -> Vec<&(dyn ToSql + Sync)> {
    parameters
        .iter()
        .map(|parameter| &**parameter as &(dyn ToSql + Sync))
        .collect()
}

fn from_row(row: &Row, index: usize) -> Result<DbValue, Error> {
    let Some(column) = row.columns().get(index) else {
        return Ok(DbValue::DbNull);
    };
    match *column.type_() {
        Type::BOOL => read(row, index, DbValue::Boolean),
        Type::INT4 => read(row, index, DbValue::Int32),
        Type::INT8 => read(row, index, DbValue::Int64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => read(row, index, DbValue::Str),
        ref other => {
            let text = format!(
                "column {} has type {other}, which Nudge does not read",
                column.name()
            );
            Err(PgError::ValueConversionFailed(text).into())
        }
    }
}

fn read<'a, T: FromSql<'a>>(
    row: &'a Row,
    index: usize,
    to_value: impl FnOnce(T) -> DbValue,
) -> Result<DbValue, Error> {
    match row.try_get::<_, Option<T>>(index) {
        Ok(value) => Ok(value.map_or(DbValue::DbNull, to_value)),
        Err(error) => Err(PgError::ValueConversionFailed(text(&error)).into()),
    }
}

fn failed(error: &dyn std::error::Error) -> Error {
    PgError::ConnectionFailed(text(error)).into()
}

fn refused(error: tokio_postgres::Error) -> Error {
    let as_text = text(&error);
    let Some(answer) = error.as_db_error() else {
        return PgError::QueryFailed(QueryError::Text(as_text)).into();
    };
    PgError::QueryFailed(QueryError::DbError(DbError {
        as_text,
        severity: answer.severity().to_owned(),
        code: answer.code().code().to_owned(),
        message: answer.message().to_owned(),
        detail: answer.detail().map(str::to_owned),
        extras: Vec::new(),
    }))
    .into()
}

/// An error's text with its causes. The library's texts hold no password.
fn text(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", text(source)),
        None => error.to_string(),
    }
}
