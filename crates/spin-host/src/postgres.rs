//! `spin:postgres@4.2.0`: connections to PostgreSQL, from a pool per address.
//!
//! A handle is one connection of the pool until it is dropped, so a transaction on one handle is one transaction. The connection
//! is reset when it is returned to the pool, so no request waits for it. There are two differences from Spin: TLS is not supported
//! (`sslmode=require` and `set-ca-root` fail), and neither are the types that [`values`] lists.

#![allow(clippy::result_large_err)] // The generated error contains the server's whole response.

mod values;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod};
use futures_util::TryStreamExt;
use tokio::runtime::Handle;
use tokio_postgres::config::{Config, Host as Server, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Statement};
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

use crate::allowed_hosts::{AllowedHosts, Destination};
use crate::bindings::spin::postgres::postgres::{
    Column, DbError, DbValue, Error, Host, HostConnection, HostConnectionBuilder,
    HostConnectionBuilderWithStore, HostConnectionWithStore, ParameterValue, QueryError, Row, RowSet,
};
use crate::state::ComponentState;

/// Maximum number of connections per address (Spin's limit).
const CONNECTIONS: usize = 64;
/// Maximum number of addresses (Spin's limit).
const ADDRESSES: usize = 16;
/// Maximum number of prepared statements per connection. An application has fewer, unless it writes values into its SQL.
const STATEMENTS: usize = 256;
/// Maximum size of a result in bytes (Spin's limit).
const LARGEST_RESULT: usize = 128 * 1024 * 1024;

/// The pools of a process by address.
#[derive(Default)]
pub(crate) struct Pools(Mutex<BTreeMap<String, Pool>>);

/// A connection that is in use.
#[derive(Clone)]
#[allow(unreachable_pub)] // The generated bindings name it in public.
pub struct Connection(Arc<Lent>);

/// A connection of the pool, which is reset when it is returned, or else closed.
struct Lent(Option<Object>);

impl Lent {
    fn get(&self) -> Result<&Object, Error> {
        let gone = || Error::ConnectionFailed("the connection has been returned to the pool".to_owned());
        self.0.as_ref().ok_or_else(gone)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.0.take() else {
            return;
        };
        let Ok(runtime) = Handle::try_current() else {
            drop(Object::take(connection));
            return;
        };
        runtime.spawn(async move {
            let reset = RecyclingMethod::Clean.query().unwrap_or_default();
            if let Err(error) = connection.batch_execute(reset).await {
                tracing::debug!(%error, "connection to PostgreSQL closed: it cannot be reset");
                drop(Object::take(connection));
            }
        });
    }
}

/// An address to connect to.
#[allow(unreachable_pub)] // The generated bindings name it in public.
pub struct Builder(String);

/// What is needed of a component to open a connection.
#[derive(Clone)]
struct Opening {
    component: Arc<str>,
    allowed: Arc<AllowedHosts>,
    pools: Arc<Pools>,
}

impl Opening {
    async fn open(self, address: String) -> Result<Connection, Error> {
        let config: Config = address.parse().map_err(failed)?;
        self.check(&config)?;
        // The address holds a password.
        tracing::trace!(target: "spin_host::connection", "PostgreSQL");
        let pool = self.pools.get(address, config)?;
        let connection = pool.get().await.map_err(failed)?;
        Ok(Connection(Arc::new(Lent(Some(connection)))))
    }

    /// Checks every server to which the address may lead.
    fn check(&self, config: &Config) -> Result<(), Error> {
        let refuse = |reason: &str| Err(Error::ConnectionFailed(reason.to_owned()));
        if !config.get_hostaddrs().is_empty() {
            return refuse("hostaddr is not permitted: it would bypass allowed_outbound_hosts");
        }
        if config.get_ssl_mode() == SslMode::Require {
            return refuse("TLS is not supported by this host");
        }
        let ports = config.get_ports();
        for (index, server) in config.get_hosts().iter().enumerate() {
            let Server::Tcp(name) = server else {
                return refuse("Unix sockets are not permitted");
            };
            let port = ports
                .get(index)
                .or_else(|| ports.first().filter(|_| ports.len() == 1));
            let destination = Destination::new("postgres", name, port.copied());
            if !destination
                .as_ref()
                .is_some_and(|destination| self.allowed.allow(destination))
            {
                let address = destination.map_or_else(|| name.clone(), |destination| destination.to_string());
                tracing::warn!(
                    component = &*self.component,
                    destination = address,
                    "outbound connection denied: add the address to allowed_outbound_hosts"
                );
                return refuse(&format!("address {address} is not permitted"));
            }
        }
        Ok(())
    }
}

