//! The single connection of a database, on its own thread.
//!
//! As on Spin, each statement is a transaction unless a guest has begun one. With `synchronous = FULL` each transaction waits for
//! the disk, so statements that have queued up run in one transaction (group commit): they share the wait, and none is answered
//! before it is over. Guests do not notice this:
//!
//! - Only statements that read or change rows run together, in order of arrival, starting with one that may change rows, and only
//!   while no guest has an open transaction.
//! - When a statement fails, SQLite undoes that statement alone, within a transaction as well. If SQLite undoes the whole
//!   transaction (`OR ROLLBACK`, a full disk), or the commit fails, no statement has been answered yet, and each runs again on its
//!   own.
//!
//! The exceptions:
//!
//! - A foreign key that is declared `DEFERRABLE INITIALLY DEFERRED` is checked at the shared commit, so a statement that violates
//!   it is not refused if another statement of the same transaction repairs it.
//! - `total_changes()`, `changes()` and `last_insert_rowid()` also count statements that were undone and run again. They are of
//!   little use on a connection that all guests share: another guest's statement may run in between.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender};

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::{ToSqlOutput, ValueRef};
use tokio::sync::oneshot;

use super::io;
use crate::bindings::spin::sqlite::sqlite::{Error, RowResult, Value};

/// Maximum size of a result in bytes (Spin's limit).
const LARGEST_RESULT: usize = 128 * 1024 * 1024;

/// Maximum number of prepared statements; a service has fewer.
const PREPARED: usize = 256;

/// Maximum number of statements that share a commit, so that the first one does not wait for long.
const LARGEST_GROUP: usize = 64;

/// No further statement joins a shared commit once the results that wait for it exceed this number of bytes.
const LARGEST_WAIT: usize = 4 * 1024 * 1024;

/// First words of statements that may share a commit. Others, such as `BEGIN` and `PRAGMA`, behave differently in a transaction.
const SHARING: [&str; 6] = ["INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", READING];
const READING: &str = "SELECT";

/// A handle of an open database. Its thread runs one piece of work after the other, and ends when the last handle is dropped.
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

impl Outcome {
    fn bytes(&self) -> usize {
        let values = self.rows.iter().flat_map(|row| &row.values);
        values.map(size).sum()
    }
}

