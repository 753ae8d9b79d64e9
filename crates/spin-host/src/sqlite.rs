//! `spin:sqlite@3.1.0`: one SQLite connection per database, shared by every instance of the process.
//!
//! As in Spin, a transaction that one request opens is therefore seen and continued by the others; only the first
//! statement of a text runs; ATTACH of a file is refused. The database `default` is `sqlite_db.db` in the state
//! folder, any other name is `<name>.db`. One difference: rows are read before the call returns, so a result that
//! the guest does not read to its end never holds up the next statement.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use tokio::sync::oneshot;
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

use crate::bindings::spin::sqlite::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};
use crate::state::ComponentState;

/// The most bytes that one result may have (Spin's bound).
const LARGEST_RESULT: usize = 128 * 1024 * 1024;

/// The databases of a process, opened at first use.
#[derive(Debug)]
pub(crate) struct Databases {
    folder: PathBuf,
    open: Mutex<BTreeMap<String, Connection>>,
}

/// An open database: where to send what is to be done with it. A thread of its own does it, one after the other; it ends
/// with the last of these.
#[derive(Clone, Debug)]
#[allow(unreachable_pub)] // The generated bindings name it in public.
pub struct Connection(Sender<Work>);

type Work = Box<dyn FnOnce(&rusqlite::Connection) + Send>;

/// Statements that are kept prepared: more than a service has.
const PREPARED: usize = 256;

/// What a statement produced before it ended, and how it ended.
struct Outcome {
    columns: Vec<String>,
    rows: Vec<RowResult>,
    end: Result<(), Error>,
}

impl Databases {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            open: Mutex::default(),
        }
    }

    /// The database, if it is open.
    fn known(&self, name: &str) -> Option<Connection> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(name).cloned()
    }

    fn open(&self, name: &str) -> Result<Connection, Error> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connection) = open.get(name) {
            return Ok(connection.clone());
        }
        // SQLite syncs the folder that its files are in, not the name of the folder.
        durable_file::create_folder(&self.folder, 0o777).map_err(io)?;
        let file = if name == "default" {
            "sqlite_db.db".to_owned()
        } else {
            format!("{name}.db")
        };
        let connection = Connection::open(&self.folder.join(file))?;
        open.insert(name.to_owned(), connection.clone());
        Ok(connection)
    }
}

impl Connection {
    fn open(file: &Path) -> Result<Self, Error> {
        let connection = rusqlite::Connection::open(file).map_err(io)?;
        // As on Spin, which leaves it at SQLite's default; said here because a build of SQLite may have another one.
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(io)?;
        connection.authorizer(Some(|context: AuthContext<'_>| match context.action {
            AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => Authorization::Deny,
            _ => Authorization::Allow,
        }));
        connection.set_prepared_statement_cache_capacity(PREPARED);
        let (sender, works) = std::sync::mpsc::channel::<Work>();
        let thread = std::thread::Builder::new().name("spin-host-sqlite".to_owned());
        thread
            .spawn(move || works.into_iter().for_each(|work| work(&connection)))
            .map_err(io)?;
        Ok(Self(sender))
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, result) = oneshot::channel();
        let work: Work = Box::new(move |connection| {
            // Whoever waited for it may have gone.
            let _ = sender.send(work(connection));
        });
        self.0.send(work).map_err(io)?;
        result.await.map_err(io)
    }

    async fn run(&self, statement: String, parameters: Vec<Value>) -> Result<Outcome, Error> {
        tracing::trace!(target: "spin_host::statement", "{statement}");
        self.with(move |connection| run(connection, &statement, parameters))
            .await
    }
}

