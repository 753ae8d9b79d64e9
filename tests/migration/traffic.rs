//! Users who write all the time, to the system that they are sent to, and a ledger of acknowledged writes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::RwLock;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::old::OldApp;
use crate::system::{World, ask, until};

/// The users; numbers, as in the old events.
pub(crate) const USERS: [&str; 4] = ["1", "2", "3", "4"];

/// Between two requests of a user.
const PACE: Duration = Duration::from_millis(400);

/// The system that a user writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Old,
    Nudge,
}

/// What a user was told of a task. Its key is in its description, which never changes.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) user: String,
    pub(crate) title: String,
    pub(crate) priority: String,
    pub(crate) completed: bool,
    pub(crate) deleted: bool,
    /// A recurring task: how often it was completed. Each time, one more task follows.
    pub(crate) completions: Option<usize>,
}

/// What all users share.
pub(crate) struct Shared {
    old: Arc<OldApp>,
    old_tables: Arc<Client>,
    tables: Arc<Client>,
    address: SocketAddr,
    tokens: BTreeMap<String, String>,
    sides: Mutex<BTreeMap<String, Side>>,
    /// Held by requests; a holder of the exclusive lock looks at a system in which no user writes.
    pub(crate) gate: RwLock<()>,
    pub(crate) told: Mutex<BTreeMap<String, Told>>,
    pub(crate) accepted: AtomicU64,
    pub(crate) refused: Mutex<Vec<String>>,
    /// What was not shown yet where a user was sent just now, and therefore not changed.
    pub(crate) not_shown: AtomicU64,
    end: AtomicBool,
}

/// The users at work.
pub(crate) struct Traffic {
    pub(crate) shared: Arc<Shared>,
    writers: Vec<JoinHandle<()>>,
}

impl Traffic {
    pub(crate) fn start(world: &World) -> Self {
        let shared = Arc::new(Shared {
            old: world.old.clone(),
            old_tables: world.old_tables.clone(),
            tables: world.tables.clone(),
            address: world.address(),
            tokens: USERS.map(|user| (user.to_owned(), world.token(user))).into(),
            sides: Mutex::new(USERS.map(|user| (user.to_owned(), Side::Old)).into()),
            gate: RwLock::new(()),
            told: Mutex::default(),
            accepted: AtomicU64::new(0),
            refused: Mutex::default(),
            not_shown: AtomicU64::new(0),
            end: AtomicBool::new(false),
        });
        let writers = USERS.map(|user| tokio::spawn(write(shared.clone(), user)));
        Self {
            shared,
            writers: writers.into(),
        }
    }

    /// Sends users to a system, from their next request on.
    pub(crate) fn send(&self, users: &[&str], side: Side) {
        let mut sides = self.shared.sides.lock().unwrap();
        sides.extend(users.iter().map(|user| ((*user).to_owned(), side)));
    }

    /// Returns when so many more writes were accepted.
    pub(crate) async fn more(&self, writes: u64) {
        let goal = self.shared.accepted.load(Ordering::Relaxed) + writes;
        let enough = async || self.shared.accepted.load(Ordering::Relaxed) >= goal;
        until(&format!("{writes} more writes"), enough).await;
    }

    /// Ends the users' work.
    pub(crate) async fn end(self) -> Arc<Shared> {
        self.shared.end.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.await.expect("no panic");
        }
        self.shared
    }
}

async fn write(shared: Arc<Shared>, user: &'static str) {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    for n in 0_usize.. {
        pace.tick().await;
        if shared.end.load(Ordering::Relaxed) {
            return;
        }
        let _writing = shared.gate.read().await;
        shared.step(user, n).await;
    }
}

/// Due tomorrow, in whole seconds.
fn tomorrow() -> String {
    let at = Timestamp::now() + SignedDuration::from_hours(24);
    Timestamp::from_second(at.as_second())
        .expect("an instant")
        .to_string()
}

impl Shared {
    pub(crate) fn side(&self, user: &str) -> Side {
        self.sides.lock().unwrap()[user]
    }

    /// The n-th action of a user.
    async fn step(&self, user: &str, n: usize) {
        match n % 8 {
            0 | 4 => self.create(user, n, false).await,
            7 if n % 16 == 7 => self.create(user, n, true).await,
            1 | 5 => {
                let title = format!("Title {n} of {user}");
                self.change(user, n, json!({ "title": title }), |told| {
                    told.title = title.clone()
                })
                .await;
            }
            2 => {
                let priority = ["low", "high", "urgent"][n / 8 % 3];
                let change = json!({ "priority": priority });
                self.change(user, n, change, |told| told.priority = priority.to_owned())
                    .await;
            }
            3 => self.complete(user, n, false).await,
            6 => self.delete(user, n).await,
            _ => self.complete(user, n, true).await,
        }
    }

    async fn create(&self, user: &str, n: usize, recurring: bool) {
        let key = format!("{user}-{n:05}");
        self.create_as(user, &key, recurring).await;
    }

