//! Reads the fields of a task from an event or a row of the legacy system.

use jiff::Timestamp;
use jiff::civil::DateTime;
use nudge_domain::task::Status;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::{LegacyError, LegacyField};

/// Columns of a row that are not fields of the task: ids, dates and marks.
const OF_THE_ROW: [&str; 6] = [
    "id",
    "task_id",
    "user_id",
    "created_at",
    "updated_at",
    "reminder_sent",
];

/// Fields of a task of the legacy system, those that are given. `Some(None)` removes a value.
///
/// Texts are as the legacy system has them. The api checks them by the same rules as those of its clients.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct LegacyFields {
    /// What is to be done.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub title: Option<Option<String>>,
    /// More about it.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub description: Option<Option<String>>,
    /// Whether it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// How much it matters.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub priority: Option<Option<String>>,
    /// When it is to be done.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub due: Option<Option<Timestamp>>,
    /// How it repeats: an RRULE or a phrase.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub recurrence: Option<Option<String>>,
    /// Number of its category.
    #[serde(deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub category: Option<Option<i64>>,
    /// Numbers of its tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<i64>>,
}

/// A field that is given, `null` or not.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl LegacyFields {
    /// Reads fields by their names in the legacy system. Empty texts are `null`.
    ///
    /// # Errors
    ///
    /// A field that Nudge does not know, or whose value has the wrong type.
    pub fn read(fields: &Map<String, Value>) -> Result<Self, LegacyError> {
        let mut read = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "title" => read.title = Some(text(name, value)?.map(str::to_owned)),
                "description" => read.description = Some(filled(name, value)?),
                "priority" => read.priority = Some(filled(name, value)?),
                "due_date" => {
                    let due = filled(name, value)?.map(|text| instant(name, &text));
                    read.due = Some(due.transpose()?);
                }
                "recurrence_rule" => read.recurrence = Some(filled(name, value)?),
                "completed" => read.status = Some(status(name, value)?),
                "category_id" => read.category = Some(number(name, value)?),
                "tag_ids" => read.tags = Some(numbers(name, value)?),
                row if OF_THE_ROW.contains(&row) => {}
                _ => return Err(LegacyError::field(name, "is not a field that Nudge knows")),
            }
        }
        Ok(read)
    }

    /// Which fields are given.
    pub fn given(&self) -> impl Iterator<Item = LegacyField> {
        LegacyField::ALL.into_iter().filter(|field| match field {
            LegacyField::Title => self.title.is_some(),
            LegacyField::Description => self.description.is_some(),
            LegacyField::Status => self.status.is_some(),
            LegacyField::Priority => self.priority.is_some(),
            LegacyField::Due => self.due.is_some(),
            LegacyField::Recurrence => self.recurrence.is_some(),
            LegacyField::Category => self.category.is_some(),
            LegacyField::Tags => self.tags.is_some(),
            LegacyField::Reminders => false,
        })
    }
}

/// Reads the timestamp of a field: RFC 3339, or the same without an offset, which is UTC.
///
/// # Errors
///
/// It is neither.
pub fn instant(field: &str, text: &str) -> Result<Timestamp, LegacyError> {
    text.parse::<Timestamp>()
        .or_else(|_| {
            let naive: DateTime = text.parse()?;
            Ok(naive.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp())
        })
        .map_err(|error: jiff::Error| {
            LegacyError::field(field, format!("{text:?} is not an instant: {error}"))
        })
}

fn text<'a>(name: &str, value: &'a Value) -> Result<Option<&'a str>, LegacyError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(LegacyError::field(name, "must be a string or null")),
    }
}

/// A text that is not blank.
fn filled(name: &str, value: &Value) -> Result<Option<String>, LegacyError> {
    let text = text(name, value)?.filter(|text| !text.trim().is_empty());
    Ok(text.map(str::to_owned))
}

fn status(name: &str, value: &Value) -> Result<Status, LegacyError> {
    match value {
        Value::Bool(true) => Ok(Status::Completed),
        Value::Bool(false) => Ok(Status::Pending),
        _ => Err(LegacyError::field(name, "must be true or false")),
    }
}

fn number(name: &str, value: &Value) -> Result<Option<i64>, LegacyError> {
    let number = value.as_i64();
    if number.is_none() && !value.is_null() {
        return Err(LegacyError::field(name, "must be a whole number or null"));
    }
    Ok(number)
}

fn numbers(name: &str, value: &Value) -> Result<Vec<i64>, LegacyError> {
    let numbers = match value {
        Value::Null => Some(Vec::new()),
        Value::Array(items) => items.iter().map(Value::as_i64).collect(),
        _ => None,
    };
    numbers.ok_or_else(|| LegacyError::field(name, "must be a list of whole numbers"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(json: &Value) -> &Map<String, Value> {
        json.as_object().expect("an object")
    }

    #[test]
    fn fields_are_on_the_wire_as_they_always_were() {
        let old = json!({
            "title": "Rent", "description": "", "priority": "high", "due_date": "2026-12-01T09:00:00.5",
            "recurrence_rule": "monthly", "completed": true, "category_id": 3, "tag_ids": [4, 5], "updated_at": "x",
        });
        let fields = LegacyFields::read(object(&old)).expect("fields");
        let wire = json!({
            "title": "Rent", "description": null, "priority": "high", "due": "2026-12-01T09:00:00.5Z",
            "recurrence": "monthly", "status": "completed", "category": 3, "tags": [4, 5],
        });
        assert_eq!(serde_json::to_value(&fields).expect("JSON"), wire);
        assert_eq!(
            serde_json::from_value::<LegacyFields>(wire).expect("fields"),
            fields
        );
    }

    #[test]
    fn a_field_that_is_null_is_given_and_one_that_is_missing_is_not() {
        let wire = json!({
            "title": null, "description": null, "priority": null, "due": null, "recurrence": null, "category": null,
        });
        let fields: LegacyFields = serde_json::from_value(wire.clone()).expect("fields");
        assert_eq!(serde_json::to_value(&fields).expect("JSON"), wire);
        let given: Vec<&str> = fields.given().map(LegacyField::legacy_name).collect();
        assert_eq!(
            given,
            [
                "title",
                "description",
                "priority",
                "due_date",
                "recurrence_rule",
                "category_id"
            ]
        );
        let none: LegacyFields = serde_json::from_value(json!({})).expect("fields");
        assert_eq!(none.given().count(), 0);
        assert_eq!(serde_json::to_value(&none).expect("JSON"), json!({}));
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused_by_the_name_of_its_field() {
        for (field, value, words) in [
            ("title", json!(5), "must be a string or null"),
            ("priority", json!(5), "must be a string or null"),
            ("due_date", json!(5), "must be a string or null"),
            ("due_date", json!("noon"), "\"noon\" is not an instant"),
            ("completed", json!(null), "must be true or false"),
            ("category_id", json!("x"), "must be a whole number or null"),
            ("tag_ids", json!([1, "x"]), "must be a list of whole numbers"),
            ("colour", json!("red"), "is not a field that Nudge knows"),
        ] {
            let old = Value::Object(Map::from_iter([(field.to_owned(), value)]));
            let error = LegacyFields::read(object(&old)).expect_err(field).to_string();
            let expected = format!("{field}: {words}");
            assert!(
                error.starts_with(&expected),
                "{error} does not begin with {expected}"
            );
        }
    }

    #[test]
    fn every_field_is_found_by_its_name() {
        for field in LegacyField::ALL {
            assert_eq!(LegacyField::of_name(field.name()), Some(field));
        }
        assert_eq!(LegacyField::of_name("updatedAt"), None);
    }
}
