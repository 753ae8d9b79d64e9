//! The one connection of a database, on a thread of its own.
//!
//! A statement is a transaction of its own, as on Spin, unless a guest has begun one. With `synchronous = FULL` each
//! transaction waits for the disk, so statements that have queued up meanwhile are run as one: they share the wait, and
//! none is answered before it is over. This may not be seen from outside:
//!
//! - Only statements that read or change rows are run together, in the order in which they came, and only while no
//!   guest has a transaction open.
//! - What SQLite undoes when a statement fails is that statement alone, within a transaction as well. Should it undo the transaction (`OR
//!   ROLLBACK`, a full disk), or should the commit fail, nothing was answered yet, and each runs again by itself.
//!
//! One difference is left: a foreign key that is declared `DEFERRABLE INITIALLY DEFERRED` is checked at the shared commit,
//! so a statement that breaks it is not refused if another one that came with it mends it.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio::sync::oneshot;

use super::io;
use crate::bindings::spin::sqlite::sqlite::{Error, RowResult, Value};

/// The most bytes that one result may have (Spin's bound).
const LARGEST_RESULT: usize = 128 * 1024 * 1024;

/// Statements that are kept prepared: more than a service has.
const PREPARED: usize = 256;

/// Statements that share a commit at most, so that the first one does not wait for long.
const LARGEST_GROUP: usize = 64;

/// With what a statement begins that may share a commit. Others, such as `BEGIN` and `PRAGMA`, mean something else in a transaction.
const SHARING: [&str; 6] = ["INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", READING];
const READING: &str = "SELECT";

/// An open database: where to send what is to be done with it. Its thread does it, one after the other, and ends
/// with the last of these.
#[derive(Clone, Debug)]
#[allow(unreachable_pub)] // The generated bindings name it in public.
pub struct Connection(Sender<Work>);

enum Work {
    Statement(Statement),
    Question(Box<dyn FnOnce(&rusqlite::Connection) + Send>),
}

struct Statement {
    text: String,
    parameters: Vec<Value>,
    answer: oneshot::Sender<Outcome>,
}

/// What a statement produced before it ended, and how it ended.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<RowResult>,
    pub(super) end: Result<(), Error>,
}

impl Connection {
    pub(super) fn open(file: &Path) -> Result<Self, Error> {
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
        let (sender, works) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new().name("spin-host-sqlite".to_owned());
        thread.spawn(move || serve(&connection, &works)).map_err(io)?;
        Ok(Self(sender))
    }

    /// What a function finds out about the connection.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&rusqlite::Connection) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let question = Box::new(move |connection: &rusqlite::Connection| {
            // Whoever waited for it may have gone.
            let _ = answer.send(question(connection));
        });
        self.0.send(Work::Question(question)).map_err(io)?;
        answered.await.map_err(io)
    }

    pub(super) async fn run(&self, text: String, parameters: Vec<Value>) -> Result<Outcome, Error> {
        tracing::trace!(target: "spin_host::statement", "{text}");
        let (answer, answered) = oneshot::channel();
        let statement = Statement {
            text,
            parameters,
            answer,
        };
        self.0.send(Work::Statement(statement)).map_err(io)?;
        answered.await.map_err(io)
    }
}

/// Does what comes, until nobody is left who could send anything.
fn serve(connection: &rusqlite::Connection, works: &Receiver<Work>) {
    let mut next = works.recv().ok();
    while let Some(work) = next.take() {
        match work {
            Work::Statement(first) if first.may_share() && connection.is_autocommit() => {
                let mut group = vec![first];
                while group.len() < LARGEST_GROUP && next.is_none() {
                    match works.try_recv() {
                        Ok(Work::Statement(another)) if another.may_share() => group.push(another),
                        Ok(other) => next = Some(other),
                        Err(_) => break,
                    }
                }
                answer(connection, group);
            }
            Work::Statement(statement) => answer(connection, vec![statement]),
            Work::Question(question) => question(connection),
        }
        next = next.or_else(|| works.recv().ok());
    }
}

