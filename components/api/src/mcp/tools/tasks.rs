//! Tools on one task.

use nudge_domain::characters::isolated;
use nudge_domain::id::TaskId;
use nudge_domain::task::{NewTask, Patch, Status, Task, TaskPatch};
use serde_json::{Value, json};

use super::line;
use crate::guard::idempotency::NewIds;
use crate::mcp::arguments::{Arguments, Empty};
use crate::mcp::call::{Call, Done};
use crate::mcp::error::Failure;
use crate::mcp::{schema, task, text};
use crate::tasks::record;
use crate::tasks::service::{self, Scope};
use crate::version::{Conditions, Thing};

pub(super) fn task_id() -> Value {
    schema::uuid("The task's id, from list_tasks, search_tasks or add_task.")
}

pub(super) fn add_input() -> Value {
    let mut fields = task::arguments();
    let description = "All in one line: \"Pay rent every month 9am !high #home\".";
    fields.insert(line::TEXT.to_owned(), schema::text(description));
    schema::input(Value::Object(fields), &[])
}

pub(super) fn update_input() -> Value {
    let mut fields = task::arguments();
    fields.insert("task_id".to_owned(), task_id());
    fields.insert(
        "completed".to_owned(),
        schema::flag("true completes the task, false reopens it."),
    );
    schema::input(Value::Object(fields), &["task_id"])
}

pub(super) fn one_input() -> Value {
    schema::input(json!({ "task_id": task_id() }), &["task_id"])
}

pub(super) fn delete_input() -> Value {
    let scope = schema::choice(
        &["series", "occurrence"],
        "For a recurring task: series (the default) ends it, occurrence skips this one and creates the next.",
    );
    schema::input(json!({ "task_id": task_id(), "scope": scope }), &["task_id"])
}

/// The one schema that has all of a task and of a refusal.
pub(super) fn get_output() -> Value {
    schema::full_output(json!({ "task": task::shape() }))
}

pub(super) fn deleted_output() -> Value {
    schema::output(json!({
        "deleted": { "const": true },
        "task_id": { "type": "string" },
        "title": { "type": "string" },
    }))
}

/// The answer that shows a task.
pub(super) fn shown(said: &str, task: &Task) -> Done {
    let task = record::view(task);
    Done {
        text: format!("{said} {}", text::task(&task)),
        structured: json!({ "task": task::view(&task) }),
    }
}

/// Reads `task_id`.
pub(super) fn read_id(arguments: &mut Arguments) -> Result<TaskId, Failure> {
    arguments.id("task_id", Thing::Task)
}

/// `add_task`.
pub(super) async fn add(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let mut fields = task::read(&mut arguments, Empty::Ignored);
    let text = arguments.text(line::TEXT, Empty::Ignored);
    fields.unreadable = arguments.unreadable()?;
    if let Patch::Value(text) = text {
        fields = line::fields(call, &text, fields).await?;
    }
    let new = NewTask { fields };
    let task = service::create(call.open().await?, &NewIds::random(), 0, &new).await?;
    Ok(shown("Added", &task))
}

/// `get_task`.
pub(super) async fn get(call: &mut Call, arguments: Arguments) -> Result<Done, Failure> {
    let id = only_id(arguments)?;
    let task = record::view(&service::read(call.open().await?, id).await?);
    Ok(Done {
        text: text::whole(&task),
        structured: json!({ "task": task::view(&task) }),
    })
}

/// `update_task`.
pub(super) async fn update(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let id = read_id(&mut arguments)?;
    let mut fields = task::read(&mut arguments, Empty::Clears);
    let status = arguments.flag("completed").map(|completed| match completed {
        true => Status::Completed,
        false => Status::Pending,
    });
    fields.unreadable = arguments.unreadable()?;
    let patch = TaskPatch { fields, status };
    let task = service::patch(call.open().await?, id, &Conditions::NONE, &patch).await?;
    Ok(shown("Changed", &task))
}

/// `complete_task`.
pub(super) async fn complete(call: &mut Call, arguments: Arguments) -> Result<Done, Failure> {
    let id = only_id(arguments)?;
    let task = service::complete(call.open().await?, id, &Conditions::NONE).await?;
    let mut done = shown("Completed", &task);
    if task.recurrence.is_some() {
        done.text
            .push_str(". Its next occurrence, if there is one, is created in a moment");
    }
    Ok(done)
}

/// `delete_task`.
pub(super) async fn delete(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let id = read_id(&mut arguments)?;
    let scope = arguments.choice("scope", "invalid_scope", &Scope::WORDS);
    arguments.finish()?;
    let caller = call.open().await?;
    let task = service::read(caller, id).await?;
    service::delete(caller, id, &Conditions::NONE, scope.unwrap_or_default()).await?;
    let title = task.title.as_str();
    Ok(Done {
        text: format!("Deleted “{}”", isolated(title)),
        structured: json!({ "deleted": true, "task_id": id, "title": title }),
    })
}

fn only_id(mut arguments: Arguments) -> Result<TaskId, Failure> {
    let id = read_id(&mut arguments)?;
    arguments.finish()?;
    Ok(id)
}
