//! JSON as Go writes it.

use std::collections::BTreeMap;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use crate::problem::Problem;

/// A JSON response with the line end that Go's encoder writes where Dapr streams its response.
pub(crate) fn json_line(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(mut body) => {
            body.push(b'\n');
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(error) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ERR_INTERNAL",
            error.to_string(),
        )
        .into_response(),
    }
}

/// The same value with the members of each object in the order of their names, as Go writes maps, whatever map type serde_json
/// was built with.
pub(crate) fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let ordered: BTreeMap<&String, &Value> = fields.iter().collect();
            Value::Object(
                ordered
                    .into_iter()
                    .map(|(name, value)| (name.clone(), sorted(value)))
                    .collect(),
            )
        }
        Value::Array(values) => Value::Array(values.iter().map(sorted).collect()),
        other => other.clone(),
    }
}

/// The same value with numbers as Go's `float64`: integers beyond 2^53 lose digits, and `3.0` becomes `3`.
pub(crate) fn as_floats(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter();
            Value::Object(
                fields
                    .map(|(name, value)| (name.clone(), as_floats(value)))
                    .collect(),
            )
        }
        Value::Array(values) => Value::Array(values.iter().map(as_floats).collect()),
        Value::Number(number) => {
            Value::Number(number.as_f64().and_then(float).unwrap_or_else(|| number.clone()))
        }
        other => other.clone(),
    }
}

fn float(number: f64) -> Option<serde_json::Number> {
    // 2^63: below it, a whole float is an integer of 64 bits.
    if number.fract() == 0.0
        && number.abs() < 9_223_372_036_854_775_808.0
        && !(number == 0.0 && number.is_sign_negative())
    {
        return Some((number as i64).into());
    }
    serde_json::Number::from_f64(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_floats_as_in_go() {
        let text = r#"[1, -2, 9007199254740993, 3.0, 2.5, "9", {"n": 1e2}]"#;
        let value: Value = serde_json::from_str(text).expect("JSON");
        let expected = r#"[1,-2,9007199254740992,3,2.5,"9",{"n":100}]"#;
        assert_eq!(as_floats(&value).to_string(), expected);
        assert_eq!(as_floats(&u64::MAX.into()), Value::from(u64::MAX as f64));
    }
}
