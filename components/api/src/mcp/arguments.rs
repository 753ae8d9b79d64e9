//! From the arguments of a tool to the fields and query parameters of the REST functions, which check them.
//!
//! Models often send values as strings. [`plain`] reads them by the schema that the tool declares, before the tool runs:
//!
//! | declared | accepted as well |
//! | --- | --- |
//! | integer | its digits in a string: `"30"`, `"30.0"` |
//! | boolean | `"true"` and `"false"`, in any case |
//! | array of ids | a string with a JSON array, or with ids between commas; a single id |
//! | each of these | `"null"` for an absent value; an empty string too, unless it clears the field |
//! | id | spaces and quotation marks around it |
//! | other string | a whole number, for its digits |
//!
//! Any other value stays as it is, so the tool refuses it by the name of the argument.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::Failure;
use crate::input::fields::{Field, Fields, whole};

/// What an empty text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    /// The same as leaving the argument out.
    Ignored,
    /// Take the value away.
    Clears,
    /// An empty text.
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

/// Ids between commas, with or without brackets and quotation marks, as Python writes a list.
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

    /// Puts an argument into a REST body under the field's name there.
    pub(crate) fn put(
        &mut self,
        body: &mut Map<String, Value>,
        name: &'static str,
        field: &str,
        empty: Empty,
    ) {
        let Field::Value(value) = self.0.json(name) else {
            return;
        };
        match (value.as_str().map(str::trim), empty) {
            (Some(""), Empty::Ignored) => {}
            (Some(""), Empty::Clears) => {
                body.insert(field.to_owned(), Value::Null);
            }
            _ => {
                body.insert(field.to_owned(), value);
            }
        }
    }

    /// Puts an argument into a query under the parameter's name there: lists with commas, numbers as digits.
    pub(crate) fn pair(&mut self, pairs: &mut Vec<(String, String)>, name: &'static str, parameter: &str) {
        let Field::Value(value) = self.0.json(name) else {
            return;
        };
        match in_query(&value) {
            Some(text) => pairs.push((parameter.to_owned(), text)),
            None => self
                .0
                .error(name, "wrong_type", "must be a text, a number or a list of texts"),
        }
    }

    /// An argument that is one of a few words, and what REST calls it.
    pub(crate) fn choice(
        &mut self,
        pairs: &mut Vec<(String, String)>,
        name: &'static str,
        parameter: &str,
        choices: &[(&str, &str)],
    ) {
        let Field::Value(text) = self.0.text(name) else {
            return;
        };
        if text.is_empty() {
            return;
        }
        match choices.iter().find(|(choice, _)| *choice == text) {
            Some((_, called)) => pairs.push((parameter.to_owned(), (*called).to_owned())),
            None => {
                let known: Vec<&str> = choices.iter().map(|(choice, _)| *choice).collect();
                let code = format!("invalid_{name}");
                self.0.error(name, &code, format!("use {}", known.join(", ")));
            }
        }
    }

    /// True or false.
    pub(crate) fn flag(&mut self, name: &'static str) -> Option<bool> {
        let value = self.0.json(name).value()?;
        if !value.is_boolean() {
            self.0.error(name, "wrong_type", "must be true or false");
        }
        value.as_bool()
    }

    /// An id that must be given; `code` is what is said when nothing has it.
    pub(crate) fn id(&mut self, name: &'static str, code: &'static str) -> Result<Uuid, Failure> {
        match self.0.text(name) {
            Field::Value(text) => Uuid::parse_str(text.trim()).map_err(|_| Failure::missing(code)),
            _ if self.0.errors.is_empty() => Err(Failure::argument(name, "required", "give the id, a UUID")),
            _ => Err(Failure::argument(name, "wrong_type", "must be a UUID")),
        }
    }

    /// Notes a mistake that reading did not find.
    pub(crate) fn error(&mut self, name: &str, code: &str, message: &str) {
        self.0.error(name, code, message);
    }

    /// Ends reading: an argument that nobody asked for must not pass as done.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.0.finish().map_err(Failure::from)
    }
}

fn in_query(value: &Value) -> Option<String> {
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
    fn what_models_write_as_texts_is_read_by_the_declared_type_where_it_is_plain() {
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
    fn an_empty_text_clears_where_it_may_and_null_never_does() {
        let mut given = arguments(json!({ "a": "", "b": " ", "c": "", "d": null, "e": 7 }));
        let mut body = Map::new();
        given.put(&mut body, "a", "a", Empty::Clears);
        given.put(&mut body, "b", "b", Empty::Ignored);
        given.put(&mut body, "c", "c", Empty::Kept);
        given.put(&mut body, "d", "d", Empty::Clears);
        given.put(&mut body, "e", "camelE", Empty::Clears);
        assert_eq!(Value::Object(body), json!({ "a": null, "c": "", "camelE": 7 }));
        assert!(given.finish().is_ok());
    }

    #[test]
    fn lists_and_numbers_become_texts_of_a_query() {
        let mut given = arguments(json!({ "ids": ["x", "y"], "limit": 5.0, "days": 1.5, "bad": [1] }));
        let mut pairs = Vec::new();
        given.pair(&mut pairs, "ids", "tagIds");
        given.pair(&mut pairs, "limit", "limit");
        given.pair(&mut pairs, "days", "days");
        given.pair(&mut pairs, "bad", "bad");
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(pairs, ["tagIds=x,y", "limit=5", "days=1.5"]);
        assert_eq!(given.finish().unwrap_err().errors[0].field, "bad");
    }

    #[test]
    fn an_argument_that_nobody_asked_for_is_named() {
        let given = arguments(json!({ "titel": "x" }));
        assert_eq!(given.finish().unwrap_err().errors[0].field, "titel");
    }
}
