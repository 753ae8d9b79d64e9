//! Tools on one task.

use nudge_domain::characters::isolated;
use nudge_domain::id::TaskId;
use nudge_domain::task::{Description, MAX_TAGS, NewTask, Priority, Status, Task, TaskFields, TaskPatch};
use serde_json::{Map, Value, json};

use crate::guard::idempotency::NewIds;
use crate::mcp::arguments::{Arguments, Empty};
use crate::mcp::call::{Call, Done};
use crate::mcp::error::Failure;
use crate::mcp::{schema, text, view};
use crate::tasks::record;
use crate::tasks::service::{self, Scope};
use crate::version::{Conditions, Thing};

const DUE_DATE: &str = "When it is due, in the user's time zone: 2026-12-01T09:00, 2026-12-01 (the end of that day), an \
                        instant with offset, or a phrase such as \"tomorrow 9am\", \"friday 14:00\", \"in 3 days\".";
const RECURRENCE_RULE: &str = "How it repeats, from due_date on: a phrase such as \"daily\", \"every weekday\", \"every 2 weeks\", \
                               \"monthly\", or an RFC 5545 RRULE such as FREQ=MONTHLY;BYDAY=2TU. Needs a due_date.";

/// What both adding and changing take.
fn fields() -> Map<String, Value> {
    let fields = json!({
        "title": { "type": "string", "minLength": 1, "maxLength": 200, "description": "What is to be done, on one line." },
        "description": { "type": "string", "maxLength": 10_000, "description": "More about it." },
        "priority": { "type": "string", "description": "low, medium, high or urgent; medium by default." },
        "category_id": schema::text("UUID of one of the user's categories (list_categories)."),
        "tag_ids": schema::uuids(10, "UUIDs of the user's tags (list_tags): the complete list."),
        "due_date": schema::text(DUE_DATE),
        "recurrence_rule": schema::text(RECURRENCE_RULE),
    });
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

pub(super) fn task_id() -> Value {
    schema::uuid("The task's id, from list_tasks, search_tasks or add_task.")
}

pub(super) fn add_input() -> Value {
    schema::input(Value::Object(fields()), &["title"])
}

pub(super) fn update_input() -> Value {
    let mut fields = fields();
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
    schema::full_output(json!({ "task": schema::task() }))
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
        structured: json!({ "task": view::task(&task) }),
    }
}

/// Reads the arguments of [`fields`]. What cannot be read is not noted here.
fn read(arguments: &mut Arguments, empty: Empty) -> TaskFields {
    TaskFields {
        title: arguments.text("title", Empty::Kept),
        description: arguments.parsed::<Description>("description", empty, |error| error.code()),
        priority: arguments.parsed::<Priority>("priority", empty, |error| error.code()),
        category: arguments.optional_id("category_id", empty),
        tags: arguments.ids("tag_ids", empty, MAX_TAGS),
        due: arguments.text("due_date", empty),
        recurrence: arguments.text("recurrence_rule", empty),
        ..TaskFields::default()
    }
}

/// Reads `task_id`.
pub(super) fn read_id(arguments: &mut Arguments) -> Result<TaskId, Failure> {
    arguments.id("task_id", Thing::Task)
}

/// `add_task`.
pub(super) async fn add(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let mut fields = read(&mut arguments, Empty::Ignored);
    fields.unreadable = arguments.unreadable()?;
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
        structured: json!({ "task": view::task(&task) }),
    })
}

/// `update_task`.
pub(super) async fn update(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let id = read_id(&mut arguments)?;
    let mut fields = read(&mut arguments, Empty::Clears);
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

#[cfg(test)]
mod tests {
    use super::*;
    use nudge_domain::{Due, parse_recurrence};

    /// What a description has in quotation marks.
    fn quoted(description: &str) -> Vec<&str> {
        description.split('"').skip(1).step_by(2).collect()
    }

    #[test]
    fn the_phrases_that_models_are_told_are_understood() {
        let zone = "Europe/Berlin".parse().unwrap();
        let now = "2026-11-21T12:00:00Z".parse().unwrap();
        for phrase in quoted(DUE_DATE) {
            assert!(Due::parse_or_phrase(phrase, &zone, now).is_ok(), "{phrase}");
        }
        for phrase in quoted(RECURRENCE_RULE) {
            assert!(parse_recurrence(phrase).is_ok(), "{phrase}");
        }
        assert_eq!((quoted(DUE_DATE).len(), quoted(RECURRENCE_RULE).len()), (3, 4));
    }
}
