//! What is in a pod. `mod pod` in the test binaries.

use anyhow::{Context, Result};
use serde_json::Value;

/// The container with this name.
pub(crate) fn container<'a>(pod: &'a Value, name: &str) -> Result<&'a Value> {
    let containers = pod["spec"]["containers"]
        .as_array()
        .context("a pod has containers")?;
    let found = containers.iter().find(|container| container["name"] == name);
    found.with_context(|| format!("there is no container {name} in {containers:?}"))
}

/// The arguments of a container.
pub(crate) fn arguments(container: &Value) -> Vec<&str> {
    let arguments = container["args"].as_array();
    arguments
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// What follows a flag among them.
pub(crate) fn argument<'a>(container: &'a Value, flag: &str) -> Option<&'a str> {
    let arguments = arguments(container);
    let at = arguments.iter().position(|argument| *argument == flag)?;
    arguments.get(at + 1).copied()
}
