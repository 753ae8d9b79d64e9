//! The content of a secret store.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::error::Error;

/// The content of a `secretstores.local.file`, read once, as Dapr does.
pub(crate) struct Secrets(BTreeMap<String, String>);

impl std::fmt::Debug for Secrets {
    /// Names only: a secret is never printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Secrets {
    /// Reads a JSON object; nested names are joined by `separator`.
    pub(crate) fn read(path: &Path, separator: &str) -> Result<Self, Error> {
        let text = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_owned(),
            source,
        })?;
        let tree: serde_json::Map<String, Value> =
            serde_json::from_slice(&text).map_err(|source| Error::Secrets {
                path: path.to_owned(),
                source,
            })?;
        let mut flat = BTreeMap::new();
        for (name, value) in tree {
            flatten(name, value, separator, &mut flat);
        }
        Ok(Self(flat))
    }

    /// Every secret, by name.
    pub(crate) fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    /// The value of a `secretKeyRef`: a secret of this store has one value, under its own name.
    pub(crate) fn resolve(&self, name: &str, key: &str) -> Option<String> {
        (key.is_empty() || key == name)
            .then(|| self.0.get(name).cloned())
            .flatten()
    }
}

fn flatten(name: String, value: Value, separator: &str, flat: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                flatten(format!("{name}{separator}{field}"), value, separator, flat);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.into_iter().enumerate() {
                flatten(format!("{name}{separator}{index}"), value, separator, flat);
            }
        }
        Value::String(text) => {
            flat.insert(name, text);
        }
        other => {
            flat.insert(name, other.to_string());
        }
    }
}
