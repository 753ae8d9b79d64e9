//! JSON Schemas (2020-12) of what tools take and give. A schema says what a model has to know to fill it in; the rules
//! themselves are checked by the REST functions.

use serde_json::{Map, Value, json};

use super::error::CODES;

/// The schema of a tool's arguments.
pub(super) fn input(properties: Value, required: &[&str]) -> Value {
    let mut properties = object(properties);
    properties.insert(
        "user_id".to_owned(),
        json!({
            "type": "string",
            "description": "Leave out: the token says who the user is. Anybody else's id is FORBIDDEN.",
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// The schema of a tool's structured answer: what it gives, all of it, or why it did not.
pub(super) fn output(properties: Value) -> Value {
    let properties = object(properties);
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "oneOf": [
            {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            },
            failure(),
        ],
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn failure() -> Value {
    json!({
        "type": "object",
        "description": "With isError: why nothing was done.",
        "properties": {
            "code": { "enum": CODES },
            "message": text("What is wrong and how to mend it."),
            "suggestions": {
                "type": "array",
                "maxItems": 5,
                "description": "What may have been meant by an id that does not exist.",
                "items": {
                    "type": "object",
                    "properties": { "id": uuid("Its id."), "title": text("Title of a task, or name of a label.") },
                    "required": ["id", "title"],
                    "additionalProperties": false,
                },
            },
            "errors": {
                "type": "array",
                "description": "Every argument that is wrong.",
                "items": {
                    "type": "object",
                    "properties": {
                        "field": text("The argument."),
                        "code": text("The rule it breaks."),
                        "message": text("What is wrong and how to mend it."),
                    },
                    "required": ["field", "code", "message"],
                    "additionalProperties": false,
                },
            },
        },
        "required": ["code", "message", "suggestions", "errors"],
        "additionalProperties": false,
    })
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
fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    schema
}

/// A task, as every answer shows it.
pub(super) fn task() -> Value {
    let instant =
        |description: &str| json!({ "type": "string", "format": "date-time", "description": description });
    let reminder = json!({
        "type": "object",
        "properties": {
            "id": uuid("Its id."),
            "remind_before_minutes": or_null(json!({
                "type": "integer",
                "description": "Minutes before due_date; null when the instant is fixed.",
            })),
            "remind_at": instant("When the mail goes out."),
            "status": choice(
                &["scheduled", "sent", "failed", "cancelled"],
                "What has become of it.",
            ),
        },
        "required": ["id", "remind_before_minutes", "remind_at", "status"],
        "additionalProperties": false,
    });
    let properties = object(json!({
        "id": uuid("Its id, the task_id of other tools."),
        "title": text("What is to be done."),
        "description": or_null(text("More about it.")),
        "status": choice(&["pending", "completed"], "Whether it is done."),
        "priority": choice(&["low", "medium", "high", "urgent"], "How much it matters."),
        "due_date": or_null(instant("When it is due, with the zone's offset.")),
        "time_zone": text("IANA name of the zone it is due in."),
        "category_id": or_null(uuid("Its category.")),
        "tag_ids": uuids(10, "Its tags."),
        "recurrence_rule": or_null(text("RFC 5545 RRULE.")),
        "reminders": { "type": "array", "items": reminder, "description": "Mails about it." },
        "created_at": instant("When it was created, UTC."),
        "updated_at": instant("When it was last changed, UTC."),
        "completed_at": or_null(instant("When it was completed, UTC.")),
    }));
    let required: Vec<&String> = properties.keys().collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A category or a tag, as every answer shows it.
pub(super) fn label() -> Value {
    json!({
        "type": "object",
        "properties": {
            "id": uuid("Its id."),
            "name": text("Its name."),
            "color": text("Its colour, #rrggbb."),
        },
        "required": ["id", "name", "color"],
        "additionalProperties": false,
    })
}
