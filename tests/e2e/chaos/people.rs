//! People who use Nudge whatever happens, and what they must find in the end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::Method;
use jiff::Timestamp;
use nudge_test_kit::http::{Answer, Call};
use serde_json::{Value, json};

use crate::observer::{instant, text};
use test_real::in_seconds;

/// How long a person waits for an answer before asking again.
const IMPATIENCE: Duration = Duration::from_secs(10);

/// How long a person asks for the same thing. A key of a dead attempt is free after a minute.
const STUBBORNNESS: Duration = Duration::from_secs(180);

/// A task as its owner was told it is.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) due: Timestamp,
    pub(crate) completed: bool,
    pub(crate) deleted: bool,
    pub(crate) recurring: bool,
    reminder: String,
}

/// What a person did.
#[derive(Debug, Default)]
pub(crate) struct Deeds {
    pub(crate) tasks: Vec<Expected>,
    /// Changes that were answered, by kind.
    pub(crate) accepted: BTreeMap<&'static str, u64>,
    /// Requests that had no usable answer and were sent again.
    pub(crate) again: u64,
    /// What cannot be.
    pub(crate) complaints: Vec<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) api: SocketAddr,
}

impl Person {
    pub(crate) fn call(&self, method: Method, path: &str) -> Call {
        Call::new(self.api, method, path).bearer(&self.token)
    }

