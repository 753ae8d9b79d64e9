//! From and to JSON, by way of its text: so the code that reads or writes a type is there once, not for `Value` as well.

use serde::Serialize;
use serde_json::Value;

/// A value as JSON.
pub(crate) fn value(of: &impl Serialize) -> Option<Value> {
    parse(&serde_json::to_string(of).ok()?)
}

fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
