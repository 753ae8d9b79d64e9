//! The one SQLite database, on a thread of its own.
//!
//! Callers send closures; those that are queued are committed together, and each caller gets its result after the commit.
//! The journal is WAL, and a commit is synced to disk unless [`Synchronous::Normal`] is set; closures that arrive during a
//! sync share the next one.

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use tokio::sync::oneshot;

/// Maximum number of requests per commit.
const LARGEST_GROUP: usize = 64;

/// When SQLite waits for the disk, in its own words (<https://sqlite.org/pragma.html#pragma_synchronous>). The journal is a
/// write-ahead log either way, so neither can damage the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// At each commit, before the response: a power cut loses nothing after that.
    #[default]
    Full,
    /// At checkpoints only: faster, but a power cut may lose the last commits. A killed process loses nothing.
    Normal,
}

impl Synchronous {
    /// `full` or `normal`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Normal => "normal",
        }
    }
}

impl std::fmt::Display for Synchronous {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Synchronous {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Full, Self::Normal]
            .into_iter()
            .find(|level| level.name() == text)
            .ok_or("write `full` or `normal`")
    }
}

/// What can go wrong with the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A statement failed.
    #[error("the database refused a statement")]
    Sqlite(#[from] rusqlite::Error),
    /// The commit failed, or the database thread has ended.
    #[error("the database did not commit")]
    NotCommitted,
    /// A stored value cannot be read back.
    #[error("the database contains an unreadable value")]
    Unreadable(#[from] serde_json::Error),
}

type Reply = Box<dyn FnOnce()>;
type Request = Box<dyn FnOnce(&Connection) -> Reply + Send>;

/// A handle to the database thread. The thread ends with the last handle.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    requests: mpsc::Sender<Request>,
}

impl Store {
    /// Opens or creates the database.
    pub(crate) fn open(path: &Path, synchronous: Synchronous) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        // Settings of this connection, the only one. The second is for macOS, where fsync leaves bytes in the drive's cache.
        connection.pragma_update(None, "synchronous", synchronous.name())?;
        connection.pragma_update(None, "fullfsync", synchronous == Synchronous::Full)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.execute_batch(include_str!("schema.sql"))?;
        let (requests, queue) = mpsc::channel();
        std::thread::spawn(move || work(&connection, &queue));
        Ok(Self { requests })
    }

    /// Runs `statements` atomically and returns their result once it is committed; an `Err` undoes them.
    pub(crate) async fn run<T, E, F>(&self, statements: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let request: Request = Box::new(move |connection| {
            let result = atomically(connection, statements);
            Box::new(move || {
                // The caller may have stopped waiting; its statements are committed anyway.
                let _ = reply.send(result);
            })
        });
        self.requests
            .send(request)
            .map_err(|_| StoreError::NotCommitted)?;
        answer.await.map_err(|_| StoreError::NotCommitted)?
    }
}

fn atomically<T, E: From<StoreError>>(
    connection: &Connection,
    statements: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    let execute = |sql| connection.execute_batch(sql).map_err(StoreError::from);
    execute("SAVEPOINT request")?;
    let result = statements(connection);
    if result.is_err() {
        execute("ROLLBACK TO request")?;
    }
    execute("RELEASE request")?;
    result
}

fn work(connection: &Connection, queue: &mpsc::Receiver<Request>) {
    while let Ok(first) = queue.recv() {
        if let Err(error) = commit_group(connection, first, queue) {
            // The replies are dropped with the group, so every caller in it sees `NotCommitted`.
            tracing::error!(%error, "the database did not commit");
            if !connection.is_autocommit()
                && let Err(error) = connection.execute_batch("ROLLBACK")
            {
                tracing::error!(%error, "the database did not roll back");
            }
        }
    }
}

fn commit_group(
    connection: &Connection,
    first: Request,
    queue: &mpsc::Receiver<Request>,
) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let mut replies = vec![first(connection)];
    while replies.len() < LARGEST_GROUP
        && let Ok(request) = queue.try_recv()
    {
        replies.push(request(connection));
    }
    connection.execute_batch("COMMIT")?;
    for reply in replies {
        reply();
    }
    Ok(())
}

/// Milliseconds since 1970, the unit of every instant in the database.
pub(crate) fn millis(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The instant of a column in milliseconds.
pub(crate) fn from_millis(millis: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn count(store: &Store) -> i64 {
        let sql = "SELECT count(*) FROM state";
        let count = store.run(move |db| Ok::<_, StoreError>(db.query_row(sql, [], |row| row.get(0))?));
        count.await.expect("a count")
    }

    fn insert(db: &Connection, key: &str) -> Result<(), StoreError> {
        db.execute(
            "INSERT INTO state (store, key, value, etag) VALUES ('s', ?1, '1', 'e')",
            [key],
        )?;
        Ok(())
    }

    #[test]
    fn a_level_is_parsed_from_its_name_alone() {
        for level in [Synchronous::Full, Synchronous::Normal] {
            assert_eq!(level.to_string().parse(), Ok(level));
        }
        assert!("off".parse::<Synchronous>().is_err());
        assert_eq!(Synchronous::default(), Synchronous::Full);
    }

    #[tokio::test]
    async fn a_failing_request_is_undone_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("db"), Synchronous::Full).expect("a database");
        let good = store.run(|db| insert(db, "a"));
        let bad = store.run(|db| {
            insert(db, "b")?;
            Err::<(), _>(StoreError::NotCommitted)
        });
        let (good, bad) = tokio::join!(good, bad);
        assert!(good.is_ok() && bad.is_err());
        assert_eq!(count(&store).await, 1);
    }

    #[tokio::test]
    async fn committed_data_is_there_after_reopening() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("db");
        let store = Store::open(&path, Synchronous::Full).expect("a database");
        store.run(|db| insert(db, "a")).await.expect("stored");
        let again =
            Store::open(&path, Synchronous::Full).expect("the same database, the first handle still open");
        assert_eq!(count(&again).await, 1);
    }
}