impl Pools {
    fn get(&self, address: String, config: Config) -> Result<Pool, Error> {
        let mut pools = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(&address) {
            return Ok(pool.clone());
        }
        // A returned connection has been reset already.
        let recycling_method = RecyclingMethod::Fast;
        let manager = Manager::from_config(config, NoTls, ManagerConfig { recycling_method });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .build()
            .map_err(failed)?;
        if pools.len() >= ADDRESSES {
            pools.pop_first();
        }
        pools.insert(address, pool.clone());
        Ok(pool)
    }
}

impl Connection {
    async fn execute(&self, statement: &str, parameters: Vec<ParameterValue>) -> Result<u64, Error> {
        tracing::trace!(target: "spin_host::statement", "{statement}");
        let parameters = parameters
            .into_iter()
            .map(values::to_sql)
            .collect::<Result<Vec<_>, _>>()
            .map_err(Error::ValueConversionFailed)?;
        let parameters: Vec<_> = parameters
            .iter()
            .map(|value| &**value as &(dyn ToSql + Sync))
            .collect();
        let connection = self.0.get()?;
        let statement = prepare(connection, statement).await?;
        connection
            .execute(&statement, &parameters)
            .await
            .map_err(query_failed)
    }

    /// Returns the rows, and the columns of the first one: as on Spin, a result without rows has no columns.
    async fn query(&self, statement: &str, parameters: Vec<ParameterValue>) -> Result<RowSet, Error> {
        tracing::trace!(target: "spin_host::statement", "{statement}");
        let parameters = parameters
            .into_iter()
            .map(values::to_sql)
            .collect::<Result<Vec<_>, _>>()
            .map_err(Error::BadParameter)?;
        let connection = self.0.get()?;
        let statement = prepare(connection, statement).await?;
        let rows = connection
            .query_raw(&statement, parameters)
            .await
            .map_err(query_failed)?;
        let mut rows = pin!(rows);
        let mut result = RowSet {
            columns: Vec::new(),
            rows: Vec::new(),
        };
        let mut bytes = 0;
        while let Some(row) = rows.try_next().await.map_err(query_failed)? {
            if result.rows.is_empty() {
                let columns = row.columns().iter();
                result.columns = columns
                    .map(|column| Column {
                        name: column.name().to_owned(),
                        data_type: values::data_type(column.type_()),
                    })
                    .collect();
            }
            let values = (0..row.len()).map(|column| values::from_row(&row, column));
            let values: Vec<DbValue> = values.collect::<Result<_, _>>()?;
            bytes += values.iter().map(values::size).sum::<usize>();
            if bytes > LARGEST_RESULT {
                let text = format!("query result exceeds limit of {LARGEST_RESULT} bytes");
                return Err(Error::QueryFailed(QueryError::Text(text)));
            }
            result.rows.push(values);
        }
        Ok(result)
    }
}

/// Returns a prepared statement, which the server parses only the first time on this connection. Spin prepares it each time.
async fn prepare(connection: &Object, statement: &str) -> Result<Statement, Error> {
    let prepared = &connection.statement_cache;
    if prepared.size() >= STATEMENTS {
        prepared.clear();
    }
    connection.prepare_cached(statement).await.map_err(query_failed)
}

/// The message of an error and its causes. The library's messages contain no passwords.
fn text(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", text(source)),
        None => error.to_string(),
    }
}

fn failed(error: impl std::error::Error) -> Error {
    Error::ConnectionFailed(text(&error))
}

