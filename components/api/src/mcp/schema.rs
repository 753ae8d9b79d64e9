//! JSON Schemas (2020-12, the default dialect of the protocol) of what tools take and give. They say what a model has to know
//! to fill in the arguments; the rules themselves are checked by the services.
//!
//! `tools/list` goes into the context of a model, so it is kept short: only `get_task` describes a task and a refusal in full
//! ([`full_output`]), the other tools refer to it ([`output`]).

use serde_json::{Map, Value, json};

use super::error::CODES;

/// The schema of a tool's arguments.
pub(super) fn input(properties: Value, required: &[&str]) -> Value {
    let mut properties = object(properties);
    let description = "Leave out: the token identifies the user.";
    properties.insert("user_id".to_owned(), text(description));
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The schema of a tool's structured answer: all of these properties, or a refusal.
pub(super) fn output(properties: Value) -> Value {
    let properties = object(properties);
    let required: Vec<String> = properties.keys().cloned().collect();
    json!({
        "type": "object",
        "properties": properties,
        "oneOf": [{ "required": required }, { "required": ["code"] }],
    })
}

/// The same, describing the refusal.
pub(super) fn full_output(properties: Value) -> Value {
    let refusal = json!({
        "code": { "enum": CODES, "description": "With isError: why nothing was done." },
        "message": text("What is wrong and how to fix it."),
        "suggestions": {
            "type": "array",
            "maxItems": 5,
            "description": "What may have been meant by an id that does not exist.",
            "items": closed(json!({ "id": uuid("Its id."), "title": text("Title of a task, or name of a label.") })),
        },
        "errors": {
            "type": "array",
            "description": "Every argument that is wrong.",
            "items": closed(json!({
                "field": text("The argument."),
                "code": text("The rule it breaks."),
                "message": text("What is wrong and how to fix it."),
            })),
        },
    });
    json!({
        "type": "object",
        "oneOf": [closed(properties), closed(refusal)],
    })
}

/// An object that has all of these properties, and no others.
pub(super) fn closed(properties: Value) -> Value {
    let properties = object(properties);
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

pub(super) fn text(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}

pub(super) fn uuid(description: &str) -> Value {
    json!({ "type": "string", "format": "uuid", "description": description })
}

pub(super) fn flag(description: &str) -> Value {
    json!({ "type": "boolean", "description": description })
}

pub(super) fn number(least: u32, most: u32, description: &str) -> Value {
    json!({ "type": "integer", "minimum": least, "maximum": most, "description": description })
}

pub(super) fn choice(choices: &[&str], description: &str) -> Value {
    json!({ "type": "string", "enum": choices, "description": description })
}

pub(super) fn uuids(most: u32, description: &str) -> Value {
    json!({
        "type": "array",
        "items": { "type": "string", "format": "uuid" },
        "maxItems": most,
        "description": description,
    })
}

/// A value that may be absent.
pub(super) fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    schema
}

/// A task, short.
pub(super) fn some_task() -> Value {
    json!({ "type": "object", "description": "As get_task returns it." })
}

/// Tasks, short.
pub(super) fn some_tasks() -> Value {
    json!({ "type": "array", "items": { "type": "object" }, "description": "Each as get_task returns it." })
}

/// A category or a tag, as every answer shows it.
pub(super) fn label() -> Value {
    let string = || json!({ "type": "string" });
    json!({
        "type": "object",
        "properties": { "id": string(), "name": string(), "color": string() },
        "required": ["id", "name", "color"],
    })
}
