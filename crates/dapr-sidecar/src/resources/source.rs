//! The documents of a YAML file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// The part that all kinds have in common.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Document {
    api_version: String,
    kind: String,
    metadata: Meta,
    spec: serde_norway::Value,
    #[serde(default)]
    scopes: Vec<String>,
    auth: Option<Auth>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Meta {
    name: String,
    #[serde(default, rename = "namespace")]
    _namespace: Option<String>,
    #[serde(default, rename = "labels")]
    _labels: Option<BTreeMap<String, String>>,
    #[serde(default, rename = "annotations")]
    _annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Auth {
    secret_store: String,
}

/// One resource, with its file and position for error messages.
pub(crate) struct Source {
    file: PathBuf,
    /// Its number in the file, counted from 1.
    pub(crate) document: usize,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) secret_store: Option<String>,
    spec: serde_norway::Value,
}

impl Source {
    /// The spec in the shape of its kind.
    pub(crate) fn spec<T: DeserializeOwned>(&mut self) -> Result<T, Error> {
        serde_norway::from_value(std::mem::take(&mut self.spec)).map_err(|source| Error::Yaml {
            file: self.file.clone(),
            document: self.document,
            source,
        })
    }

    /// An error about this resource.
    pub(crate) fn error(&self, problem: impl Into<String>) -> Error {
        Error::Resource {
            file: self.file.clone(),
            kind: self.kind,
            name: self.name.clone(),
            problem: problem.into(),
        }
    }
}

/// Reads a file. A document without content is skipped.
pub(crate) fn documents(file: &Path, text: &str) -> Result<Vec<Source>, Error> {
    let mut sources = Vec::new();
    for (index, yaml) in serde_norway::Deserializer::from_str(text).enumerate() {
        let document = index + 1;
        let error = |source| Error::Yaml {
            file: file.to_owned(),
            document,
            source,
        };
        let value = serde_norway::Value::deserialize(yaml).map_err(error)?;
        if value.is_null() {
            continue; // Nothing but comments, or an empty part between two `---`.
        }
        let parsed: Document = serde_norway::from_value(value).map_err(error)?;
        let kind = match (parsed.kind.as_str(), parsed.api_version.as_str()) {
            ("Component", "dapr.io/v1alpha1") => "Component",
            ("Subscription", "dapr.io/v2alpha1") => "Subscription",
            ("Resiliency", "dapr.io/v1alpha1") => "Resiliency",
            ("Configuration", "dapr.io/v1alpha1") => "Configuration",
            (kind, version) => {
                return Err(Error::Resource {
                    file: file.to_owned(),
                    kind: "resource",
                    name: parsed.metadata.name,
                    problem: format!(
                        "kind {kind} of {version} is not known; there are Component, Resiliency and \
                         Configuration of dapr.io/v1alpha1 and Subscription of dapr.io/v2alpha1"
                    ),
                });
            }
        };
        sources.push(Source {
            file: file.to_owned(),
            document,
            kind,
            name: parsed.metadata.name,
            scopes: parsed.scopes,
            secret_store: parsed.auth.map(|auth| auth.secret_store),
            spec: parsed.spec,
        });
    }
    Ok(sources)
}
