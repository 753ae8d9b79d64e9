//! Reads the arguments of a tool.
//!
//! Models often send values as strings. [`plain`] reads them by the schema that the tool declares, before the tool runs:
//!
//! | declared | accepted as well |
//! | --- | --- |
//! | integer | its digits in a string: `"30"`, `"30.0"` |
//! | boolean | `"true"` and `"false"`, in any case |
//! | array of ids | a string with a JSON array, or with ids separated by commas; a single id |
//! | each of these | `"null"` for an absent value; an empty string too, unless it clears the field |
//! | id | surrounding spaces and quotation marks |
//! | other string | a whole number, as its digits |
//!
//! Any other value stays as it is, so the tool refuses it under the name of the argument.

use std::fmt::Display;
use std::str::FromStr;

use nudge_domain::task::{FieldName, Mistake, Patch};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::Failure;
use crate::input::fields::{Fields, UNKNOWN_FIELD, whole};
use crate::version::Thing;

/// What an empty string means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    /// The same as leaving the argument out.
    Ignored,
    /// Remove the value.
    Clears,
    /// An empty string.
    Kept,
}

/// Converts arguments to the types that the input schema of the tool declares, where their meaning is clear.
pub(crate) fn plain(schema: &Value, arguments: Map<String, Value>) -> Map<String, Value> {
    let properties = schema.get("properties").and_then(Value::as_object);
    let read = |(name, value): (String, Value)| {
        let declared = properties.and_then(|properties| properties.get(&name));
        let meant = declared.and_then(|declared| meant(declared, &name, &value));
        (name, meant.unwrap_or(value))
    };
    arguments.into_iter().map(read).collect()
}

/// What a value that is not of the declared type means; `None` if that is not clear.
fn meant(declared: &Value, name: &str, value: &Value) -> Option<Value> {
    let is_id = declared.get("format").and_then(Value::as_str) == Some("uuid") || name.ends_with("_id");
    let text = value.as_str().map(str::trim);
    match (declared.get("type")?.as_str()?, text) {
        ("string", None) if !is_id && (value.is_i64() || value.is_u64()) => Some(value.to_string().into()),
        ("string", Some(text)) if is_id => Some(unquoted(text).into()),
        ("integer" | "boolean" | "array", Some("" | "null")) => Some(Value::Null),
        ("integer", Some(text)) => match text.parse::<i64>() {
            Ok(number) => Some(number.into()),
            Err(_) => serde_json::from_str(text).ok().filter(Value::is_number),
        },
        ("boolean", Some(text)) => [true, false]
            .into_iter()
            .find(|flag| text.eq_ignore_ascii_case(&flag.to_string()))
            .map(Value::from),
        ("array", Some(text)) => match serde_json::from_str(text) {
            Ok(Value::Array(items)) => Some(trimmed(items)),
            _ => ids(text),
        },
        ("array", None) => value.as_array().cloned().map(trimmed),
        _ => None,
    }
}

/// Ids separated by commas, with or without brackets and quotation marks, as Python writes a list.
fn ids(text: &str) -> Option<Value> {
    let inner = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    let ids: Vec<&str> = inner
        .unwrap_or(text)
        .split(',')
        .map(unquoted)
        .filter(|id| !id.is_empty())
        .collect();
    let plain = !ids.is_empty() && ids.iter().all(|id| Uuid::parse_str(id).is_ok());
    plain.then(|| Value::from(ids))
}

fn trimmed(items: Vec<Value>) -> Value {
    let trimmed = |item: Value| match item.as_str() {
        Some(text) => unquoted(text).into(),
        None => item,
    };
    items.into_iter().map(trimmed).collect()
}

/// Without spaces and one pair of quotation marks.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    inner('"').or_else(|| inner('\'')).unwrap_or(text).trim()
}

/// Takes arguments one by one. `null` is the same as leaving one out: many models fill what they do not need with it.
pub(crate) struct Arguments(Fields);

impl Arguments {
    pub(crate) fn new(arguments: Map<String, Value>) -> Self {
        Self(Fields::new(arguments))
    }

    fn settle(&mut self, name: &str, empty: Empty) {
        self.0.replace(name, |value| {
            let blank = value.as_str().is_some_and(|text| text.trim().is_empty());
            match (blank, empty) {
                _ if value.is_null() => None,
                (true, Empty::Ignored) => None,
                (true, Empty::Clears) => Some(Value::Null),
                _ => Some(value),
            }
        });
    }

    /// A string.
    pub(crate) fn text(&mut self, name: &'static str, empty: Empty) -> Patch<String> {
        self.settle(name, empty);
        self.0.text(name)
    }

