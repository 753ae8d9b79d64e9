//! Objects as YAML, and changes to them. `mod yaml` in the test binaries.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize as _;
use serde_json::Value;

/// The workspace.
pub(crate) fn root() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().context("the workspace")
}

/// The objects of a manifest.
pub(crate) fn documents(yaml: &str) -> Result<Vec<Value>> {
    serde_norway::Deserializer::from_str(yaml)
        .map(|document| Value::deserialize(document).context("no YAML"))
        .filter(|document| !matches!(document, Ok(Value::Null)))
        .collect()
}

/// Puts a value at a pointer; null takes it away.
pub(crate) fn put(object: &mut Value, at: &str, value: Value) -> Result<()> {
    let (parent, field) = at.rsplit_once('/').context("a pointer")?;
    let field = field.replace("~1", "/");
    match object
        .pointer_mut(parent)
        .with_context(|| format!("there is no {parent}"))?
    {
        Value::Object(fields) if value.is_null() => {
            fields
                .remove(&field)
                .with_context(|| format!("there is no {at}"))?;
        }
        Value::Object(fields) => {
            fields.insert(field, value);
        }
        Value::Array(items) => {
            let index: usize = field.parse()?;
            if index == items.len() {
                items.push(value);
            } else {
                *items
                    .get_mut(index)
                    .with_context(|| format!("there is no {at}"))? = value;
            }
        }
        other => anyhow::bail!("{parent} is {other}"),
    }
    Ok(())
}