fn run(connection: &rusqlite::Connection, statement: &str, parameters: Vec<Value>) -> Outcome {
    let mut outcome = Outcome {
        columns: Vec::new(),
        rows: Vec::new(),
        end: Ok(()),
    };
    outcome.end = (|| {
        let (mut cached, mut first);
        let statement: &mut rusqlite::Statement<'_> = match connection.prepare_cached(statement) {
            Ok(statement) => {
                cached = statement;
                &mut cached
            }
            // The library refuses a text with a second statement. What is wrong with the first is found again here.
            Err(_) => match rusqlite::Batch::new(connection, statement).next().map_err(io)? {
                Some(statement) => {
                    first = statement;
                    &mut first
                }
                None => return Ok(()),
            },
        };
        outcome.columns = statement.column_names().into_iter().map(str::to_owned).collect();
        let width = outcome.columns.len();
        let parameters = rusqlite::params_from_iter(parameters.into_iter().map(to_sqlite));
        let mut rows = statement.query(parameters).map_err(io)?;
        let mut bytes = 0;
        while let Some(row) = rows.next().map_err(io)? {
            let values = (0..width).map(|column| from_sqlite(row.get_ref(column).map_err(io)?));
            let values = values.collect::<Result<Vec<_>, Error>>()?;
            bytes += values.iter().map(size).sum::<usize>();
            if bytes > LARGEST_RESULT {
                return Err(Error::Io(format!(
                    "query result exceeds limit of {LARGEST_RESULT} bytes"
                )));
            }
            outcome.rows.push(RowResult { values });
        }
        Ok(())
    })();
    outcome
}

fn io(error: impl std::fmt::Display) -> Error {
    Error::Io(error.to_string())
}

fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(blob) => blob.len(),
            Value::Integer(_) | Value::Real(_) | Value::Null => 0,
        }
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

/// Finds a database for a component, or opens it, off the runtime's threads.
async fn open(state: Access, name: String) -> Result<Connection, Error> {
    if !state.allowed.contains(&name) {
        return Err(Error::AccessDenied);
    }
    if let Some(connection) = state.databases.known(&name) {
        return Ok(connection);
    }
    tokio::task::spawn_blocking(move || state.databases.open(&name))
        .await
        .map_err(io)?
}

/// What one component may open.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) allowed: Arc<[String]>,
    pub(crate) databases: Arc<Databases>,
}

impl Host for ComponentState {}

impl HostConnection for ComponentState {
    async fn open(&mut self, database: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(match open(self.sqlite.clone(), database).await {
            Ok(connection) => Ok(self.table.push(connection)?),
            Err(error) => Err(error),
        })
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let outcome = self
            .table
            .get(&connection)?
            .clone()
            .run(statement, parameters)
            .await;
        Ok(outcome.and_then(|Outcome { columns, rows, end }| end.map(|()| QueryResult { columns, rows })))
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> wasmtime::Result<i64> {
        let connection = self.table.get(&connection)?.clone();
        Ok(connection.with(rusqlite::Connection::last_insert_rowid).await?)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        let connection = self.table.get(&connection)?.clone();
        Ok(connection.with(rusqlite::Connection::changes).await?)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

type Rows = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

fn get<T>(
    accessor: &Accessor<T, HasSelf<ComponentState>>,
    connection: &Resource<Connection>,
) -> wasmtime::Result<Connection> {
    accessor.with(|mut access| Ok(access.get().table.get(connection)?.clone()))
}

impl<T: 'static> HostConnectionWithStore<T> for HasSelf<ComponentState> {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let state = accessor.with(|mut access| access.get().sqlite.clone());
        Ok(match open(state, database).await {
            Ok(connection) => Ok(accessor.with(|mut access| access.get().table.push(connection))?),
            Err(error) => Err(error),
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<Rows, Error>> {
        let outcome = match get(accessor, &connection)?.run(statement, parameters).await {
            Ok(outcome) => outcome,
            Err(error) => return Ok(Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, outcome.rows)?;
            let end = FutureReader::new(&mut access, async move { wasmtime::error::Ok(outcome.end) })?;
            Ok(Ok((outcome.columns, rows, end)))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        Ok(get(accessor, &connection)?
            .with(rusqlite::Connection::last_insert_rowid)
            .await?)
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        Ok(get(accessor, &connection)?
            .with(rusqlite::Connection::changes)
            .await?)
    }
}
