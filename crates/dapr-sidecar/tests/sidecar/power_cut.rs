//! Power cuts while apps publish, save and schedule.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use dapr_sidecar::{App, Clock, Synchronous};
use rusqlite::Connection;
use test_power_cut::{Disk, Recorder, Unsynced, each_cut, writes_to};

use crate::bench::{BASICS, Bench, start, subscription};

/// What a response promised.
#[derive(Clone, Debug)]
enum Promise {
    /// The message is on the topic.
    Published(String),
    /// Both keys have the value, or what one transaction wrote later.
    Saved { keys: [String; 2], value: i64 },
    /// The job exists.
    Scheduled(String),
    /// The job does not exist.
    Deleted(String),
}

/// The part of a database that was promised.
#[derive(Default)]
struct Found {
    messages: HashSet<String>,
    state: HashMap<String, i64>,
    jobs: HashSet<String>,
}

impl Found {
    /// Empty if there are no tables yet.
    fn read(database: &Connection) -> Self {
        let made = "SELECT name, 0 FROM sqlite_schema WHERE name = 'job_due'";
        if rows(database, made).is_empty() {
            return Self::default();
        }
        assert_whole(database);
        Self {
            messages: rows(
                database,
                "SELECT body ->> '$.data.name', 0 FROM (SELECT CAST(body AS TEXT) AS body FROM message)",
            )
            .into_keys()
            .collect(),
            state: rows(
                database,
                "SELECT substr(key, length('orders||') + 1), value ->> '$.n' FROM state",
            ),
            jobs: rows(database, "SELECT name, 0 FROM job").into_keys().collect(),
        }
    }

    fn keeps(&self, promise: &Promise) -> bool {
        match promise {
            Promise::Published(name) => self.messages.contains(name),
            Promise::Saved { keys, value } => keys
                .iter()
                .all(|key| self.state.get(key).is_some_and(|found| found >= value)),
            Promise::Scheduled(name) => self.jobs.contains(name),
            Promise::Deleted(name) => !self.jobs.contains(name),
        }
    }
}

fn rows(database: &Connection, sql: &str) -> HashMap<String, i64> {
    let mut statement = database.prepare(sql).expect("a statement");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.expect("rows")
        .collect::<Result<_, _>>()
        .expect("texts and numbers")
}

/// Checks that statements of one transaction are there together.
fn assert_whole(database: &Connection) {
    let text = |sql| database.query_row(sql, [], |row| row.get::<_, String>(0));
    assert_eq!(text("PRAGMA integrity_check").as_deref(), Ok("ok"));
    let number = |sql| database.query_row(sql, [], |row| row.get::<_, i64>(0));
    let ends = "SELECT count(*) FROM topic_end e WHERE position !=
                (SELECT 1 + max(position) FROM message m WHERE (m.topic, m.partition) = (e.topic, e.partition))";
    assert_eq!(number(ends), Ok(0), "a topic ends after its last message");
    let halves =
        "SELECT count(*) FROM state a JOIN state b ON b.key = a.key || '-too' WHERE a.value != b.value";
    assert_eq!(
        number(halves),
        Ok(0),
        "a transaction is there completely or not at all"
    );
}

fn open(folder: &Path) -> Connection {
    let database = Connection::open(folder.join("dapr.db")).expect("it can be opened");
    // It is only read, so nothing needs to wait for the disk.
    database.pragma_update(None, "synchronous", "OFF").expect("set");
    database
}

/// Bytes of an event. The 96 of a round are more than SQLite's log has before it is copied into the database (1,000 pages of 4
/// KiB), however few commits they share.
const FILLING: usize = 45_000;