    /// All their tasks. None when the api does not answer.
    pub(crate) async fn tasks(&self) -> Option<Vec<Value>> {
        let mut tasks = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/tasks?limit=100&cursor={cursor}");
            let answer = self.call(Method::GET, &path).send().await.ok()?;
            let page = (answer.status == 200).then(|| answer.json().ok()).flatten()?;
            tasks.extend(page["items"].as_array()?.iter().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => return Some(tasks),
            }
        }
    }

    /// Creates, moves, renames, snoozes, completes and deletes for a while.
    pub(crate) async fn live(self, mut random: fastrand::Rng, during: Duration) -> Deeds {
        let begun = Instant::now();
        let mut deeds = Deeds::default();
        let mut number = 0;
        while begun.elapsed() < during {
            tokio::time::sleep(Duration::from_millis(random.u64(50..900))).await;
            number += 1;
            let open: Vec<usize> = (0..deeds.tasks.len())
                .filter(|index| !deeds.tasks[*index].completed && !deeds.tasks[*index].deleted)
                .collect();
            let chosen = random.choice(&open).copied();
            match (random.u32(..100), chosen) {
                (0..40, _) | (_, None) => self.create(&mut deeds, &mut random, number).await,
                (40..60, Some(task)) => {
                    let due = soon(&mut random);
                    let patch = json!({ "due": due.to_string() });
                    if self.patch(&mut deeds, "moved", task, &patch).await {
                        deeds.tasks[task].due = due;
                    }
                }
                (60..70, Some(task)) => {
                    let title = format!("{} {number}", deeds.tasks[task].title);
                    if self
                        .patch(&mut deeds, "renamed", task, &json!({ "title": title }))
                        .await
                    {
                        deeds.tasks[task].title = title;
                    }
                }
                (70..80, Some(task)) => self.snooze(&mut deeds, &mut random, task, number).await,
                (80..92, Some(task)) => self.complete(&mut deeds, task, number).await,
                (_, Some(task)) => self.delete(&mut deeds, task).await,
            }
        }
        deeds
    }

    async fn create(&self, deeds: &mut Deeds, random: &mut fastrand::Rng, number: u64) {
        let due = soon(random);
        let title = format!("{} {number}", self.name);
        let recurring = random.u32(..4) == 0;
        let mut task =
            json!({ "title": title, "due": due.to_string(), "reminders": [{ "minutesBefore": 1 }] });
        if recurring {
            task["recurrence"] = json!("daily");
        }
        let key = format!("{}-{number}", self.name);
        let Some(answer) = self
            .ask(deeds, Method::POST, "/api/v1/tasks", Some((&task, &key)))
            .await
        else {
            return;
        };
        if answer.status != 201 {
            return deeds.complain(&title, &answer);
        }
        deeds.count("created");
        let task = answer.json().expect("a task");
        deeds.tasks.push(Expected {
            id: text(&task, "id"),
            title,
            due,
            completed: false,
            deleted: false,
            recurring,
            reminder: text(&task["reminders"][0], "id"),
        });
    }

    async fn patch(&self, deeds: &mut Deeds, what: &'static str, task: usize, patch: &Value) -> bool {
        let path = deeds.path(task);
        let Some(answer) = self.ask(deeds, Method::PATCH, &path, Some((patch, ""))).await else {
            return false;
        };
        if answer.status != 200 {
            deeds.complain(&path, &answer);
            return false;
        }
        deeds.count(what);
        true
    }

    async fn snooze(&self, deeds: &mut Deeds, random: &mut fastrand::Rng, task: usize, number: u64) {
        let until = in_seconds(random.i64(5..40));
        let body = json!({ "until": until.to_string() });
        let path = format!(
            "{}/reminders/{}/snooze",
            deeds.path(task),
            deeds.tasks[task].reminder
        );
        let key = format!("{}-{number}", self.name);
        let Some(answer) = self.ask(deeds, Method::POST, &path, Some((&body, &key))).await else {
            return;
        };
        match answer.status.as_u16() {
            200 => deeds.count("snoozed"),
            // So many attempts later, it is not ahead any more. Whether it was done the events tell.
            400 => deeds.count("snoozed too late"),
            _ => deeds.complain(&path, &answer),
        }
    }

    async fn complete(&self, deeds: &mut Deeds, task: usize, number: u64) {
        let path = format!("{}/complete", deeds.path(task));
        let key = format!("{}-{number}", self.name);
        let Some(answer) = self
            .ask(deeds, Method::POST, &path, Some((&json!({}), &key)))
            .await
        else {
            return;
        };
        if answer.status != 200 {
            return deeds.complain(&path, &answer);
        }
        deeds.count("completed");
        deeds.tasks[task].completed = true;
    }

    async fn delete(&self, deeds: &mut Deeds, task: usize) {
        let path = deeds.path(task);
        let Some(answer) = self.ask(deeds, Method::DELETE, &path, None).await else {
            return;
        };
        // The second time it is gone already.
        if answer.status != 204 && answer.status != 404 {
            return deeds.complain(&path, &answer);
        }
        deeds.count("deleted");
        deeds.tasks[task].deleted = true;
    }

    /// Asks until there is an answer that is one.
    async fn ask(
        &self,
        deeds: &mut Deeds,
        method: Method,
        path: &str,
        body: Option<(&Value, &str)>,
    ) -> Option<Answer> {
        let begun = Instant::now();
        while begun.elapsed() < STUBBORNNESS {
            let mut call = self.call(method.clone(), path);
            if let Some((body, key)) = body {
                call = call.json(body);
                if !key.is_empty() {
                    call = call.header("idempotency-key", key);
                }
            }
            let answer = tokio::time::timeout(IMPATIENCE, call.send()).await;
            if let Ok(Ok(answer)) = answer {
                let passes = answer.status.is_server_error()
                    || (answer.status == 409 && !answer.header("retry-after").is_empty());
                if !passes {
                    return Some(answer);
                }
            }
            deeds.again += 1;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        deeds
            .complaints
            .push(format!("{method} {path} had no answer for {STUBBORNNESS:?}"));
        None
    }
}

impl Deeds {
    fn path(&self, task: usize) -> String {
        format!("/api/v1/tasks/{}", self.tasks[task].id)
    }

    fn count(&mut self, what: &'static str) {
        *self.accepted.entry(what).or_default() += 1;
    }

    fn complain(&mut self, about: &str, answer: &Answer) {
        let body = String::from_utf8_lossy(&answer.body);
        self.complaints.push(format!("{about}: {} {body}", answer.status));
    }
}

/// A due date whose reminder, a minute before, is ahead by some seconds.
fn soon(random: &mut fastrand::Rng) -> Timestamp {
    in_seconds(60 + random.i64(3..40))
}

/// What is wrong with a task, if anything.
pub(crate) fn differs(expected: &Expected, task: &Value) -> Option<String> {
    let status = if expected.completed {
        "completed"
    } else {
        "pending"
    };
    let same =
        task["title"] == expected.title && instant(&task["due"]) == expected.due && task["status"] == status;
    (!same).then(|| format!("{expected:?} is {task}"))
}