fn query_failed(error: tokio_postgres::Error) -> Error {
    let as_text = text(&error);
    let Some(answer) = error.as_db_error() else {
        return Error::QueryFailed(QueryError::Text(as_text));
    };
    let extras = [
        ("column", answer.column()),
        ("constraint", answer.constraint()),
        ("routine", answer.routine()),
        ("hint", answer.hint()),
        ("table", answer.table()),
        ("datatype", answer.datatype()),
        ("schema", answer.schema()),
        ("file", answer.file()),
        ("where_", answer.where_()),
    ];
    let extras = extras
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
    Error::QueryFailed(QueryError::DbError(DbError {
        as_text,
        severity: answer.severity().to_owned(),
        code: answer.code().code().to_owned(),
        message: answer.message().to_owned(),
        detail: answer.detail().map(str::to_owned),
        extras: extras.collect(),
    }))
}

impl ComponentState {
    fn opening(&self) -> Opening {
        Opening {
            component: self.component.clone(),
            allowed: self.outbound.allowed.clone(),
            pools: self.postgres.clone(),
        }
    }

    async fn open_postgres(
        &mut self,
        address: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(match self.opening().open(address).await {
            Ok(connection) => Ok(self.table.push(connection)?),
            Err(error) => Err(error),
        })
    }
}

impl Host for ComponentState {}

impl HostConnectionBuilder for ComponentState {
    async fn new(&mut self, address: String) -> wasmtime::Result<Resource<Builder>> {
        Ok(self.table.push(Builder(address))?)
    }

    async fn set_ca_root(&mut self, _: Resource<Builder>, _: String) -> wasmtime::Result<Result<(), Error>> {
        Ok(Err(Error::Other(
            "TLS to PostgreSQL is not supported by this host".into(),
        )))
    }

    async fn build(
        &mut self,
        builder: Resource<Builder>,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        let address = self.table.get(&builder)?.0.clone();
        self.open_postgres(address).await
    }

    async fn drop(&mut self, builder: Resource<Builder>) -> wasmtime::Result<()> {
        self.table.delete(builder)?;
        Ok(())
    }
}

impl HostConnection for ComponentState {
    async fn open(&mut self, address: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        self.open_postgres(address).await
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        Ok(self
            .table
            .get(&connection)?
            .clone()
            .execute(&statement, parameters)
            .await)
    }

    async fn query(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<RowSet, Error>> {
        Ok(self
            .table
            .get(&connection)?
            .clone()
            .query(&statement, parameters)
            .await)
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

type Own = HasSelf<ComponentState>;
type Opened = wasmtime::Result<Result<Resource<Connection>, Error>>;
type Rows = (Vec<Column>, StreamReader<Row>, FutureReader<Result<(), Error>>);

async fn open_async<T>(accessor: &Accessor<T, Own>, address: String) -> Opened {
    let opening = accessor.with(|mut access| access.get().opening());
    Ok(match opening.open(address).await {
        Ok(connection) => Ok(accessor.with(|mut access| access.get().table.push(connection))?),
        Err(error) => Err(error),
    })
}

fn get<T>(accessor: &Accessor<T, Own>, connection: &Resource<Connection>) -> wasmtime::Result<Connection> {
    accessor.with(|mut access| Ok(access.get().table.get(connection)?.clone()))
}

impl<T: 'static> HostConnectionBuilderWithStore<T> for Own {
    async fn build_async(accessor: &Accessor<T, Self>, builder: Resource<Builder>) -> Opened {
        let address =
            accessor.with(|mut access| wasmtime::error::Ok(access.get().table.get(&builder)?.0.clone()))?;
        open_async(accessor, address).await
    }
}

impl<T: 'static> HostConnectionWithStore<T> for Own {
    async fn open_async(accessor: &Accessor<T, Self>, address: String) -> Opened {
        open_async(accessor, address).await
    }

    async fn query_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<Rows, Error>> {
        let result = match get(accessor, &connection)?.query(&statement, parameters).await {
            Ok(result) => result,
            Err(error) => return Ok(Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, result.rows)?;
            let end = FutureReader::new(&mut access, async { wasmtime::error::Ok(Ok(())) })?;
            Ok(Ok((result.columns, rows, end)))
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<ParameterValue>,
    ) -> wasmtime::Result<Result<u64, Error>> {
        Ok(get(accessor, &connection)?.execute(&statement, parameters).await)
    }
}
