//! Tools on categories and tags, and on the tags of a task.

use nudge_domain::characters::isolated;
use nudge_domain::id::TagId;
use nudge_domain::task::Color;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::tasks;
use crate::mcp::arguments::{Arguments, Empty};
use crate::mcp::call::{Call, Done};
use crate::mcp::error::Failure;
use crate::mcp::{schema, text};
use crate::tasks::labels::service::LARGEST_PAGE;
use crate::tasks::labels::{self, Kind, Label, LabelId, LabelPatch};
use crate::tasks::list::query::MAX_OFFSET;
use crate::tasks::list::read;
use crate::tasks::service;
use crate::version::{Conditions, Thing};

/// A category or a tag as structured content.
fn view(label: &Label) -> Value {
    json!({ "id": label.id, "name": label.name, "color": label.color })
}

/// The argument that names a label of a kind.
fn argument(kind: Kind) -> &'static str {
    match kind {
        Kind::Category => "category_id",
        Kind::Tag => "tag_id",
    }
}

/// The member of an answer that is a label of a kind.
fn singular(kind: Kind) -> &'static str {
    kind.thing().name()
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
    schema::text("Its colour, #rrggbb; grey by default.")
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
    let mut properties = only(argument(kind), id(kind));
    properties.insert("name".to_owned(), name(kind));
    properties.insert("color".to_owned(), color());
    schema::input(Value::Object(properties), &[argument(kind)])
}

pub(super) fn id_input(kind: Kind) -> Value {
    schema::input(Value::Object(only(argument(kind), id(kind))), &[argument(kind)])
}

pub(super) fn list_input(kind: Kind) -> Value {
    let plural = plural(kind);
    let limit = format!("Maximum number of {plural} in the answer; {LARGEST_PAGE} by default.");
    let offset = format!("Number of {plural} to skip: next_offset of the page before.");
    schema::input(
        json!({
            "limit": schema::number(1, LARGEST_PAGE, &limit),
            "offset": schema::number(0, MAX_OFFSET, &offset),
        }),
        &[],
    )
}

pub(super) fn task_and_tag_input() -> Value {
    schema::input(
        json!({ "task_id": tasks::task_id(), "tag_id": id(Kind::Tag) }),
        &["task_id", "tag_id"],
    )
}

pub(super) fn one_output(kind: Kind) -> Value {
    schema::output(Value::Object(only(singular(kind), schema::label())))
}

pub(super) fn list_output(kind: Kind) -> Value {
    let mut properties = only(plural(kind), json!({ "type": "array", "items": schema::label() }));
    properties.insert("count".to_owned(), json!({ "type": "integer" }));
    properties.insert("has_more".to_owned(), json!({ "type": "boolean" }));
    properties.insert("next_offset".to_owned(), json!({ "type": ["integer", "null"] }));
    schema::output(Value::Object(properties))
}

pub(super) fn deleted_output(kind: Kind) -> Value {
    let mut properties = only("deleted", json!({ "const": true }));
    properties.insert(argument(kind).to_owned(), json!({ "type": "string" }));
    schema::output(Value::Object(properties))
}

fn read(arguments: &mut Arguments) -> LabelPatch {
    LabelPatch {
        name: arguments.text("name", Empty::Kept),
        color: arguments.parsed::<Color>("color", Empty::Clears, |error| error.code()),
        unreadable: Vec::new(),
    }
}

fn read_id(kind: Kind, arguments: &mut Arguments) -> Result<LabelId, Failure> {
    let id = arguments.id(argument(kind), kind.thing())?;
    Ok(kind.id(id))
}

fn shown(said: &str, kind: Kind, label: &Label) -> Done {
    Done {
        text: format!("{said} the {} {}", singular(kind), line(label)),
        structured: Value::Object(only(singular(kind), view(label))),
    }
}

fn line(label: &Label) -> String {
    format!("“{}” (id {})", isolated(&label.name), label.id)
}

/// `create_category`, `create_tag`.
pub(super) async fn create(kind: Kind, call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let mut new = read(&mut arguments);
    new.unreadable = arguments.unreadable()?;
    let label = labels::service::create(call.open().await?, kind, Uuid::now_v7(), &new).await?;
    Ok(shown("Created", kind, &label))
}

/// `list_categories`, `list_tags`.
pub(super) async fn list(kind: Kind, call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let limit = arguments.parameter("limit");
    let offset = arguments.parameter("offset");
    arguments.finish()?;
    let limit = limit.map_or(Ok(LARGEST_PAGE), |text| {
        read::number("limit", "invalid_limit", &text, 1..=LARGEST_PAGE)
    })?;
    let offset = offset.map_or(Ok(0), |text| {
        read::number("offset", "invalid_offset", &text, 0..=MAX_OFFSET)
    })?;
    let caller = call.open().await?;
    let first = labels::Cursor::default();
    let (labels, next) =
        labels::service::page(&caller.database, kind, &caller.user.id, &first, offset, limit).await?;
    let next = next.map(|_| offset.saturating_add(limit));
    let mut text = text::count(labels.len(), singular(kind), plural(kind));
    for label in &labels {
        text.push_str("\n- ");
        text.push_str(&line(label));
    }
    if let Some(next) = next {
        text.push_str(&format!("\nThere are more: call again with offset {next}."));
    }
    let mut structured = only("count", json!(labels.len()));
    structured.insert("has_more".to_owned(), json!(next.is_some()));
    structured.insert("next_offset".to_owned(), json!(next));
    let labels = labels.iter().map(view).collect();
    structured.insert(plural(kind).to_owned(), Value::Array(labels));
    Ok(Done {
        text,
        structured: Value::Object(structured),
    })
}

/// `update_category`, `update_tag`.
pub(super) async fn update(kind: Kind, call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let id = read_id(kind, &mut arguments)?;
    let mut patch = read(&mut arguments);
    patch.unreadable = arguments.unreadable()?;
    let label = labels::service::patch(call.open().await?, id, &Conditions::NONE, &patch).await?;
    Ok(shown("Changed", kind, &label))
}

/// `delete_category`, `delete_tag`.
pub(super) async fn delete(kind: Kind, call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let id = read_id(kind, &mut arguments)?;
    arguments.finish()?;
    labels::service::delete(call.open().await?, id, &Conditions::NONE).await?;
    let id = id.uuid();
    let mut structured = only("deleted", json!(true));
    structured.insert(argument(kind).to_owned(), json!(id));
    Ok(Done {
        text: format!(
            "Deleted the {} with the id {id}; its tasks are kept",
            singular(kind)
        ),
        structured: Value::Object(structured),
    })
}

/// `add_tag_to_task`.
pub(super) async fn attach(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let task = tasks::read_id(&mut arguments)?;
    let tag = tag_id(arguments)?;
    let task = service::attach_tag(call.open().await?, task, tag, &Conditions::NONE).await?;
    Ok(tasks::shown("Tagged", &task))
}

/// `remove_tag_from_task`.
pub(super) async fn detach(call: &mut Call, mut arguments: Arguments) -> Result<Done, Failure> {
    let task = tasks::read_id(&mut arguments)?;
    let tag = tag_id(arguments)?;
    let task = service::detach_tag(call.open().await?, task, tag, &Conditions::NONE).await?;
    Ok(tasks::shown("Untagged", &task))
}

/// Reads `tag_id`, the last argument.
fn tag_id(mut arguments: Arguments) -> Result<TagId, Failure> {
    let tag = arguments.id("tag_id", Thing::Tag)?;
    arguments.finish()?;
    Ok(tag)
}
