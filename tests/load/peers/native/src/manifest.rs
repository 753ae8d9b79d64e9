//! What is read of `spin.toml`: routes, and each component's variables.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// A manifest.
#[derive(Deserialize)]
pub(crate) struct Manifest {
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    pub(crate) trigger: Triggers,
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
struct Variable {
    default: Option<String>,
}

/// Its triggers.
#[derive(Deserialize)]
pub(crate) struct Triggers {
    pub(crate) http: Vec<Route>,
}

/// A route: an exact path, or one that ends with `/...`.
#[derive(Clone, Deserialize)]
pub(crate) struct Route {
    pub(crate) route: String,
    pub(crate) component: String,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a file.
    pub(crate) fn load(file: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is no manifest", file.display()))
    }

    /// The values of the application's variables: as given, else of the environment, else the default.
    pub(crate) fn values(&self, given: Vec<(String, String)>) -> Result<BTreeMap<String, String>> {
        let given: BTreeMap<_, _> = given.into_iter().collect();
        if let Some(name) = given.keys().find(|name| !self.variables.contains_key(*name)) {
            bail!("variable {name:?} is not defined in the manifest");
        }
        let mut values = BTreeMap::new();
        for (name, variable) in &self.variables {
            let environment = format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase());
            let value = given
                .get(name)
                .cloned()
                .or_else(|| std::env::var(&environment).ok())
                .or_else(|| variable.default.clone())
                .with_context(|| format!("variable {name:?} is required"))?;
            values.insert(name.clone(), value);
        }
        Ok(values)
    }

    /// A component's variables, with the values of the application's in them.
    pub(crate) fn variables(
        &self,
        component: &str,
        values: &BTreeMap<String, String>,
    ) -> Result<HashMap<String, String>> {
        let component = self
            .component
            .get(component)
            .with_context(|| format!("there is no component {component:?} in the manifest"))?;
        component
            .variables
            .iter()
            .map(|(name, template)| Ok((name.clone(), expand(template, values)?)))
            .collect()
    }
}

/// Replaces each `{{ name }}` by its value.
fn expand(template: &str, values: &BTreeMap<String, String>) -> Result<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((literal, tail)) = rest.split_once("{{") {
        let (name, tail) = tail
            .split_once("}}")
            .with_context(|| format!("template {template:?} has an opening brace without its closing one"))?;
        let value = values
            .get(name.trim())
            .with_context(|| format!("template {template:?} uses a variable that is not defined"))?;
        text.push_str(literal);
        text.push_str(value);
        rest = tail;
    }
    text.push_str(rest);
    Ok(text)
}
