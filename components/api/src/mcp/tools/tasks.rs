//! Tools on one task.

use nudge_domain::characters::isolated;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Call, Done};
use crate::input::conditions::Conditions;
use crate::mcp::arguments::{Arguments, Empty};
use crate::mcp::error::{Failure, TASK_NOT_FOUND};
use crate::mcp::{schema, text, view};
use crate::tasks::record::TaskRecord;
use crate::tasks::service::{self, Scope};

const DUE_DATE: &str = "When it is due, in the user's time zone: 2026-12-01T09:00, 2026-12-01 (the end of that day), an \
                        instant with offset, or a phrase such as \"tomorrow 9am\", \"friday 14:00\", \"in 3 days\".";
const RECURRENCE_RULE: &str = "How it repeats, from due_date on: a phrase such as \"daily\", \"every weekday\", \"every 2 weeks\", \
                               \"monthly\", or an RFC 5545 RRULE such as FREQ=MONTHLY;BYDAY=2TU. Needs a due_date.";

/// What both adding and changing take.
fn fields() -> Map<String, Value> {
    let fields = json!({
        "title": { "type": "string", "minLength": 1, "maxLength": 200, "description": "What is to be done, on one line." },
        "description": { "type": "string", "maxLength": 10_000, "description": "More about it." },
        "priority": { "type": "string", "description": "low, medium, high or urgent; medium when not said." },
        "category_id": schema::text("UUID of one of the user's categories (list_categories)."),
        "tag_ids": schema::uuids(10, "UUIDs of the user's tags (list_tags), the whole list."),
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
        schema::flag("true completes the task, false takes that back."),
    );
    schema::input(Value::Object(fields), &["task_id"])
}

pub(super) fn one_input() -> Value {
    schema::input(json!({ "task_id": task_id() }), &["task_id"])
}

pub(super) fn delete_input() -> Value {
    let scope = schema::choice(
        &["series", "occurrence"],
        "Of a recurring task: series ends it (when not said), occurrence skips this one and creates the next.",
    );
    schema::input(json!({ "task_id": task_id(), "scope": scope }), &["task_id"])
}

pub(super) fn deleted_output() -> Value {
    schema::output(json!({
        "deleted": schema::flag("Always true."),
        "task_id": schema::uuid("The task that was deleted."),
        "title": schema::text("Its title."),
    }))
}

/// The answer that shows a task.
pub(super) fn shown(said: &str, task: &TaskRecord) -> Done {
    let task = task.view();
    Done {
        text: format!("{said} {}", text::task(&task)),
        structured: json!({ "task": view::task(&task) }),
    }
}

/// The arguments of [`fields`] as a REST body.
fn body(arguments: &mut Arguments, empty: Empty) -> Map<String, Value> {
    let mut body = Map::new();
    arguments.put(&mut body, "title", "title", Empty::Kept);
    arguments.put(&mut body, "description", "description", empty);
    arguments.put(&mut body, "priority", "priority", empty);
    arguments.put(&mut body, "category_id", "categoryId", empty);
    arguments.put(&mut body, "tag_ids", "tagIds", empty);
    arguments.put(&mut body, "due_date", "due", empty);
    arguments.put(&mut body, "recurrence_rule", "recurrence", empty);
    body
}

/// `add_task`.
pub(super) async fn add(call: Call) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(call.arguments);
    let body = body(&mut arguments, Empty::Ignored);
    arguments.finish()?;
    let task = service::create(&call.user, body, &call.trace).await?;
    Ok(shown("Added", &task))
}

/// `get_task`.
pub(super) async fn get(call: Call) -> Result<Done, Failure> {
    let id = only_id(call.arguments)?;
    let task = service::read(&call.user, id).await?.view();
    Ok(Done {
        text: text::whole(&task),
        structured: json!({ "task": view::task(&task) }),
    })
}

/// `update_task`.
pub(super) async fn update(call: Call) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(call.arguments);
    let id = arguments.id("task_id", TASK_NOT_FOUND)?;
    let mut body = body(&mut arguments, Empty::Clears);
    if let Some(completed) = arguments.flag("completed") {
        let status = if completed { "completed" } else { "pending" };
        body.insert("status".to_owned(), json!(status));
    }
    arguments.finish()?;
    let task = service::patch(&call.user, id, &Conditions::NONE, &body, &call.trace).await?;
    Ok(shown("Changed", &task))
}

/// `complete_task`.
pub(super) async fn complete(call: Call) -> Result<Done, Failure> {
    let id = only_id(call.arguments)?;
    let task = service::complete(&call.user, id, &Conditions::NONE, &call.trace).await?;
    let mut done = shown("Completed", &task);
    if task.recurrence.is_some() {
        done.text
            .push_str(". Its next occurrence, if there is one, is created in a moment");
    }
    Ok(done)
}

/// `delete_task`.
pub(super) async fn delete(call: Call) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(call.arguments);
    let id = arguments.id("task_id", TASK_NOT_FOUND)?;
    let mut chosen = Vec::new();
    let scopes = [("series", "series"), ("occurrence", "occurrence")];
    arguments.choice(&mut chosen, "scope", "scope", &scopes);
    arguments.finish()?;
    let scope = match chosen.first() {
        Some((_, scope)) => scope.parse()?,
        None => Scope::default(),
    };
    let task = service::read(&call.user, id).await?;
    service::delete(&call.user, id, &Conditions::NONE, scope, &call.trace).await?;
    Ok(Done {
        text: format!("Deleted “{}”", isolated(&task.title)),
        structured: json!({ "deleted": true, "task_id": id, "title": task.title }),
    })
}

fn only_id(arguments: Map<String, Value>) -> Result<Uuid, Failure> {
    let mut arguments = Arguments::new(arguments);
    let id = arguments.id("task_id", TASK_NOT_FOUND)?;
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