/// Apps work at the same time; returns the promises with the moment of each.
async fn work(bench: &Bench, recorder: &Recorder, round: usize) -> Vec<(usize, Promise)> {
    let promised = Mutex::new(Vec::new());
    let app = async |number: usize| {
        for turn in 0..12_i64 {
            let name = format!("r{round}-a{number}-t{turn}");
            let promise = |promise| {
                let moment = recorder.moment();
                promised.lock().expect("a list").push((moment, promise));
            };
            let body = format!(r#"{{"name":"{name}","filling":"{}"}}"#, "x".repeat(FILLING));
            let answer = bench.post("/v1.0/publish/pubsub/events", &body).await;
            assert_eq!(answer.status, 204);
            promise(Promise::Published(name.clone()));
            let key = format!("r{round}-a{number}");
            let upsert = |key: &str| {
                format!(r#"{{"operation":"upsert","request":{{"key":"{key}","value":{{"n":{turn}}}}}}}"#)
            };
            let body = format!(
                r#"{{"operations":[{},{}]}}"#,
                upsert(&key),
                upsert(&format!("{key}-too"))
            );
            let answer = bench.post("/v1.0/state/statestore/transaction", &body).await;
            assert_eq!(answer.status, 204, "{}", answer.body);
            promise(Promise::Saved {
                keys: [key.clone(), format!("{key}-too")],
                value: turn,
            });
            let job = format!("/v1.0-alpha1/jobs/{name}");
            let answer = bench.post(&job, r#"{"dueTime": "1h", "data": 1}"#).await;
            assert_eq!(answer.status, 204, "{}", answer.body);
            if turn % 2 == 0 {
                promise(Promise::Scheduled(name));
            } else {
                assert_eq!(bench.delete(&job).await.status, 204);
                promise(Promise::Deleted(name));
            }
        }
    };
    tokio::join!(app(0), app(1), app(2), app(3), app(4), app(5), app(6), app(7));
    promised.into_inner().expect("a list")
}

/// Three times apps work until the power fails, each time on the files that the last cut has left. Returns the number of cuts that
/// lost something after the response.
async fn losses(synchronous: Synchronous) -> usize {
    let yaml = format!("{BASICS}{}", subscription("events", "{default: /events}", None));
    let mut promised: Vec<Promise> = Vec::new();
    let (mut lost, mut checkpoints) = (0, 0);
    let mut folder = tempfile::tempdir().expect("a folder");
    for round in 0..3 {
        std::fs::create_dir(folder.path().join("resources")).expect("a folder");
        std::fs::write(folder.path().join("resources/all.yaml"), &yaml).expect("written");
        let recorder = Recorder::start(folder.path());
        let first = recorder.moment();
        let dir = Arc::new(folder);
        let bench = Bench::bind_synchronous(
            dir.clone(),
            Clock::stepped(start()),
            vec![App::new("orders")],
            synchronous,
        )
        .await
        .expect("good resources");
        let begin = recorder.moment();
        let made = work(&bench, &recorder, round).await;
        let record = recorder.record();
        checkpoints += writes_to(&record, "dapr.db") - writes_to(&record[..begin], "dapr.db");
        let gone = |moment: usize, database: &Connection| {
            let found = Found::read(database);
            let later = made.iter().filter(|(at, _)| *at <= moment);
            let all = promised.iter().chain(later.map(|(_, promise)| promise));
            all.filter(|promise| !found.keeps(promise)).count()
        };
        // There are many moments before the first response, and few of them are enough.
        each_cut(&record[..begin], first, 20, 1, |moment, unsynced, folder| {
            let gone = gone(moment, &open(folder));
            assert_eq!(gone, 0, "{synchronous}, round {round}, {moment}, {unsynced:?}");
        });
        each_cut(&record, begin, 60, 2, |moment, unsynced, folder| {
            let database = open(folder);
            let when = format!("{synchronous}, round {round}, {moment}, {unsynced:?}");
            let gone = gone(moment, &database);
            lost += usize::from(gone > 0);
            if synchronous == Synchronous::Full || unsynced == Unsynced::Kept {
                assert_eq!(gone, 0, "{when}: what was answered is there");
            }
        });
        // The next round continues with the files that a cut in the middle has left.
        let cut = begin + (record.len() - begin) * 2 / 3;
        folder = tempfile::tempdir().expect("a folder");
        let image = Disk::at(&record, cut).cut(Unsynced::Shuffled(3));
        image.write_to(folder.path()).expect("written");
        let found = Found::read(&open(folder.path()));
        let kept = made
            .into_iter()
            .filter(|(at, promise)| *at <= cut && found.keeps(promise));
        promised.extend(kept.map(|(_, promise)| promise));
    }
    assert!(checkpoints > 0, "the log was long enough to be restarted");
    lost
}

#[tokio::test]
async fn responses_are_kept_after_power_cuts_at_any_moment() {
    assert_eq!(losses(Synchronous::Full).await, 0);
}

/// Shows that the cuts above can lose something.
#[tokio::test]
async fn a_power_cut_loses_what_the_setting_normal_does_not_sync() {
    assert!(losses(Synchronous::Normal).await > 0);
}

#[tokio::test]
async fn a_request_that_cannot_be_synced_fails() {
    let dir = Arc::new(tempfile::tempdir().expect("a folder"));
    std::fs::create_dir(dir.path().join("resources")).expect("a folder");
    std::fs::write(dir.path().join("resources/all.yaml"), BASICS).expect("written");
    let recorder = Recorder::start(dir.path());
    let bench = Bench::bind_in(dir.clone(), Clock::stepped(start()), vec![App::new("orders")])
        .await
        .expect("good resources");
    let save = async |key: &str| {
        let body = format!(r#"[{{"key":"{key}","value":{{"n":1}}}}]"#);
        bench.post("/v1.0/state/statestore", &body).await.status
    };
    recorder.fail_syncs(1);
    assert_eq!((save("failed").await, save("saved").await), (500, 204));
    let after = tempfile::tempdir().expect("a folder");
    let image = Disk::at(&recorder.record(), recorder.moment()).cut(Unsynced::Lost);
    image.write_to(after.path()).expect("written");
    let found = Found::read(&open(after.path()));
    assert_eq!(found.state, HashMap::from([("saved".to_owned(), 1)]));
}
