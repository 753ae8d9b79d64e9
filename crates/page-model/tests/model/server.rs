//! An API as far as edits need one: versions, conditions, idempotency keys, the feed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use nudge_contract::event::Change;
use nudge_contract::task::Task;
use nudge_domain::id::TaskId;
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::{Priority, Status};
use nudge_page_model::feed::Item;
use nudge_page_model::fields::Values;
use nudge_page_model::{Answer, Call, EditId, FieldError, Problem, Request};
use serde_json::{Value, json};
use uuid::Uuid;

/// 2026-12-01T08:00:00Z, a Tuesday.
pub(crate) fn now() -> Timestamp {
    "2026-12-01T08:00:00Z".parse().expect("a timestamp")
}

pub(crate) fn task(n: u128, title: &str) -> Task {
    Task {
        id: Uuid::from_u128(n).into(),
        title: title.to_owned(),
        description: None,
        status: Status::Pending,
        priority: Priority::Medium,
        due: None,
        time_zone: "Europe/Berlin".to_owned(),
        estimate_minutes: None,
        category_id: None,
        tag_ids: Vec::new(),
        recurrence: None,
        recurrence_from: RecurrenceFrom::Due,
        reminders: Vec::new(),
        series_id: None,
        occurrence: 1,
        version: 1,
        created_at: now(),
        updated_at: now(),
        completed_at: None,
    }
}

/// A refusal of one field.
pub(crate) fn problem(status: u16, code: &str, field: &str) -> Problem {
    let error = FieldError {
        field: field.to_owned(),
        code: "invalid".to_owned(),
        message: "this is not allowed here".to_owned(),
    };
    Problem {
        status,
        code: code.to_owned(),
        detail: format!("{field}: this is not allowed here"),
        errors: vec![error],
        ..Problem::default()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Server {
    pub(crate) tasks: BTreeMap<TaskId, Task>,
    pub(crate) log: Vec<Item>,
    /// Edits that were executed, or refused for good.
    pub(crate) executed: BTreeMap<EditId, u32>,
    replies: BTreeMap<EditId, Answer>,
    created: u128,
}

impl Server {
    pub(crate) fn insert(&mut self, task: Task) {
        self.store(task, Change::Created);
    }

    fn store(&mut self, task: Task, kind: Change) {
        self.log.push(Item {
            id: self.log.len().to_string(),
            kind,
            task_id: task.id,
            version: task.version,
            task: task.clone(),
        });
        if kind == Change::Deleted {
            self.tasks.remove(&task.id);
        } else {
            self.tasks.insert(task.id, task);
        }
    }

    /// Another client changes fields.
    pub(crate) fn change(&mut self, id: TaskId, values: &Value) {
        let body = values.as_object().cloned().unwrap_or_default();
        self.patch(id, None, &body);
    }

    pub(crate) fn delete(&mut self, id: TaskId) {
        if let Some(mut task) = self.tasks.get(&id).cloned() {
            task.version += 1;
            self.store(task, Change::Deleted);
        }
    }

    fn patch(&mut self, id: TaskId, version: Option<u32>, body: &Values) -> Answer {
        let Some(task) = self.tasks.get(&id) else {
            return Answer::Gone;
        };
        if version.is_some_and(|version| version != task.version) {
            return Answer::Stale;
        }
        if body
            .get("title")
            .is_some_and(|title| title.as_str().is_some_and(|title| title.starts_with("bad")))
        {
            return Answer::from_problem(problem(400, "validation_error", "title"));
        }
        let mut all = serde_json::to_value(task).expect("a task is JSON");
        for (field, value) in body {
            all[field] = value.clone();
        }
        let mut changed: Task = serde_json::from_value(all).expect("a valid patch");
        changed.completed_at = (changed.status == Status::Completed).then(now);
        if changed != *task {
            let kind = match (task.status, changed.status) {
                (Status::Pending, Status::Completed) => Change::Completed,
                (Status::Completed, Status::Pending) => Change::Reopened,
                _ => Change::Updated,
            };
            changed.version += 1;
            self.store(changed.clone(), kind);
        }
        Answer::Done(Some(Box::new(changed)))
    }

    pub(crate) fn call(&mut self, request: &Request) -> Answer {
        let key = request.edit;
        let post = !matches!(
            request.call,
            Call::Patch { .. } | Call::Delete { .. } | Call::Read { .. }
        );
        if let (true, Some(reply)) = (post, self.replies.get(&key)) {
            return match reply {
                Answer::Done(Some(first)) => Answer::Replayed {
                    first: first.clone(),
                    now: self.tasks.get(&first.id).cloned().map(Box::new),
                },
                other => other.clone(),
            };
        }
        let answer = self.execute(&request.call);
        if !matches!(request.call, Call::Read { .. }) && !matches!(answer, Answer::Stale) {
            *self.executed.entry(key).or_default() += 1;
        }
        if post {
            self.replies.insert(key, answer.clone());
        }
        answer
    }

    fn execute(&mut self, call: &Call) -> Answer {
        let status = |status: &str| {
            json!({ "status": status })
                .as_object()
                .cloned()
                .unwrap_or_default()
        };
        match call {
            Call::Create { body } => {
                if body["title"]
                    .as_str()
                    .is_some_and(|title| title.starts_with("bad"))
                {
                    return Answer::from_problem(problem(400, "validation_error", "title"));
                }
                self.created += 1;
                let new = task(1_000_000 + self.created, "");
                let mut all = serde_json::to_value(&new).expect("a task is JSON");
                for (field, value) in body {
                    all[field] = value.clone();
                }
                let new: Task = serde_json::from_value(all).expect("a valid body");
                self.store(new.clone(), Change::Created);
                Answer::Done(Some(Box::new(new)))
            }
            Call::Patch { id, version, body } => self.patch(*id, Some(*version), body),
            Call::Complete { id } => self.patch(*id, None, &status("completed")),
            Call::Reopen { id } => self.patch(*id, None, &status("pending")),
            Call::Delete { id, version, .. } => match self.tasks.get(id) {
                None => Answer::Gone,
                Some(task) if task.version != *version => Answer::Stale,
                Some(_) => {
                    self.delete(*id);
                    Answer::Done(None)
                }
            },
            Call::Snooze { id, .. } | Call::Read { id } => match self.tasks.get(id) {
                None => Answer::Gone,
                Some(task) => Answer::Current(Box::new(task.clone())),
            },
        }
    }
}