    pub(crate) async fn create_as(&self, user: &str, key: &str, recurring: bool) {
        let told = Told {
            user: user.to_owned(),
            title: format!("Task {key}"),
            priority: "medium".to_owned(),
            completed: false,
            deleted: false,
            completions: recurring.then_some(0),
        };
        let mut body = json!({ "title": told.title, "description": key, "priority": told.priority });
        let (status, answer) = match self.side(user) {
            Side::Old => {
                if recurring {
                    body["due_date"] = json!(tomorrow());
                    body["recurrence_rule"] = json!("daily");
                }
                let path = format!("/users/{user}/tasks");
                self.old.ask(Method::POST, &path, &body).await
            }
            Side::Nudge => {
                if recurring {
                    body["due"] = json!(tomorrow());
                    body["recurrence"] = json!("daily");
                }
                self.ask_nudge(user, Method::POST, "/api/v1/tasks", &body).await
            }
        };
        if self.noted(status, &answer) {
            self.told.lock().unwrap().insert(key.to_owned(), told);
        }
    }

    async fn change(&self, user: &str, n: usize, body: Value, note: impl FnOnce(&mut Told)) {
        let Some((key, id)) = self.pick(user, n, false).await else {
            return;
        };
        let (status, answer) = match self.side(user) {
            Side::Old => self.old.ask(Method::PATCH, &format!("/tasks/{id}"), &body).await,
            Side::Nudge => {
                self.ask_nudge(user, Method::PATCH, &format!("/api/v1/tasks/{id}"), &body)
                    .await
            }
        };
        self.note(status, &answer, &key, note);
    }

    async fn complete(&self, user: &str, n: usize, recurring: bool) {
        if let Some((key, id)) = self.pick(user, n, recurring).await {
            self.complete_one(user, &key, &id).await;
        }
    }

    pub(crate) async fn complete_one(&self, user: &str, key: &str, id: &str) {
        let (status, answer) = match self.side(user) {
            Side::Old => {
                let path = format!("/tasks/{id}/complete");
                self.old.ask(Method::POST, &path, &Value::Null).await
            }
            Side::Nudge => {
                let path = format!("/api/v1/tasks/{id}/complete");
                self.ask_nudge(user, Method::POST, &path, &json!({})).await
            }
        };
        self.note(status, &answer, key, |told| match &mut told.completions {
            Some(completions) => *completions += 1,
            None => told.completed = true,
        });
    }

    async fn delete(&self, user: &str, n: usize) {
        let Some((key, id)) = self.pick(user, n, false).await else {
            return;
        };
        let (status, answer) = match self.side(user) {
            Side::Old => {
                self.old
                    .ask(Method::DELETE, &format!("/tasks/{id}"), &Value::Null)
                    .await
            }
            Side::Nudge => {
                self.ask_nudge(user, Method::DELETE, &format!("/api/v1/tasks/{id}"), &json!({}))
                    .await
            }
        };
        self.note(status, &answer, &key, |told| told.deleted = true);
    }

    /// One of the user's tasks that can be changed, and its id where the user is: what is not shown there yet is left alone.
    async fn pick(&self, user: &str, n: usize, recurring: bool) -> Option<(String, String)> {
        let (key, rows) = {
            let told = self.told.lock().unwrap();
            let open: Vec<_> = told
                .iter()
                // What a step made for itself is the step's.
                .filter(|(key, _)| key.starts_with(&format!("{user}-")))
                .filter(|(_, told)| told.user == user && told.completions.is_some() == recurring)
                .filter(|(_, told)| !told.completed && !told.deleted)
                .collect();
            let (key, told) = open.get(n % open.len().max(1))?;
            ((*key).clone(), told.completions.unwrap_or(0) + 1)
        };
        let id = self.shown(self.side(user), &key, rows).await;
        if id.is_none() {
            self.not_shown.fetch_add(1, Ordering::Relaxed);
        }
        Some((key, id?))
    }

    /// The id of the task of this key that is still to do, if that side shows so many tasks of the key.
    pub(crate) async fn shown(&self, side: Side, key: &str, rows: usize) -> Option<String> {
        let (tables, sql) = match side {
            Side::Old => (
                &self.old_tables,
                "SELECT id::text, completed FROM tasks WHERE description = $1",
            ),
            Side::Nudge => (
                &self.tables,
                "SELECT id, status = 'completed' FROM task WHERE description = $1 AND deleted_at IS NULL",
            ),
        };
        let found = tables.query(sql, &[&key]).await.expect("rows");
        let open: Vec<_> = found.iter().filter(|row| !row.get::<_, bool>(1)).collect();
        match open[..] {
            [open] if found.len() == rows => Some(open.get(0)),
            _ => None,
        }
    }

    pub(crate) async fn ask_nudge(
        &self,
        user: &str,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (u16, Value) {
        ask(self.address, &self.tokens[user], method, path, body).await
    }

    fn note(&self, status: u16, answer: &Value, key: &str, note: impl FnOnce(&mut Told)) {
        if self.noted(status, answer) {
            note(self.told.lock().unwrap().get_mut(key).expect("a known task"));
        }
    }

    fn noted(&self, status: u16, answer: &Value) -> bool {
        if status < 300 {
            self.accepted.fetch_add(1, Ordering::Relaxed);
        } else {
            self.refused.lock().unwrap().push(format!("{status} {answer}"));
        }
        status < 300
    }
}