    /// A string that stands for a value of the domain.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
        empty: Empty,
        code: impl FnOnce(&T::Err) -> &'static str,
    ) -> Patch<T> {
        self.settle(name, empty);
        self.0.parsed(name, code)
    }

    /// The id of something that may be left out.
    pub(crate) fn optional_id<T: From<Uuid>>(&mut self, name: &'static str, empty: Empty) -> Patch<T> {
        self.settle(name, empty);
        self.0.id(name)
    }

    /// A list of at most so many ids.
    pub(crate) fn ids<T: From<Uuid>>(
        &mut self,
        name: &'static str,
        empty: Empty,
        most: usize,
    ) -> Patch<Vec<T>> {
        self.settle(name, empty);
        self.0.ids(name, most)
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&mut self, name: &'static str) -> Patch<u32> {
        self.settle(name, Empty::Ignored);
        self.0.number(name)
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &'static str) -> Patch<bool> {
        self.settle(name, Empty::Kept);
        match self.0.json(name) {
            Patch::Value(Value::Bool(flag)) => Patch::Value(flag),
            Patch::Absent | Patch::Null => Patch::Absent,
            Patch::Value(_) | Patch::Unreadable => {
                self.0.error(name, "wrong_type", "must be true or false");
                Patch::Unreadable
            }
        }
    }

    /// A parameter of a list as text: a string, a number as its digits, several strings joined by commas. Empty is absent.
    pub(crate) fn parameter(&mut self, name: &'static str) -> Option<String> {
        let value = self.0.json(name).value()?;
        let text = in_words(&value);
        if text.is_none() {
            let message = "must be a string, a number or a list of strings";
            self.0.error(name, "wrong_type", message);
        }
        text.filter(|text| !text.is_empty())
    }

    /// An argument that is one of a few words.
    pub(crate) fn choice<T: Copy>(
        &mut self,
        name: &'static str,
        code: &'static str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.0.text(name).value().filter(|text| !text.is_empty())?;
        let chosen = choices.iter().find(|(choice, _)| *choice == text);
        if chosen.is_none() {
            let known: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
            self.0.error(name, code, format!("use {}", known.join(", ")));
        }
        chosen.map(|(_, meaning)| *meaning)
    }

    /// The id of an existing thing, which must be given. Text that is not a UUID names nothing that exists.
    pub(crate) fn id<T: From<Uuid>>(&mut self, name: &'static str, thing: Thing) -> Result<T, Failure> {
        match self.0.text(name) {
            Patch::Value(text) => Uuid::parse_str(text.trim())
                .map(T::from)
                .map_err(|_| Failure::missing(thing)),
            Patch::Unreadable => Err(Failure::argument(name, "wrong_type", "must be a UUID")),
            Patch::Absent | Patch::Null => Err(Failure::argument(name, "required", "give the id, a UUID")),
        }
    }

    /// Notes a mistake that reading did not find.
    pub(crate) fn error(&mut self, name: &str, code: &str, message: &str) {
        self.0.error(name, code, message);
    }

    /// Ends reading: refuses if anything is wrong. An unknown argument must not be ignored.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self.0.into_mistakes() {
            mistakes if mistakes.is_empty() => Ok(()),
            mistakes => Err(Failure::invalid(mistakes)),
        }
    }

    /// Ends reading: refuses unknown arguments, and returns what could not be read for the command to carry along.
    pub(crate) fn unreadable(self) -> Result<Vec<Mistake>, Failure> {
        let (unknown, unreadable) = self.split();
        if unknown.is_empty() {
            Ok(unreadable)
        } else {
            Err(Failure::invalid(unknown))
        }
    }

    /// Ends reading: refuses the call for this mistake and for unknown arguments.
    pub(crate) fn refused(self, name: &str, code: &'static str, message: &str) -> Failure {
        let mut mistakes = vec![Mistake::new(FieldName::Named(name.to_owned()), code, message)];
        mistakes.extend(self.split().0);
        Failure::invalid(mistakes)
    }

    /// Unknown arguments, and what could not be read.
    fn split(self) -> (Vec<Mistake>, Vec<Mistake>) {
        self.0
            .into_mistakes()
            .into_iter()
            .partition(|mistake| mistake.code == UNKNOWN_FIELD)
    }
}

