//! People at work, and what they were promised.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;

use http::Method;
use jiff::Timestamp;
use nudge::{DataDir, TokenRequest, mint};
use nudge_test_kit::http::{Answer, Call, Session};
use rusqlite::Connection;
use serde_json::{Value, json};

/// What an answer said: at that version, or a later one, a task is as it says.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    pub(crate) id: String,
    pub(crate) version: i64,
    title: String,
    pub(crate) deleted: bool,
    /// The `Idempotency-Key` whose answer is kept.
    key: Option<String>,
}

/// Promises, and when each was made.
pub(crate) type Promises = Mutex<Vec<(usize, Promise)>>;

/// A token of the user `alice`.
pub(crate) fn token(data: &DataDir) -> String {
    let request = TokenRequest {
        user: "alice".to_owned(),
        email: Some("alice@example.com".to_owned()),
        time_zone: Some("Europe/Berlin".to_owned()),
        hours: 1,
    };
    mint(data, &request, Timestamp::now().as_second()).unwrap()
}

pub(crate) fn address(url: &str) -> SocketAddr {
    url.trim_start_matches("http://").parse().unwrap()
}

/// One of the windows that the user has open.
pub(crate) struct Window<'a> {
    pub(crate) number: usize,
    pub(crate) address: SocketAddr,
    pub(crate) token: &'a str,
    pub(crate) promises: &'a Promises,
    /// When it is.
    pub(crate) moment: &'a (dyn Fn() -> usize + Sync),
}

impl Window<'_> {
    /// Creates, changes, completes, lists and deletes tasks, until all is done or no answer comes any more.
    pub(crate) async fn work(&self, turns: usize) -> anyhow::Result<()> {
        let mut session = Session::open(self.address).await?;
        for turn in 0..turns {
            let key = format!("w{}-t{turn}", self.number);
            let task = json!({
                "title": format!("{key} new"), "description": "x".repeat(3_000), "due": "2030-01-01T12:00:00Z",
                "reminders": [{ "minutesBefore": 10 }, { "minutesBefore": 60 }],
            });
            let call = self
                .call(Method::POST, "/api/v1/tasks")
                .header("idempotency-key", &key);
            let task = self.promised(session.send(call.json(&task)).await?, 201, Some(key.clone()));
            let path = format!("/api/v1/tasks/{}", task["id"].as_str().unwrap());
            let patch = json!({ "title": format!("{key} changed"), "priority": "high" });
            let call = self.call(Method::PATCH, &path).json(&patch);
            self.promised(session.send(call).await?, 200, None);
            let call = self.call(Method::POST, &format!("{path}/complete"));
            let task = self.promised(session.send(call).await?, 200, None);
            if turn % 2 == 1 {
                let answer = session.send(self.call(Method::DELETE, &path)).await?;
                assert_eq!(answer.status, 204, "{:?}", answer.body);
                let promise = Promise {
                    deleted: true,
                    ..promise(&task)
                };
                self.promises.lock().unwrap().push(((self.moment)(), promise));
            }
            // What a user has seen is promised, too, no matter who wrote it.
            let call = self.call(Method::GET, "/api/v1/tasks?sort=updated&limit=5");
            let answer = session.send(call).await?;
            let now = (self.moment)();
            for task in answer.json()?["items"].as_array().unwrap() {
                self.promises.lock().unwrap().push((now, promise(task)));
            }
        }
        Ok(())
    }

    fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.address, method, path).bearer(self.token)
    }

    fn promised(&self, answer: Answer, status: u16, key: Option<String>) -> Value {
        let now = (self.moment)();
        assert_eq!(answer.status, status, "{:?}", answer.body);
        let task = answer.json().unwrap();
        let promise = Promise {
            key,
            ..promise(&task)
        };
        self.promises.lock().unwrap().push((now, promise));
        task
    }
}

fn promise(task: &Value) -> Promise {
    let text = |name: &str| task[name].as_str().unwrap().to_owned();
    Promise {
        id: text("id"),
        version: task["version"].as_i64().unwrap(),
        title: text("title"),
        deleted: false,
        key: None,
    }
}

