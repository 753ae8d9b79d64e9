//! From the arguments of a tool to the fields and query parameters of the REST functions, which check them.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::Failure;
use crate::input::{Field, Fields, whole};

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
        match plain(&value) {
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

fn plain(value: &Value) -> Option<String> {
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