fn in_words(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(match whole(value) {
            Some(whole) => whole.to_string(),
            None => number.to_string(),
        }),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(items) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Some(texts?.join(","))
        }
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn arguments(value: Value) -> Arguments {
        match value {
            Value::Object(object) => Arguments::new(object),
            other => unreachable!("{other}"),
        }
    }

    #[test]
    fn what_models_send_as_strings_is_read_by_the_declared_type_where_it_is_clear() {
        const A: &str = "018f0000-0000-7000-8000-00000000000a";
        const B: &str = "018f0000-0000-7000-8000-00000000000b";
        let schema = json!({ "properties": {
            "number": { "type": "integer" },
            "flag": { "type": "boolean" },
            "ids": { "type": "array", "items": { "type": "string", "format": "uuid" } },
            "id": { "type": "string", "format": "uuid" },
            "category_id": { "type": "string" },
            "text": { "type": "string" },
        } });
        let read = |name: &str, value: &Value| {
            let Value::Object(arguments) = json!({ name: value }) else {
                unreachable!()
            };
            plain(&schema, arguments).remove(name).unwrap()
        };
        let both = json!([A, B]);
        for (name, given, meant) in [
            ("number", json!("30"), json!(30)),
            ("number", json!(" +030 "), json!(30)),
            ("number", json!("-1"), json!(-1)),
            ("number", json!("30.0"), json!(30.0)),
            ("number", json!("1e1"), json!(10.0)),
            ("number", json!(""), json!(null)),
            ("number", json!("null"), json!(null)),
            ("flag", json!("true"), json!(true)),
            ("flag", json!(" False "), json!(false)),
            ("flag", json!("null"), json!(null)),
            ("flag", json!(""), json!(null)),
            ("ids", both.clone(), both.clone()),
            ("ids", json!([format!(" {A}"), format!("\"{B}\"")]), both.clone()),
            ("ids", json!(both.to_string()), both.clone()),
            ("ids", json!(format!("{A}, {B}")), both.clone()),
            ("ids", json!(format!("['{A}', '{B}',]")), both.clone()),
            ("ids", json!(A), json!([A])),
            ("ids", json!("[]"), json!([])),
            ("ids", json!("[\"home\"]"), json!(["home"])),
            ("ids", json!("null"), json!(null)),
            ("ids", json!(""), json!(null)),
            ("ids", json!(" "), json!(null)),
            ("ids", json!([]), json!([])),
            ("id", json!(format!(" '{A}'\n")), json!(A)),
            ("category_id", json!(format!("\"{A}\"")), json!(A)),
            ("text", json!(2027), json!("2027")),
        ] {
            assert_eq!(read(name, &given), meant, "{name}: {given}");
        }
        for (name, given) in [
            ("number", json!("soon")),
            ("number", json!("30 minutes")),
            ("number", json!("1,5")),
            ("number", json!("NaN")),
            ("number", json!(true)),
            ("number", json!([30])),
            ("flag", json!("yes")),
            ("flag", json!(1)),
            ("ids", json!("home")),
            ("ids", json!("home, work")),
            ("ids", json!(",")),
            ("ids", json!({ "0": A })),
            ("id", json!(7)),
            ("text", json!(" \"said\" ")),
            ("text", json!("null")),
            ("text", json!(1.50)),
            ("text", json!(true)),
            ("text", json!(["a"])),
        ] {
            assert_eq!(read(name, &given), given, "{name}");
        }
    }

    #[test]
    fn an_empty_string_clears_a_field_that_it_may_clear_and_null_never_does() {
        let mut given =
            arguments(json!({ "a": "", "b": " ", "c": "", "d": null, "e": " \n", "f": null, "g": "x" }));
        assert_eq!(given.text("a", Empty::Clears), Patch::Null);
        assert_eq!(given.text("b", Empty::Ignored), Patch::Absent);
        assert_eq!(given.text("c", Empty::Kept), Patch::Value(String::new()));
        assert_eq!(given.text("d", Empty::Clears), Patch::Absent);
        assert_eq!(given.optional_id::<Uuid>("e", Empty::Clears), Patch::Null);
        assert_eq!(given.flag("f"), Patch::Absent);
        assert_eq!(given.text("g", Empty::Clears), Patch::Value("x".to_owned()));
        assert!(given.finish().is_ok());
    }

    #[test]
    fn lists_and_numbers_are_parameters_of_a_list() {
        let mut given =
            arguments(json!({ "ids": ["x", "y"], "limit": 5.0, "days": 1.5, "empty": "", "bad": [1] }));
        assert_eq!(given.parameter("ids").as_deref(), Some("x,y"));
        assert_eq!(given.parameter("limit").as_deref(), Some("5"));
        assert_eq!(given.parameter("days").as_deref(), Some("1.5"));
        assert_eq!(given.parameter("empty"), None);
        assert_eq!(given.parameter("bad"), None);
        assert_eq!(given.finish().unwrap_err().errors[0].field, "bad");
    }

    #[test]
    fn what_cannot_be_read_is_carried_along_but_not_an_unknown_argument() {
        let unreadable = |value| {
            let mut given = arguments(value);
            let _ = (given.text("title", Empty::Kept), given.flag("completed"));
            given.unreadable()
        };
        let mistakes = unreadable(json!({ "title": 1.5, "completed": "yes" })).unwrap();
        assert_eq!(mistakes.len(), 2, "{mistakes:?}");
        let failure = unreadable(json!({ "title": 1.5, "titel": "x" })).unwrap_err();
        let named: Vec<&str> = failure.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(named, ["titel"]);
    }

    #[test]
    fn an_unknown_argument_is_named() {
        let given = arguments(json!({ "titel": "x" }));
        assert_eq!(given.finish().unwrap_err().errors[0].field, "titel");
    }
}
