//! `spin:sqlite@3.1.0`: one SQLite connection per database, shared by every instance of the process.
//!
//! As in Spin, other requests therefore see and continue a transaction that one request opens; only the first statement of a text
//! runs; ATTACH of a file is refused. The database `default` is `sqlite_db.db` in the state folder, any other is `<name>.db`. The
//! one difference: rows are read before the call returns, so a result that the guest does not read completely never blocks the
//! next statement.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

use self::connection::Outcome;
use crate::bindings::spin::sqlite::sqlite::{
    Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};
use crate::state::ComponentState;

mod connection;

#[allow(unreachable_pub)] // The generated bindings name it in public.
pub use connection::Connection;

/// The databases of a process, opened at first use.
#[derive(Debug)]
pub(crate) struct Databases {
    folder: PathBuf,
    open: Mutex<BTreeMap<String, Connection>>,
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

fn io(error: impl std::fmt::Display) -> Error {
    Error::Io(error.to_string())
}

/// Finds a database for a component, or opens it, off the runtime's threads.
async fn open(state: Access, name: String) -> Result<Connection, Error> {
    if !state.allowed.contains(&name) {
        return Err(Error::AccessDenied);
    }
    tracing::trace!(target: "spin_host::connection", "{name}");
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
        Ok(connection.ask(rusqlite::Connection::last_insert_rowid).await?)
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        let connection = self.table.get(&connection)?.clone();
        Ok(connection.ask(rusqlite::Connection::changes).await?)
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
            .ask(rusqlite::Connection::last_insert_rowid)
            .await?)
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        Ok(get(accessor, &connection)?
            .ask(rusqlite::Connection::changes)
            .await?)
    }
}
