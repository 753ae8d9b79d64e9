//! SQLite: as on the spin host, one connection on a thread of its own, which keeps statements prepared.

use std::fmt::Display;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};

use rusqlite::types::ValueRef;
use tokio::sync::oneshot;

use crate::component::Component;

pub use real::sqlite::{Error, RowResult, Value};

/// Statements that are kept prepared: more than a service has.
const PREPARED: usize = 256;

type Work = Box<dyn FnOnce(&rusqlite::Connection) + Send>;

/// An open database: where to send what is to be done with it.
#[derive(Clone, Debug)]
pub struct Connection(Sender<Work>);

/// What a statement answered.
#[derive(Debug)]
pub struct QueryResult(Vec<RowResult>);

impl QueryResult {
    /// All rows.
    ///
    /// # Errors
    ///
    /// None: the rows are read already.
    pub async fn collect(self) -> Result<Vec<RowResult>, Error> {
        Ok(self.0)
    }
}

impl Connection {
    /// Opens the component's database, or takes the connection that it has.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, or no component runs here.
    pub async fn open_default() -> Result<Self, Error> {
        let component = Component::current().ok_or(Error::AccessDenied)?;
        if let Some(connection) = component.sqlite.get() {
            return Ok(connection.clone());
        }
        let opened = Self::open(&component.database)?;
        // Of two that open it at once the first counts; the thread of the other ends.
        Ok(component.sqlite.get_or_init(|| opened).clone())
    }

    fn open(file: &Path) -> Result<Self, Error> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let connection = rusqlite::Connection::open(file).map_err(io)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        let (sender, works) = channel::<Work>();
        std::thread::Builder::new()
            .name("native-sqlite".to_owned())
            .spawn(move || works.into_iter().for_each(|work| work(&connection)))
            .map_err(io)?;
        Ok(Self(sender))
    }

    /// Runs one statement.
    ///
    /// # Errors
    ///
    /// What SQLite says.
    pub async fn execute(
        &self,
        statement: impl AsRef<str>,
        parameters: impl IntoIterator<Item = Value>,
    ) -> Result<QueryResult, Error> {
        let statement = statement.as_ref().to_owned();
        let parameters: Vec<Value> = parameters.into_iter().collect();
        let (sender, result) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            // The receiver may have been dropped.
            let _ = sender.send(run(connection, &statement, parameters));
        });
        self.0.send(work).map_err(io)?;
        result.await.map_err(io)?.map(QueryResult)
    }
}

fn run(
    connection: &rusqlite::Connection,
    sql: &str,
    parameters: Vec<Value>,
) -> Result<Vec<RowResult>, Error> {
    let mut statement = connection.prepare_cached(sql).map_err(io)?;
    let width = statement.column_count();
    let parameters = rusqlite::params_from_iter(parameters.into_iter().map(to_sqlite));
    let mut rows = statement.query(parameters).map_err(io)?;
    let mut result = Vec::new();
    while let Some(row) = rows.next().map_err(io)? {
        let values = (0..width)
            .map(|column| from_sqlite(row.get_ref(column).map_err(io)?))
            .collect::<Result<_, _>>()?;
        result.push(RowResult { values });
    }
    Ok(result)
}

fn io(error: impl Display) -> Error {
    Error::Io(error.to_string())
}

fn to_sqlite(value: Value) -> rusqlite::types::Value {
    match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Integer(number) => rusqlite::types::Value::Integer(number),
        Value::Real(number) => rusqlite::types::Value::Real(number),
        Value::Text(text) => rusqlite::types::Value::Text(text),
        Value::Blob(blob) => rusqlite::types::Value::Blob(blob),
    }
}

fn from_sqlite(value: ValueRef<'_>) -> Result<Value, Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text).map_err(io)?.to_owned()),
        ValueRef::Blob(blob) => Value::Blob(blob.to_vec()),
    })
}
