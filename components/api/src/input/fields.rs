//! Reading bodies and queries: every mistake is found in one pass, and named with its field and the rule.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{Method, StatusCode};
use nudge_component::Problem;
use nudge_component::problem::FieldError;
use nudge_component::serve::read_body;
use nudge_domain::task::{FieldName, Mistake, Patch};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::input::{json, media};
use crate::version::Thing;

/// Maximum number of mistakes that an answer names. A body of 256 KiB has room for tens of thousands, and no one reads that many.
pub(crate) const MAX_ERRORS: usize = 100;

/// Code of a field that does not exist.
pub(crate) const UNKNOWN_FIELD: &str = "unknown_field";

/// A body that is a JSON object.
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

impl<S: Sync> FromRequest<S> for JsonObject {
    type Rejection = Problem;

    /// 415 for another content type or a content coding, 413 for too many bytes, 400 for anything but a JSON object, and for a duplicate name.
    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let types: &[&str] = match *request.method() {
            Method::PATCH => &["application/merge-patch+json", "application/json"],
            _ => &["application/json"],
        };
        media::sent_as(request.headers(), types)?;
        let body = read_body(request.into_body()).await?;
        match json::read(&body) {
            Ok(Value::Object(object)) => Ok(Self(object)),
            Ok(_) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_body",
                "the body must be a JSON object",
            )),
            Err(error) => Err(Problem::new(StatusCode::BAD_REQUEST, "invalid_body", error)),
        }
    }
}

/// The `name=value` pairs of a query string, in their order.
pub(crate) struct Pairs(pub(crate) Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Pairs {
    type Rejection = Problem;

    /// 400 if it cannot be decoded.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(pairs)) => Ok(Self(pairs)),
            Err(error) => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_query",
                error.body_text(),
            )),
        }
    }
}

/// Reads the fields of an object one by one and collects the mistakes.
pub(crate) struct Fields {
    prefix: String,
    object: Map<String, Value>,
    known: Vec<&'static str>,
    pub(crate) errors: Vec<FieldError>,
}

impl Fields {
    pub(crate) fn new(object: Map<String, Value>) -> Self {
        Self::within(String::new(), object)
    }

    /// Fields of an object inside another; `prefix` is its path, such as `reminders[0].`.
    pub(crate) fn within(prefix: String, object: Map<String, Value>) -> Self {
        Self {
            prefix,
            object,
            known: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Records a mistake, unless there are [`MAX_ERRORS`] already.
    pub(crate) fn error(&mut self, field: &str, code: &str, message: impl Display) {
        if self.errors.len() >= MAX_ERRORS {
            return;
        }
        self.errors.push(FieldError {
            field: format!("{}{field}", self.prefix),
            code: code.to_owned(),
            message: message.to_string(),
        });
    }

    /// Adds the mistakes of a nested object.
    pub(crate) fn take_errors(&mut self, inner: Self) {
        let room = MAX_ERRORS.saturating_sub(self.errors.len());
        self.errors.extend(inner.errors.into_iter().take(room));
    }

    /// Replaces the value of a field before it is read. `None` removes it.
    pub(crate) fn replace(&mut self, name: &str, with: impl FnOnce(Value) -> Option<Value>) {
        if let Some(value) = self.object.remove(name).and_then(with) {
            self.object.insert(name.to_owned(), value);
        }
    }

    /// Any JSON value.
    pub(crate) fn json(&mut self, name: &'static str) -> Patch<Value> {
        self.known.push(name);
        match self.object.remove(name) {
            None => Patch::Absent,
            Some(Value::Null) => Patch::Null,
            Some(value) => Patch::Value(value),
        }
    }

    /// A string.
    pub(crate) fn text(&mut self, name: &'static str) -> Patch<String> {
        match self.json(name) {
            Patch::Value(Value::String(text)) => Patch::Value(text),
            Patch::Value(_) => self.wrong(name, "must be a string"),
            Patch::Null => Patch::Null,
            Patch::Absent => Patch::Absent,
            Patch::Unreadable => Patch::Unreadable,
        }
    }

    /// A string that represents a value of the domain.
    pub(crate) fn parsed<T: FromStr>(
        &mut self,
        name: &'static str,
        code: impl FnOnce(&T::Err) -> &'static str,
    ) -> Patch<T>
    where
        T::Err: Display,
    {
        match self.text(name) {
            Patch::Value(text) => match text.parse() {
                Ok(value) => Patch::Value(value),
                Err(error) => {
                    self.error(name, code(&error), &error);
                    Patch::Unreadable
                }
            },
            Patch::Null => Patch::Null,
            Patch::Absent => Patch::Absent,
            Patch::Unreadable => Patch::Unreadable,
        }
    }

    /// A UUID.
    pub(crate) fn id<T: From<Uuid>>(&mut self, name: &'static str) -> Patch<T> {
        match self.text(name) {
            Patch::Value(text) => match Uuid::parse_str(&text) {
                Ok(id) => Patch::Value(id.into()),
                Err(_) => self.wrong(name, "must be a UUID"),
            },
            Patch::Null => Patch::Null,
            Patch::Absent => Patch::Absent,
            Patch::Unreadable => Patch::Unreadable,
        }
    }

    /// A list of UUIDs. The elements of one that is longer than `most` are not looked at: it is refused as a whole.
    pub(crate) fn ids<T: From<Uuid>>(&mut self, name: &'static str, most: usize) -> Patch<Vec<T>> {
        self.list(name).map(|items| {
            let mut ids = Vec::new();
            for (index, item) in items.iter().enumerate() {
                match item.as_str().and_then(|text| Uuid::parse_str(text).ok()) {
                    Some(id) => ids.push(id.into()),
                    None if items.len() <= most => {
                        self.error(&format!("{name}[{index}]"), "wrong_type", "must be a UUID");
                    }
                    None => ids.push(Uuid::nil().into()),
                }
            }
            ids
        })
    }

    /// A list, element by element.
    pub(crate) fn list(&mut self, name: &'static str) -> Patch<Vec<Value>> {
        match self.json(name) {
            Patch::Value(Value::Array(items)) => Patch::Value(items),
            Patch::Value(_) => self.wrong(name, "must be a list"),
            Patch::Null => Patch::Null,
            Patch::Absent => Patch::Absent,
            Patch::Unreadable => Patch::Unreadable,
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&mut self, name: &'static str) -> Patch<u32> {
        match self.json(name) {
            Patch::Value(value) => match whole(&value) {
                Some(number) => Patch::Value(number),
                None => self.wrong(name, "must be a whole number, not negative"),
            },
            Patch::Null => Patch::Null,
            Patch::Absent => Patch::Absent,
            Patch::Unreadable => Patch::Unreadable,
        }
    }

    fn wrong<T>(&mut self, name: &'static str, message: &str) -> Patch<T> {
        self.error(name, "wrong_type", message);
        Patch::Unreadable
    }

    /// Reports unknown fields, so that a misspelled name is not silently ignored.
    pub(crate) fn refuse_others(&mut self) {
        let known = match self.known.join(", ") {
            names if names.is_empty() => "leave it out".to_owned(),
            names => format!("there are {names}"),
        };
        let others: Vec<String> = self.object.keys().take(MAX_ERRORS).cloned().collect();
        for name in others {
            let shown: String = name.chars().take(60).collect();
            self.error(&shown, UNKNOWN_FIELD, format!("there is no such field; {known}"));
        }
    }

    /// Ends reading: returns the mistakes, for the command to carry along.
    pub(crate) fn into_mistakes(mut self) -> Vec<Mistake> {
        self.refuse_others();
        self.errors.into_iter().map(mistake).collect()
    }

    /// Ends reading: returns an error if there are mistakes.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        self.refuse_others();
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(self.errors))
        }
    }
}