/// What is in the databases of a data folder.
#[derive(Default)]
pub(crate) struct Found {
    /// Version, title, and whether it is deleted, of each task.
    tasks: HashMap<String, (i64, String, bool)>,
    keys: HashSet<String>,
    /// Events that are marked as published, and that the broker does not have.
    pub(crate) lost_events: Vec<String>,
}

fn open(file: &Path) -> Connection {
    let database = Connection::open(file).unwrap();
    // Only looked at: nothing is to wait for the disk.
    database.pragma_update(None, "synchronous", "OFF").unwrap();
    let sound: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok", "{}", file.display());
    database
}

fn has_table(database: &Connection, name: &str) -> bool {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = ?1";
    database
        .query_row(sql, [name], |row| row.get::<_, i64>(0))
        .unwrap()
        == 1
}

fn rows<T>(
    database: &Connection,
    sql: &str,
    row: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Vec<T> {
    let mut statement = database.prepare(sql).unwrap();
    statement
        .query_map([], |found| row(found))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

impl Found {
    /// Reads them, and sees that nothing is there without what belongs to it.
    pub(crate) fn read(folder: &Path) -> Self {
        let application = open(&folder.join("sqlite_db.db"));
        let sidecars = open(&folder.join("dapr.db"));
        // The migrations of the schema are repeated until the last one is done.
        if !has_table(&application, "idempotency") {
            return Self::default();
        }
        let tasks = rows(
            &application,
            "SELECT id, version, title, deleted_at FROM task",
            |row| {
                Ok((
                    row.get(0)?,
                    (row.get(1)?, row.get(2)?, row.get::<_, Option<i64>>(3)?.is_some()),
                ))
            },
        );
        let events: HashMap<(String, i64), bool> = rows(
            &application,
            "SELECT task_id, version, published_at FROM task_event",
            |row| {
                Ok((
                    (row.get(0)?, row.get(1)?),
                    row.get::<_, Option<i64>>(2)?.is_some(),
                ))
            },
        )
        .into_iter()
        .collect();
        for (id, (version, ..)) in &tasks {
            for version in 1..=*version {
                assert!(
                    events.contains_key(&(String::clone(id), version)),
                    "{id} has the event of version {version}"
                );
            }
        }
        let without = "SELECT count(*) FROM task t, json_each(t.reminders) r WHERE NOT EXISTS
                       (SELECT 1 FROM reminder WHERE id = r.value ->> 'id' AND status = r.value ->> 'status')";
        let without: i64 = application.query_row(without, [], |row| row.get(0)).unwrap();
        assert_eq!(without, 0, "the index has each reminder of each task");
        // The broker's answer comes before an event is marked.
        let published =
            "SELECT DISTINCT CAST(body AS TEXT) ->> '$.id' FROM message WHERE topic = 'task-events'";
        let published: HashSet<String> = match has_table(&sidecars, "message") {
            true => rows(&sidecars, published, |row| row.get(0)).into_iter().collect(),
            false => HashSet::new(),
        };
        let marked = events.iter().filter(|(_, marked)| **marked);
        let lost_events = marked
            .map(|((id, version), _)| format!("{id}:{version}"))
            .filter(|event| !published.contains(event))
            .collect();
        let keys = "SELECT key FROM idempotency WHERE status IS NOT NULL";
        Self {
            tasks: tasks.into_iter().collect(),
            keys: rows(&application, keys, |row| row.get(0)).into_iter().collect(),
            lost_events,
        }
    }

    /// Whether it is as was promised, or as a user made it later.
    pub(crate) fn keeps(&self, promise: &Promise) -> bool {
        let kept = self
            .tasks
            .get(&promise.id)
            .is_some_and(|(version, title, deleted)| {
                if promise.deleted {
                    return *deleted;
                }
                *version > promise.version || (*version == promise.version && *title == promise.title)
            });
        kept && promise.key.as_ref().is_none_or(|key| self.keys.contains(key))
    }
}
