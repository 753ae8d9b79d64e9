//! The tables of a `spin.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// `[application]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Application {
    /// Reported at `/.well-known/spin/info`.
    pub name: String,
    /// Reported at `/.well-known/spin/info`; empty if the manifest has none.
    #[serde(default)]
    pub version: String,
    /// Not used by the host.
    #[serde(default)]
    pub description: String,
    /// Not used by the host.
    #[serde(default)]
    pub authors: Vec<String>,
    /// Settings of other programs, unchanged.
    #[serde(default)]
    pub tool: BTreeMap<String, toml::Table>,
}

/// One entry of `[variables]`, which either is required or has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The value if none is set.
    pub default: Option<String>,
    /// The application does not start without a value.
    #[serde(default)]
    pub required: bool,
    /// The value must not be shown; this host never shows values.
    #[serde(default)]
    pub secret: bool,
}

/// One `[[trigger.http]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpTrigger {
    /// A name, not used by the host.
    pub id: Option<String>,
    /// The paths; see [`Router`](crate::Router) for the syntax.
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
    /// Not used by the host.
    #[serde(default)]
    pub description: String,
    /// The component's variables by name; the values are templates that use the application's variables.
    #[serde(default)]
    pub variables: BTreeMap<String, String>,
    /// The guest's environment variables; it does not see those of the host.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// Files that the guest may read.
    #[serde(default)]
    pub files: Vec<Files>,
    /// The addresses to which the guest may connect: `scheme://host:port`; templates are allowed.
    #[serde(default)]
    pub allowed_outbound_hosts: Vec<String>,
    /// Names of databases that the guest may open with `spin:sqlite`.
    #[serde(default)]
    pub sqlite_databases: Vec<String>,
    /// Imports that other components satisfy.
    #[serde(default)]
    pub dependencies: BTreeMap<String, Dependency>,
    /// How to build the component; never run by this crate.
    pub build: Option<Build>,
    /// Settings of other programs, unchanged.
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

/// One entry of `dependencies`, which has exactly one of `component` and `path`.
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
    /// Which configuration of the depending component the dependency may use; none by default.
    #[serde(default)]
    pub inherit_configuration: Inherit,
}

/// `inherit_configuration`: `true`, `false` or a list of sets.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected true, false or a list of configuration names")]
pub enum Inherit {
    /// All or nothing.
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
    /// Glob patterns of files whose changes require a new build.
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