fn mistake(error: FieldError) -> Mistake {
    Mistake {
        field: FieldName::Named(error.field),
        code: error.code.into(),
        message: error.message,
    }
}

/// A whole number in JSON, which includes 1.0 (JSON Schema 2020-12, section 6.1.1).
pub(crate) fn whole(value: &Value) -> Option<u32> {
    let number = match value.as_u64() {
        Some(number) => number,
        None => {
            let number = value.as_f64()?;
            // Such numbers are exact as f64, so nothing is rounded here.
            let exact = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
            exact.then_some(number as u64)?
        }
    };
    u32::try_from(number).ok()
}

/// An id in a path. One that is not a valid UUID does not exist.
pub(crate) fn path_id<T: From<Uuid>>(text: &str, thing: Thing) -> Result<T, Problem> {
    Uuid::parse_str(text)
        .map(T::from)
        .map_err(|_| Problem::not_found(thing.name()))
}

/// A cursor that no page returned.
pub(crate) fn invalid_cursor() -> Problem {
    Problem::field(
        "cursor",
        "invalid_cursor",
        "give the nextCursor of the page before, or none",
    )
}

/// The parameters of a query string.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `name=value` pairs and refuses unknown and duplicate names.
    pub(crate) fn new(pairs: Vec<(String, String)>, known: &[&str]) -> Result<Self, Problem> {
        for (index, (name, _)) in pairs.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let shown: String = name.chars().take(60).collect();
                return Err(Problem::field(
                    shown,
                    "unknown_parameter",
                    format!("there is no such parameter; there are {}", known.join(", ")),
                ));
            }
            if pairs.iter().skip(index + 1).any(|(other, _)| other == name) {
                return Err(Problem::field(name, "repeated_parameter", "give it once"));
            }
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter; an empty one counts as absent, so that `cursor=` starts at the beginning.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_have_a_fraction_of_zero() {
        for (text, number) in [
            ("0", Some(0)),
            ("70.0", Some(70)),
            ("7e1", Some(70)),
            ("-0.0", Some(0)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("4294967296.0", None),
            ("1e300", None),
            ("1.5", None),
            ("-1", None),
            ("-1.0", None),
            ("\"1\"", None),
        ] {
            assert_eq!(whole(&serde_json::from_str(text).unwrap()), number, "{text}");
        }
    }

    #[test]
    fn a_body_of_nothing_but_mistakes_gets_a_short_answer() {
        let object = (0..20_000)
            .map(|number| (number.to_string(), Value::Null))
            .collect();
        let problem = Fields::new(object).finish().unwrap_err();
        assert_eq!(problem.errors().len(), MAX_ERRORS);

        let mut fields = Fields::new(Map::new());
        for number in 0..20_000 {
            let mut inner = Fields::within(format!("reminders[{number}]."), Map::new());
            inner.error("at", "wrong_type", "must be a string");
            fields.take_errors(inner);
        }
        assert_eq!(fields.finish().unwrap_err().errors().len(), MAX_ERRORS);
    }

    #[test]
    fn a_misspelt_field_is_named() {
        let Ok(Value::Object(object)) = serde_json::from_str(r#"{"title":1,"dueDate":"x"}"#) else {
            unreachable!()
        };
        let mut fields = Fields::new(object);
        assert_eq!(fields.text("title"), Patch::Unreadable);
        let problem = fields.finish().unwrap_err();
        assert_eq!(problem.detail(), "2 fields are not valid");
    }
}