impl Connection {
    pub(super) fn open(file: &Path) -> Result<Self, Error> {
        let connection = rusqlite::Connection::open(file).map_err(io)?;
        // As on Spin, which keeps SQLite's default; set explicitly because builds of SQLite may have another default.
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

    /// Runs a function on the connection and returns its result.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&rusqlite::Connection) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        let question = Box::new(move |connection: &rusqlite::Connection| {
            // The caller may have gone away.
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

/// Runs work until the last handle is dropped.
fn serve(connection: &rusqlite::Connection, works: &Receiver<Work>) {
    let mut next = works.recv().ok();
    while let Some(work) = next.take() {
        match work {
            // A statement that only reads does not wait for the disk, so it starts no group.
            Work::Statement(first)
                if first.may_share() && first.may_write() && connection.is_autocommit() =>
            {
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

/// Runs statements, in one transaction if there are several, and answers them.
fn answer(connection: &rusqlite::Connection, statements: Vec<Statement>) {
    let shared = match statements.len() {
        1 => None,
        _ => run_together(connection, &statements),
    };
    let mut outcomes = shared.into_iter().flatten();
    for statement in statements {
        let outcome = outcomes.next().unwrap_or_else(|| statement.run(connection));
        // The caller may have gone away.
        let _ = statement.answer.send(outcome);
    }
}

/// Runs statements in one transaction; only the first ones if their results are large. Returns `None` if the transaction was undone,
/// as if no statement had run.
fn run_together(connection: &rusqlite::Connection, statements: &[Statement]) -> Option<Vec<Outcome>> {
    connection.execute_batch("BEGIN IMMEDIATE").ok()?;
    let mut outcomes = Vec::with_capacity(statements.len());
    let mut bytes = 0;
    for statement in statements {
        let outcome = statement.run(connection);
        if connection.is_autocommit() {
            return None; // The statement has undone the transaction.
        }
        bytes += outcome.bytes();
        outcomes.push(outcome);
        if bytes > LARGEST_WAIT {
            break; // The others run by themselves, after the commit.
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
            // The library refuses a text with a second statement. If the first one is invalid, its error is found again here.
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

/// A parameter by reference, because the statement may run again.
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
mod tests {
    use std::fmt::Write as _;
    use std::sync::Mutex;

    use test_power_cut::{Disk, Recorder, Unsynced, each_cut, writes_to};

    use super::*;

    const TABLES: &[&str] = &[
        "PRAGMA journal_mode = WAL",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER UNIQUE, note TEXT CHECK (length(note) < 9))",
        "CREATE TABLE log (t INTEGER, n INTEGER)",
        "CREATE TABLE child (t INTEGER REFERENCES t (id) ON DELETE CASCADE)",
        "CREATE TABLE late (t INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER noted AFTER INSERT ON t BEGIN INSERT INTO log VALUES (NEW.id, NEW.n); END",
        "CREATE TRIGGER undoes_all BEFORE INSERT ON t WHEN NEW.n = 13 BEGIN SELECT RAISE (ROLLBACK, 'thirteen'); END",
        "CREATE TRIGGER stops BEFORE INSERT ON t WHEN NEW.n = 14 BEGIN SELECT RAISE (FAIL, 'fourteen'); END",
        "CREATE TRIGGER undoes_one BEFORE INSERT ON t WHEN NEW.n = 15 BEGIN SELECT RAISE (ABORT, 'fifteen'); END",
        "CREATE TRIGGER skips BEFORE INSERT ON t WHEN NEW.n = 16 BEGIN SELECT RAISE (IGNORE); END",
    ];

    /// Statements of guests; `?1` is a small number. Most of them change rows.
    const STATEMENTS: &[&str] = &[
        "INSERT INTO t (n, note) VALUES (?1, 'a') RETURNING id, n",
        "INSERT INTO t (n) VALUES (?1)",
        "insert into t (n) values (?1 + 20), (?1 + 40), (?1 + 60)",
        "INSERT OR IGNORE INTO t (n) VALUES (?1), (?1 + 1)",
        "INSERT OR FAIL INTO t (n) VALUES (?1 + 2), (?1 + 1), (?1)",
        "INSERT OR ROLLBACK INTO t (n) VALUES (?1)",
        "REPLACE INTO t (id, n) VALUES (?1, ?1 + 100)",
        "INSERT INTO t (n, note) VALUES (?1, 'longer than it may be')",
        "UPDATE t SET n = n + 1 WHERE id % 3 = ?1 % 3",
        "UPDATE OR FAIL t SET n = n - 1 WHERE id % 2 = ?1 % 2",
        "UPDATE t SET note = 'b' WHERE id = ?1 RETURNING *",
        "DELETE FROM t WHERE n > ?1 + 60",
        "INSERT INTO child VALUES (?1)",
        "INSERT INTO late VALUES (?1 + 1000)",
        "WITH some (n) AS (SELECT ?1 + 7) INSERT INTO t (n) SELECT n FROM some",
        "WITH some (n) AS (SELECT ?1 + 7) SELECT count(*) FROM t, some WHERE t.n < some.n",
        "SELECT count(*), sum(n) FROM t",
        "SELECT * FROM t WHERE n = ?1; DELETE FROM t",
        "INSERT INTO t (n) VALUES (?1 + 9); DELETE FROM t",
        "-- a comment first\nINSERT INTO t (n) VALUES (?1 + 3)",
        "SELECT nothing FROM nowhere",
        "INSERTED",
        "",
        "BEGIN",
        "COMMIT",
        "COMMIT",
        "ROLLBACK",
        "PRAGMA user_version = 7",
        "PRAGMA user_version",
    ];

    fn new(folder: &Path) -> Connection {
        let connection = Connection::open(&folder.join("db")).expect("a database");
        for table in TABLES {
            let made = queue(&connection, table, Vec::new()).blocking_recv();
            made.expect("an answer").end.expect("tables");
        }
        connection
    }

    /// Sends a statement and does not wait for its answer.
    fn queue(connection: &Connection, text: &str, parameters: Vec<Value>) -> oneshot::Receiver<Outcome> {
        let (answer, answered) = oneshot::channel();
        let statement = Statement {
            text: text.to_owned(),
            parameters,
            answer,
        };
        assert!(connection.0.send(Work::Statement(statement)).is_ok(), "it runs");
        answered
    }

    /// Blocks the thread of the database until the result is dropped, so that statements queue up.
    fn hold(connection: &Connection) -> Sender<()> {
        let (gate, opened) = std::sync::mpsc::channel::<()>();
        let question = Box::new(move |_: &rusqlite::Connection| {
            let _ = opened.recv();
        });
        assert!(connection.0.send(Work::Question(question)).is_ok(), "it runs");
        gate
    }

    fn told(outcome: oneshot::Receiver<Outcome>) -> String {
        format!("{:?}", outcome.blocking_recv().expect("an answer"))
    }

    fn contents(connection: &Connection) -> String {
        let mut all = String::new();
        for table in ["t", "log", "child", "late"] {
            let rows = queue(connection, &format!("SELECT * FROM {table}"), Vec::new());
            let _ = writeln!(all, "{table}: {}", told(rows));
        }
        all
    }

    #[test]
    fn queued_statements_have_the_same_results_as_one_by_one() {
        for seed in 0..60 {
            let mut chance = fastrand::Rng::with_seed(seed);
            let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
            let [alone, waiting] = folders.each_ref().map(|folder| new(folder.path()));
            let statements: Vec<(&str, Vec<Value>)> = (0..60)
                .filter_map(|_| {
                    let text = STATEMENTS.get(chance.usize(..STATEMENTS.len()))?;
                    let wants = text.contains("?1").then(|| Value::Integer(chance.i64(0..25)));
                    Some((*text, wants.into_iter().collect()))
                })
                .collect();
            let one_by_one = statements
                .iter()
                .map(|(text, parameters)| told(queue(&alone, text, parameters.clone())));
            let one_by_one: Vec<String> = one_by_one.collect();
            let gate = hold(&waiting);
            let answers = statements
                .iter()
                .map(|(text, parameters)| queue(&waiting, text, parameters.clone()));
            let answers: Vec<_> = answers.collect();
            drop(gate);
            for ((answer, expected), (text, parameters)) in
                answers.into_iter().zip(one_by_one).zip(&statements)
            {
                assert_eq!(told(answer), expected, "seed {seed}: {text} {parameters:?}");
            }
            assert_eq!(contents(&waiting), contents(&alone), "seed {seed}");
        }
    }

    /// Number of syncs while `count` queued inserts are answered.
    fn syncs(connection: &Connection, recorder: &Recorder, count: i64) -> usize {
        let from = recorder.moment();
        let gate = hold(connection);
        let answers: Vec<_> = (0..count)
            .map(|_| queue(connection, "INSERT INTO log VALUES (1, 1)", Vec::new()))
            .collect();
        drop(gate);
        for answer in answers {
            answer.blocking_recv().expect("an answer").end.expect("inserted");
        }
        let record = recorder.record();
        let since = record.iter().skip(from);
        since
            .filter(|event| matches!(event, test_power_cut::Event::Sync { .. }))
            .count()
    }

    #[test]
    fn queued_statements_share_a_sync() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::start(folder.path());
        let connection = new(folder.path());
        assert_eq!(syncs(&connection, &recorder, 1), 1);
        assert_eq!(syncs(&connection, &recorder, 50), 1);
        assert_eq!(
            syncs(&connection, &recorder, 100),
            2,
            "a maximum of {LARGEST_GROUP} share one"
        );
        queue(&connection, "PRAGMA synchronous = NORMAL", Vec::new());
        assert_eq!(syncs(&connection, &recorder, 50), 0);
    }

    #[test]
    fn statements_whose_sync_fails_return_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::start(folder.path());
        let connection = new(folder.path());
        let gate = hold(&connection);
        let answers: Vec<_> = (0..5)
            .map(|n| {
                queue(
                    &connection,
                    "INSERT INTO log VALUES (?1, 1)",
                    vec![Value::Integer(n)],
                )
            })
            .collect();
        // The shared sync fails, and then those of the first three statements on their own.
        recorder.fail_syncs(4);
        drop(gate);
        let done = answers
            .into_iter()
            .map(|answer| answer.blocking_recv().expect("an answer").end.is_ok());
        assert_eq!(done.collect::<Vec<_>>(), [false, false, false, true, true]);
        let after = tempfile::tempdir().expect("a folder");
        let disk = Disk::at(&recorder.record(), recorder.moment());
        disk.cut(Unsynced::Lost).write_to(after.path()).expect("written");
        let database = rusqlite::Connection::open(after.path().join("db")).expect("it can be opened");
        let kept = database.query_row("SELECT group_concat(t) FROM log", [], |row| {
            row.get::<_, String>(0)
        });
        assert_eq!(kept.as_deref(), Ok("3,4"));
    }

    /// Guests insert and change rows until the power fails. Returns the number of cuts that lost an answered statement.
    fn losses(level: &str) -> usize {
        let folder = tempfile::tempdir().expect("a folder");
        let recorder = Recorder::start(folder.path());
        let connection = new(folder.path());
        let set = queue(&connection, &format!("PRAGMA synchronous = {level}"), Vec::new());
        set.blocking_recv().expect("an answer").end.expect("set");
        // Small, so that the log starts over many times.
        let set = queue(&connection, "PRAGMA wal_autocheckpoint = 20", Vec::new());
        set.blocking_recv().expect("an answer").end.expect("set");
        let begin = recorder.moment();
        // The moment at which each insert was answered, and its number. Some statements fail, and some undo a whole transaction.
        let answered = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for guest in 0..8_i64 {
                let (connection, recorder, answered) = (&connection, &recorder, &answered);
                scope.spawn(move || {
                    for turn in 1..=30 {
                        let n = 1_000 * guest + 100 + turn;
                        let note = Value::Text("x".repeat(8));
                        let insert = "INSERT INTO t (n, note) VALUES (?1, ?2)";
                        let insert = queue(connection, insert, vec![Value::Integer(n), note]);
                        let again = queue(
                            connection,
                            "INSERT OR ROLLBACK INTO t (n) VALUES (?1)",
                            vec![Value::Integer(n)],
                        );
                        let inserted = insert.blocking_recv().expect("an answer");
                        inserted.end.expect("inserted");
                        answered.lock().expect("a list").push((recorder.moment(), n));
                        again
                            .blocking_recv()
                            .expect("an answer")
                            .end
                            .expect_err("there is one");
                    }
                });
            }
        });
        let answered = answered.into_inner().expect("a list");
        let record = recorder.record();
        assert!(
            writes_to(&record, "db") > writes_to(&record[..begin], "db"),
            "there were checkpoints"
        );
        let mut lost = 0;
        each_cut(&record, begin, 150, 1, |moment, unsynced, folder| {
            let database = rusqlite::Connection::open(folder.join("db")).expect("it can be opened");
            // The database is only read, so nothing needs to be synced.
            database.pragma_update(None, "synchronous", "OFF").expect("set");
            let ask = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0));
            let sound: String = database
                .query_row("PRAGMA integrity_check", [], |row| row.get(0))
                .expect("an answer");
            assert_eq!(sound, "ok", "{level}, {moment}, {unsynced:?}");
            let half = "SELECT count(*) FROM (SELECT n FROM t EXCEPT SELECT n FROM log UNION ALL SELECT * FROM (SELECT n FROM log EXCEPT SELECT n FROM t))";
            assert_eq!(
                ask(half),
                Ok(0),
                "{level}, {moment}, {unsynced:?}: each row has its entry in the log"
            );
            let missing = answered.iter().filter(|(at, n)| {
                *at <= moment && ask(&format!("SELECT count(*) FROM t WHERE n = {n}")) != Ok(1)
            });
            let missing = missing.count();
            lost += usize::from(missing > 0);
            if level == "FULL" {
                assert_eq!(
                    missing, 0,
                    "{moment}, {unsynced:?}: every answered insert is there"
                );
            }
            if matches!(unsynced, Unsynced::Kept) {
                assert_eq!(
                    missing, 0,
                    "{level}, {moment}: everything written is there if the power does not fail"
                );
            }
        });
        lost
    }

    #[test]
    fn answered_statements_survive_a_power_cut_at_any_moment() {
        assert_eq!(losses("FULL"), 0);
    }

    /// Shows that the cuts above do lose statements that were not synced.
    #[test]
    fn a_power_cut_loses_statements_that_were_not_synced() {
        assert!(losses("NORMAL") > 0);
    }
}
