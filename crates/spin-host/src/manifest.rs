//! `spin.toml`, version 2: what is read, and the refusal of everything else.
//!
//! The tables and their meaning are Spin's (<https://spinframework.dev/v3/manifest-reference>). A key that this
//! host does not act on is an error that names file, line and key, because a capability that is silently missing
//! here would be found in production. Accepted without effect: `authors`, `version` and `description` of the
//! application, and the `tool` tables, which are other programs' notes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::dependency::DependencyName;
use crate::routes::Router;

/// A checked manifest, and the folder that its relative paths start from.
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

/// `[application]`: what the application is called.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Reported at `/.well-known/spin/info`.
    pub name: String,
    /// Reported at `/.well-known/spin/info`; empty if the manifest has none.
    #[serde(default)]
    pub version: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// For people.
    #[serde(default)]
    pub authors: Vec<String>,
    /// Other programs' settings, as they stand in the manifest.
    #[serde(default)]
    pub tool: BTreeMap<String, toml::Table>,
}

/// One entry of `[variables]`: either it is required, or it has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The value if nobody sets another.
    pub default: Option<String>,
    /// The application does not start without a value.
    #[serde(default)]
    pub required: bool,
    /// The value must not be shown; this host never shows any.
    #[serde(default)]
    pub secret: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    http: Vec<HttpTrigger>,
}

/// One `[[trigger.http]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    /// A name for people.
    pub id: Option<String>,
    /// Which paths; see [`Router`] for the syntax.
    pub route: String,
    /// The id of a `[component.…]`.
    pub component: String,
}

/// One `[component.…]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The `.wasm` file, relative to the manifest.
    pub source: PathBuf,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// The component's own variables: name to template over the application's variables.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The guest's environment; it sees nothing of the host's.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Files that the guest may read.
    #[serde(default)]
    pub files: Vec<Files>,
    /// Where the guest may connect to: `scheme://host:port`, templates allowed.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// Names of databases the guest may open with `spin:sqlite`.
    #[serde(default)]
    pub sqlite_databases: Vec<String>,
    /// Imports that another component satisfies.
    #[serde(default)]
    pub dependencies: BTreeMap<String, Dependency>,
    /// How to build the component; exposed, never run by this crate.
    pub build: Option<Build>,
    /// Other programs' settings, as they stand in the manifest.
    #[serde(default)]
    pub tool: BTreeMap<String, toml::Table>,
}

/// One entry of `files`.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected a glob pattern, or a table with `source` and `destination`"
)]
pub enum Files {
    /// A glob pattern, relative to the manifest; the guest sees the same relative paths.
    Pattern(String),
    /// A folder or file of the host, under another name in the guest.
    Placement {
        /// The path, relative to the manifest.
        source: PathBuf,
        /// The absolute path in the guest.
        destination: String,
    },
}

/// One entry of `dependencies`: exactly one of `component` and `path` is there.
#[derive(Clone, Debug, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table with `component` or `path`; registries and addresses are not supported"
)]
pub struct Dependency {
    /// The id of another component of this manifest, whose source is used.
    pub component: Option<String>,
    /// A `.wasm` file, relative to the manifest.
    pub path: Option<PathBuf>,
    /// The export that satisfies the import, if it has another name.
    pub export: Option<String>,
    /// What of the depending component's configuration the dependency may use; nothing by default.
    #[serde(default)]
    pub inherit_configuration: Inherit,
}

/// `inherit_configuration`: `true`, `false` or a list of sets.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected true, false or a list of configuration names")]
pub enum Inherit {
    /// All of it, or nothing.
    All(bool),
    /// These sets.
    Only(Vec<String>),
}

impl Default for Inherit {
    fn default() -> Self {
        Self::All(false)
    }
}

/// `[component.….build]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// Shell commands, run one after the other.
    pub command: Commands,
    /// Where, relative to the manifest.
    pub workdir: Option<PathBuf>,
    /// Glob patterns of files whose change asks for a new build.
    #[serde(default)]
    pub watch: Vec<String>,
}

/// One command or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a command or a list of commands")]
pub enum Commands {
    /// `command = "…"`.
    One(String),
    /// `command = ["…", "…"]`.
    Several(Vec<String>),
}

/// Why a manifest is not accepted. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("{}: cannot be read", file.display())]
    Read {
        /// The manifest.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Not TOML, a key that is not known, or a value of another type. The text shows the place.
    #[error("{}: {source}", file.display())]
    Syntax {
        /// The manifest.
        file: PathBuf,
        /// Line, column and what would be accepted.
        source: Box<toml::de::Error>,
    },
    /// Well-formed, but contradictory or not supported.
    #[error("{}: [{table}] {problem}", file.display())]
    Rule {
        /// The manifest.
        file: PathBuf,
        /// Which table.
        table: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// What `inherit_configuration` may list (Spin's capability sets).
pub(crate) const INHERITABLE: [&str; 7] = [
    "ai_models",
    "allowed_outbound_hosts",
    "environment",
    "files",
    "key_value_stores",
    "sqlite_databases",
    "variables",
];

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

    /// Checks a manifest's text. `file` is for messages, and its folder is where relative paths start.
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

    /// The HTTP triggers in the manifest's order.
    pub fn triggers(&self) -> &[HttpTrigger] {
        &self.raw.trigger.http
    }

    /// The components by id.
    pub fn components(&self) -> &BTreeMap<String, Component> {
        &self.raw.component
    }

    /// The file the manifest came from.
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
            (Some(_), Some(_)) => return Err("names a `component` and a `path`; one must go".into()),
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
