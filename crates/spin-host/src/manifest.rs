//! Reads `spin.toml`, version 2, and refuses everything that this host does not support.
//!
//! The tables and their meaning are Spin's (<https://spinframework.dev/v3/manifest-reference>). A key that this
//! host does not support is an error that names file, line and key, so that a missing capability is not noticed only in
//! production. Accepted without effect: `authors`, `version` and `description` of the application, and the `tool` tables, which
//! are settings of other programs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::dependency::DependencyName;
use crate::routes::Router;

pub(crate) mod tables;

use tables::INHERITABLE;
pub use tables::{
    Application, Build, Commands, Component, Dependency, Files, HttpTrigger, Inherit, Variable,
};

/// A checked manifest, and the folder to which its paths are relative.
#[derive(Clone, Debug)]
pub struct Manifest {
    file: PathBuf,
    folder: PathBuf,
    raw: Raw,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    spin_manifest_version: u32,
    application: Application,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    #[serde(default)]
    trigger: Triggers,
    #[serde(default)]
    component: BTreeMap<String, Component>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    http: Vec<HttpTrigger>,
}

/// Why a manifest is not accepted. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("{}: cannot be read", file.display())]
    Read {
        /// The manifest.
        file: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The file is not TOML, or has an unknown key or a value of another type. The text shows the position.
    #[error("{}: {source}", file.display())]
    Syntax {
        /// The manifest.
        file: PathBuf,
        /// Line, column and what is expected.
        source: Box<toml::de::Error>,
    },
    /// The manifest is well-formed, but contradictory or not supported.
    #[error("{}: [{table}] {problem}", file.display())]
    Rule {
        /// The manifest.
        file: PathBuf,
        /// The table.
        table: String,
        /// The reason.
        problem: String,
    },
}

impl Manifest {
    /// Reads and checks a manifest file.
    pub fn load(file: impl AsRef<Path>) -> Result<Self, ManifestError> {
        let file = file.as_ref();
        let text = std::fs::read_to_string(file).map_err(|source| ManifestError::Read {
            file: file.to_owned(),
            source,
        })?;
        Self::parse(file, &text)
    }

    /// Parses and checks the text of a manifest. `file` is for messages; relative paths start from its folder.
    pub fn parse(file: impl AsRef<Path>, text: &str) -> Result<Self, ManifestError> {
        let file = file.as_ref().to_owned();
        let raw: Raw = toml::from_str(text).map_err(|error| ManifestError::Syntax {
            file: file.clone(),
            source: Box::new(error),
        })?;
        let folder = match file.parent() {
            Some(parent) if parent.as_os_str().is_empty() => PathBuf::from("."),
            Some(parent) => parent.to_owned(),
            None => PathBuf::from("."),
        };
        let manifest = Self { file, folder, raw };
        match manifest.check() {
            Ok(()) => Ok(manifest),
            Err((table, problem)) => Err(ManifestError::Rule {
                file: manifest.file,
                table,
                problem,
            }),
        }
    }

    /// The application's table.
    pub fn application(&self) -> &Application {
        &self.raw.application
    }

    /// The application's variables by name.
    pub fn variables(&self) -> &BTreeMap<String, Variable> {
        &self.raw.variables
    }

    /// The HTTP triggers in the order of the manifest.
    pub fn triggers(&self) -> &[HttpTrigger] {
        &self.raw.trigger.http
    }

    /// The components by id.
    pub fn components(&self) -> &BTreeMap<String, Component> {
        &self.raw.component
    }

    /// The file from which the manifest was read.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The folder that relative paths start from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn check(&self) -> Result<(), (String, String)> {
        if self.raw.spin_manifest_version != 2 {
            return refuse(
                "spin_manifest_version",
                format!("is {}, only 2 is supported", self.raw.spin_manifest_version),
            );
        }
        for (name, variable) in &self.raw.variables {
            let table = format!("variables.{name}");
            crate::variables::check_name(name).or_else(|problem| refuse(&table, problem))?;
            match (variable.required, &variable.default) {
                (true, Some(_)) => return refuse(&table, "has a default, so it cannot be `required`"),
                (false, None) => return refuse(&table, "needs a `default` or `required = true`"),
                _ => {}
            }
        }
        for trigger in self.triggers() {
            if !self.raw.component.contains_key(&trigger.component) {
                return refuse(
                    "trigger.http",
                    format!(
                        "route {:?} names component {:?}, which is not defined",
                        trigger.route, trigger.component
                    ),
                );
            }
        }
        Router::new(self.triggers()).or_else(|error| refuse("trigger.http", error))?;
        for (id, component) in &self.raw.component {
            check_id(id).or_else(|problem| refuse(&format!("component.{id}"), problem))?;
            for name in component.variables.keys() {
                crate::variables::check_name(name)
                    .or_else(|problem| refuse(&format!("component.{id}.variables"), problem))?;
            }
            for (name, dependency) in &component.dependencies {
                self.check_dependency(name, dependency)
                    .or_else(|problem| refuse(&format!("component.{id}.dependencies.{name:?}"), problem))?;
            }
        }
        Ok(())
    }

    fn check_dependency(&self, name: &str, dependency: &Dependency) -> Result<(), String> {
        let parsed: DependencyName = name.parse()?;
        match (&dependency.component, &dependency.path) {
            (Some(_), Some(_)) => return Err("has a `component` and a `path`; remove one of them".into()),
            (None, None) => return Err("needs a `component` or a `path`".into()),
            (Some(other), None) if !self.raw.component.contains_key(other) => {
                return Err(format!("names component {other:?}, which is not defined"));
            }
            _ => {}
        }
        if dependency.export.is_some() && parsed.is_whole_package() {
            return Err("an `export` cannot satisfy a whole package; name the interface".into());
        }
        if let Inherit::Only(sets) = &dependency.inherit_configuration
            && let Some(unknown) = sets.iter().find(|set| !INHERITABLE.contains(&set.as_str()))
        {
            return Err(format!(
                "cannot inherit {unknown:?}; known are {}",
                INHERITABLE.join(", ")
            ));
        }
        Ok(())
    }
}

fn refuse<T>(table: &str, problem: impl ToString) -> Result<T, (String, String)> {
    Err((table.to_owned(), problem.to_string()))
}

/// Spin's component ids are kebab-case.
fn check_id(id: &str) -> Result<(), String> {
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(|c| c.is_ascii_alphanumeric())
    };
    if id.split('-').all(word) {
        Ok(())
    } else {
        Err("is not a kebab-case id".into())
    }
}
