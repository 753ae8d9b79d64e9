//! Secret stores: `/v1.0/secrets/{store}/{key}` and `/v1.0/secrets/{store}/bulk`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{self, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;

use crate::Error;
use crate::problem::{Problem, json_line};
use crate::resources::Block;
use crate::sidecar::Sidecar;

/// The content of a `secretstores.local.file`, read once, as Dapr does.
pub(crate) struct Secrets(BTreeMap<String, String>);

impl std::fmt::Debug for Secrets {
    /// Names alone: a secret is never printed.
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

    /// What a `secretKeyRef` means: a secret of this store has one value, under its own name.
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

fn store<'s>(sidecar: &'s Sidecar, name: &str) -> Result<&'s Secrets, Problem> {
    match sidecar.component(name).map(|component| &component.block) {
        Some(Block::Secrets(secrets)) => Ok(secrets),
        _ => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "ERR_SECRET_STORE_NOT_FOUND",
            format!("failed finding secret store with key {name}"),
        )),
    }
}

pub(crate) async fn get(
    State(sidecar): State<Arc<Sidecar>>,
    extract::Path((name, key)): extract::Path<(String, String)>,
) -> Result<Response, Problem> {
    let value = store(&sidecar, &name)?.0.get(&key).ok_or_else(|| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "ERR_SECRET_GET",
            format!("failed getting secret with key {key} from secret store {name}: secret {key} not found"),
        )
    })?;
    Ok(json_line(&BTreeMap::from([(key, value)])))
}

pub(crate) async fn bulk(
    State(sidecar): State<Arc<Sidecar>>,
    extract::Path(name): extract::Path<String>,
) -> Result<Response, Problem> {
    let secrets = &store(&sidecar, &name)?.0;
    let all: BTreeMap<_, _> = secrets
        .iter()
        .map(|(key, value)| (key, BTreeMap::from([(key, value)])))
        .collect();
    Ok(json_line(&all))
}