/// Runs statements, in one transaction if that saves waiting for the disk, and answers them.
fn answer(connection: &rusqlite::Connection, statements: Vec<Statement>) {
    let shared = if statements.len() > 1 && statements.iter().any(Statement::may_write) {
        run_together(connection, &statements)
    } else {
        None
    };
    let mut outcomes = shared.into_iter().flatten();
    for statement in statements {
        let outcome = outcomes.next().unwrap_or_else(|| statement.run(connection));
        // Whoever waited for it may have gone.
        let _ = statement.answer.send(outcome);
    }
}

/// Runs statements in one transaction. `None`: it was undone, as if none of them had run.
fn run_together(connection: &rusqlite::Connection, statements: &[Statement]) -> Option<Vec<Outcome>> {
    connection.execute_batch("BEGIN IMMEDIATE").ok()?;
    let mut outcomes = Vec::with_capacity(statements.len());
    for statement in statements {
        outcomes.push(statement.run(connection));
        if connection.is_autocommit() {
            return None; // The statement has undone the transaction.
        }
    }
    if connection.execute_batch("COMMIT").is_ok() {
        return Some(outcomes);
    }
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "a database neither committed nor rolled back");
    }
    None
}

impl Statement {
    fn begins_with(&self, word: &str) -> bool {
        let text = self.text.trim_start();
        text.get(..word.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
            && !text.get(word.len()..).is_some_and(|rest| {
                rest.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_')
            })
    }

    fn may_share(&self) -> bool {
        SHARING.iter().any(|word| self.begins_with(word))
    }

    fn may_write(&self) -> bool {
        !self.begins_with(READING)
    }

    fn run(&self, connection: &rusqlite::Connection) -> Outcome {
        let (mut columns, mut rows) = (Vec::new(), Vec::new());
        let end = self.read(connection, &mut columns, &mut rows);
        Outcome { columns, rows, end }
    }

    fn read(
        &self,
        connection: &rusqlite::Connection,
        columns: &mut Vec<String>,
        rows: &mut Vec<RowResult>,
    ) -> Result<(), Error> {
        let (mut cached, mut first);
        let statement: &mut rusqlite::Statement<'_> = match connection.prepare_cached(&self.text) {
            Ok(statement) => {
                cached = statement;
                &mut cached
            }
            // The library refuses a text with a second statement. What is wrong with the first is found again here.
            Err(_) => match rusqlite::Batch::new(connection, &self.text).next().map_err(io)? {
                Some(statement) => {
                    first = statement;
                    &mut first
                }
                None => return Ok(()),
            },
        };
        *columns = statement.column_names().into_iter().map(str::to_owned).collect();
        let parameters = rusqlite::params_from_iter(self.parameters.iter().map(Parameter));
        let mut found = statement.query(parameters).map_err(io)?;
        let mut bytes = 0;
        while let Some(row) = found.next().map_err(io)? {
            let values = (0..columns.len()).map(|column| from_sqlite(row.get_ref(column).map_err(io)?));
            let values = values.collect::<Result<Vec<_>, Error>>()?;
            bytes += values.iter().map(size).sum::<usize>();
            if bytes > LARGEST_RESULT {
                return Err(Error::Io(format!(
                    "query result exceeds limit of {LARGEST_RESULT} bytes"
                )));
            }
            rows.push(RowResult { values });
        }
        Ok(())
    }
}

fn size(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text.len(),
            Value::Blob(blob) => blob.len(),
            Value::Integer(_) | Value::Real(_) | Value::Null => 0,
        }
}

/// A parameter, which may be needed a second time.
struct Parameter<'a>(&'a Value);

impl rusqlite::ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(blob) => ValueRef::Blob(blob),
        }))
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

#[cfg(test)]
mod tests;
