use std::fmt::Write as _;
use std::sync::Mutex;

use test_power_cut::{Recorder, Unsynced, each_cut, writes_to};

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

/// What guests send; `?1` is a small number. Rows are changed more often than anything else is done.
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

/// Holds the thread of the database up until the result is dropped, so that what is sent meanwhile queues up.
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
fn statements_that_wait_have_the_results_that_they_have_one_by_one() {
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
        for ((answer, expected), (text, parameters)) in answers.into_iter().zip(one_by_one).zip(&statements) {
            assert_eq!(told(answer), expected, "seed {seed}: {text} {parameters:?}");
        }
        assert_eq!(contents(&waiting), contents(&alone), "seed {seed}");
    }
}

/// How often the disk was waited for while `count` inserts that queued up were answered.
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
fn statements_that_wait_share_the_wait_for_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::start(folder.path());
    let connection = new(folder.path());
    assert_eq!(syncs(&connection, &recorder, 1), 1);
    assert_eq!(syncs(&connection, &recorder, 50), 1);
    assert_eq!(
        syncs(&connection, &recorder, 100),
        2,
        "at most {LARGEST_GROUP} share one"
    );
    queue(&connection, "PRAGMA synchronous = NORMAL", Vec::new());
    assert_eq!(syncs(&connection, &recorder, 50), 0);
}

/// Guests insert and change rows until the power fails. Returns in how many of the cuts something that was answered was gone.
fn losses(level: &str) -> usize {
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::start(folder.path());
    let connection = new(folder.path());
    let set = queue(&connection, &format!("PRAGMA synchronous = {level}"), Vec::new());
    set.blocking_recv().expect("an answer").end.expect("set");
    // The log begins anew again and again.
    let set = queue(&connection, "PRAGMA wal_autocheckpoint = 20", Vec::new());
    set.blocking_recv().expect("an answer").end.expect("set");
    let begin = recorder.moment();
    // When each row was answered, and at which number. Some fail, and some of those undo more than themselves.
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
        // Only looked at: nothing is to wait for the disk.
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
            assert_eq!(missing, 0, "{moment}, {unsynced:?}: what was answered is there");
        }
        if matches!(unsynced, Unsynced::Kept) {
            assert_eq!(
                missing, 0,
                "{level}, {moment}: what was written is there if the power does not fail"
            );
        }
    });
    lost
}

#[test]
fn what_was_answered_survives_a_power_cut_at_any_moment() {
    assert_eq!(losses("FULL"), 0);
}

/// That the cuts above would take something.
#[test]
fn a_power_cut_takes_what_was_not_synced() {
    assert!(losses("NORMAL") > 100);
}
