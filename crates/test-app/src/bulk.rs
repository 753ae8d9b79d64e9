//! Batches of a bulk subscription.

use serde_json::{Value, json};

use crate::Seen;

/// The entries of a batch.
///
/// # Panics
///
/// The request is not a batch.
pub fn entries(seen: &Seen) -> Vec<Value> {
    let mut body = seen.json();
    match body.get_mut("entries").map(Value::take) {
        Some(Value::Array(entries)) => entries,
        _ => panic!("a batch, not {}", seen.text()),
    }
}

/// A response to a batch, with the status that `status` gives each entry; none leaves the entry out.
///
/// # Panics
///
/// The request is not a batch.
pub fn statuses(seen: &Seen, status: impl Fn(&Value) -> Option<&'static str>) -> (u16, String) {
    let statuses: Vec<Value> = entries(seen)
        .iter()
        .filter_map(|entry| Some(json!({ "entryId": entry["entryId"], "status": status(entry)? })))
        .collect();
    (200, json!({ "statuses": statuses }).to_string())
}
