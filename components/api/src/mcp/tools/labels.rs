//! Tools on categories and tags, and on the tags of a task.

use nudge_component::Problem;
use nudge_domain::characters::isolated;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Call, Done, tasks};
use crate::db::Database;
use crate::input::conditions::Conditions;
use crate::mcp::arguments::{Arguments, Empty};
use crate::mcp::error::{CATEGORY_NOT_FOUND, Failure, TAG_NOT_FOUND, TASK_NOT_FOUND};
use crate::mcp::{schema, text, view};
use crate::tasks::labels;
use crate::tasks::labels::store::{Kind, Label};
use crate::tasks::service;

/// The argument that names a label of a kind, and the code of one that does not exist.
fn names(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Category => ("category_id", CATEGORY_NOT_FOUND),
        Kind::Tag => ("tag_id", TAG_NOT_FOUND),
    }
}

fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Category => "categories",
        Kind::Tag => "tags",
    }
}

fn name(kind: Kind) -> Value {
    let most = match kind {
        Kind::Category => 50,
        Kind::Tag => 30,
    };
    let description = "Its name, on one line; no other may have it.";
    json!({ "type": "string", "minLength": 1, "maxLength": most, "description": description })
}

fn color() -> Value {
    schema::text("Its colour, #rrggbb; grey when not said.")
}

fn id(kind: Kind) -> Value {
    schema::uuid(&format!("Its id, from list_{}.", plural(kind)))
}

/// An object with one member.
fn only(name: &str, value: Value) -> Map<String, Value> {
    [(name.to_owned(), value)].into_iter().collect()
}

pub(super) fn create_input(kind: Kind) -> Value {
    schema::input(json!({ "name": name(kind), "color": color() }), &["name"])
}

pub(super) fn update_input(kind: Kind) -> Value {
    let mut properties = only(names(kind).0, id(kind));
    properties.insert("name".to_owned(), name(kind));
    properties.insert("color".to_owned(), color());
    schema::input(Value::Object(properties), &[names(kind).0])
}

pub(super) fn id_input(kind: Kind) -> Value {
    schema::input(Value::Object(only(names(kind).0, id(kind))), &[names(kind).0])
}

pub(super) fn list_input() -> Value {
    schema::input(json!({}), &[])
}

pub(super) fn wear_input() -> Value {
    schema::input(
        json!({ "task_id": tasks::task_id(), "tag_id": id(Kind::Tag) }),
        &["task_id", "tag_id"],
    )
}

pub(super) fn one_output(kind: Kind) -> Value {
    schema::output(Value::Object(only(kind.name(), schema::label())))
}

pub(super) fn list_output(kind: Kind) -> Value {
    let mut properties = only(plural(kind), json!({ "type": "array", "items": schema::label() }));
    properties.insert(
        "count".to_owned(),
        json!({ "type": "integer", "minimum": 0, "description": "How many there are." }),
    );
    schema::output(Value::Object(properties))
}

pub(super) fn deleted_output(kind: Kind) -> Value {
    let mut properties = only("deleted", schema::flag("Always true."));
    properties.insert(names(kind).0.to_owned(), schema::uuid("What was deleted."));
    schema::output(Value::Object(properties))
}

fn body(arguments: &mut Arguments) -> Map<String, Value> {
    let mut body = Map::new();
    arguments.put(&mut body, "name", "name", Empty::Kept);
    arguments.put(&mut body, "color", "color", Empty::Clears);
    body
}

fn shown(said: &str, kind: Kind, label: &Label) -> Done {
    Done {
        text: format!("{said} the {} {}", kind.name(), line(label)),
        structured: Value::Object(only(kind.name(), view::label(label))),
    }
}

fn line(label: &Label) -> String {
    format!("“{}” (id {})", isolated(&label.name), label.id)
}

/// `create_category`, `create_tag`.
pub(super) async fn create(kind: Kind, call: Call) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(call.arguments);
    let body = body(&mut arguments);
    arguments.finish()?;
    let label = labels::service::create(&call.user, kind, Uuid::now_v7(), body)
        .await
        .map_err(|problem| refused(kind, &problem))?;
    Ok(shown("Created", kind, &label))
}

/// `list_categories`, `list_tags`.
pub(super) async fn list(kind: Kind, call: Call) -> Result<Done, Failure> {
    Arguments::new(call.arguments).finish()?;
    let database = Database::open().await.map_err(Problem::from)?;
    let labels = labels::store::list(&database, kind, call.user.id.as_str())
        .await
        .map_err(Problem::from)?;
    let mut text = text::count(labels.len(), kind.name(), plural(kind));
    for label in &labels {
        text.push_str("\n- ");
        text.push_str(&line(label));
    }
    let mut structured = only("count", json!(labels.len()));
    let labels = labels.iter().map(view::label).collect();
    structured.insert(plural(kind).to_owned(), Value::Array(labels));
    Ok(Done {
        text,
        structured: Value::Object(structured),
    })
}

/// `update_category`, `update_tag`.
pub(super) async fn update(kind: Kind, call: Call) -> Result<Done, Failure> {
    let (argument, missing) = names(kind);
    let mut arguments = Arguments::new(call.arguments);
    let id = arguments.id(argument, missing)?;
    let body = body(&mut arguments);
    arguments.finish()?;
    let label = labels::service::patch(&call.user, kind, id, &Conditions::NONE, &body)
        .await
        .map_err(|problem| refused(kind, &problem))?;
    Ok(shown("Changed", kind, &label))
}

/// `delete_category`, `delete_tag`.
pub(super) async fn delete(kind: Kind, call: Call) -> Result<Done, Failure> {
    let (argument, missing) = names(kind);
    let mut arguments = Arguments::new(call.arguments);
    let id = arguments.id(argument, missing)?;
    arguments.finish()?;
    labels::service::delete(&call.user, kind, id, &Conditions::NONE, &call.trace)
        .await
        .map_err(|problem| refused(kind, &problem))?;
    let mut structured = only("deleted", json!(true));
    structured.insert(argument.to_owned(), json!(id));
    Ok(Done {
        text: format!("Deleted the {} with the id {id}; its tasks stay", kind.name()),
        structured: Value::Object(structured),
    })
}

/// A label that is not there, or whose name another has.
fn refused(kind: Kind, problem: &Problem) -> Failure {
    if problem.code() != "name_taken" {
        return Failure::of(problem, names(kind).1);
    }
    let message = format!(
        "you have another {} of that name, or of one that differs in case alone: use it, or choose another name",
        kind.name()
    );
    Failure::argument("name", "name_taken", &message)
}

/// `add_tag_to_task` and `remove_tag_from_task`.
pub(super) async fn wear(call: Call, on: bool) -> Result<Done, Failure> {
    let mut arguments = Arguments::new(call.arguments);
    let task = arguments.id("task_id", TASK_NOT_FOUND)?;
    let tag = arguments.id("tag_id", TAG_NOT_FOUND)?;
    arguments.finish()?;
    // Which of the two is missing decides what is suggested.
    service::read(&call.user, task).await?;
    let task = service::tag(&call.user, task, tag, on, &Conditions::NONE, &call.trace)
        .await
        .map_err(|problem| Failure::of(&problem, TAG_NOT_FOUND))?;
    Ok(tasks::shown(if on { "Tagged" } else { "Untagged" }, &task))
}
