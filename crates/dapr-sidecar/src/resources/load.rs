//! Reads the folders.

use std::path::{Path, PathBuf};

use super::component::{self, Component};
use super::configuration;
use super::resiliency::{self, Resiliency};
use super::source;
use super::subscription::{self, Subscription};
use crate::error::Error;

/// All resources of the folders.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    pub(crate) components: Vec<Component>,
    pub(crate) subscriptions: Vec<Subscription>,
    pub(crate) resiliencies: Vec<Resiliency>,
    /// False if a configuration sets `samplingRate: "0"`: no trace headers then.
    pub(crate) tracing: bool,
}

/// Loads every `*.yaml` of the folders, each in name order. Relative paths in components start at `working_dir`.
pub(crate) fn load(folders: &[PathBuf], working_dir: &Path) -> Result<Resources, Error> {
    let read = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::Read { path, source }
    };
    let mut files = Vec::new();
    for folder in folders {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(read(folder))? {
            let path = entry.map_err(read(folder))?.path();
            if path.extension().is_some_and(|extension| extension == "yaml") {
                found.push(path);
            }
        }
        found.sort();
        files.append(&mut found);
    }
    let mut components = Vec::new();
    let mut resources = Resources {
        tracing: true,
        ..Resources::default()
    };
    for file in files {
        let text = std::fs::read_to_string(&file).map_err(read(&file))?;
        for mut source in source::documents(&file, &text)? {
            if source.kind == "Resiliency" && source.document > 1 {
                return Err(source.error(
                    "daprd reads a Resiliency only from the beginning of a file, and would ignore this one: give it a file of \
                     its own",
                ));
            }
            match source.kind {
                "Component" => components.push(source),
                "Subscription" => resources.subscriptions.push(subscription::load(source)?),
                "Resiliency" => resources.resiliencies.push(resiliency::load(source)?),
                _ => resources.tracing = configuration::tracing(&mut source)?,
            }
        }
    }
    resources.components = component::load(components, working_dir)?;
    Ok(resources)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(yaml: &str) -> Result<Resources, String> {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("all.yaml"), yaml).expect("written");
        std::fs::write(dir.path().join("secrets.json"), r#"{"smtp":{"password":"p"}}"#).expect("written");
        load(&[dir.path().to_owned()], dir.path()).map_err(|error| {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            format!("{error}{}", source.unwrap_or_default())
        })
    }

    const PUBSUB: &str = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: pubsub}\n\
                          spec: {type: pubsub.in-memory, version: v1}\n";

    #[test]
    fn loads_several_documents_of_a_file() {
        let subscription = "apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata: {name: s}\n\
            spec:\n  pubsubname: pubsub\n  topic: t\n  deadLetterTopic: dead\n  routes:\n    rules:\n\
            \x20   - {match: 'event.type == \"a\"', path: /a}\n    default: /other\nscopes: [billing]\n";
        let resources =
            load_text(&format!("{PUBSUB}---\n# nothing\n---\n{subscription}")).expect("good files");
        assert_eq!(resources.components.len(), 1);
        let subscription = &resources.subscriptions[0];
        assert_eq!(subscription.dead_letter.as_deref(), Some("dead"));
        assert!(super::super::in_scope(&subscription.scopes, "billing"));
        assert!(!super::super::in_scope(&subscription.scopes, "orders"));
    }

    #[test]
    fn a_policy_that_daprd_would_not_see_is_refused() {
        let policy = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec: {policies: {}, targets: {}}\n";
        assert_eq!(load_text(policy).expect("at the beginning").resiliencies.len(), 1);
        let error = load_text(&format!("{PUBSUB}---\n{policy}"))
            .map(drop)
            .expect_err("an error");
        assert!(error.contains("a file of its own"), "{error}");
    }

    #[test]
    fn unsupported_resources_are_refused_by_name() {
        let component = |kind: &str, metadata: &str| {
            format!(
                "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: c}}\n\
                 spec:\n  type: {kind}\n  version: v1\n  metadata: {metadata}\n"
            )
        };
        let cases = [
            (component("pubsub.kafka", "[]"), "pubsub.kafka"),
            (
                component("pubsub.in-memory", "[{name: brokers, value: x}]"),
                "brokers",
            ),
            (
                component("state.in-memory", "[{name: keyPrefix, value: name, oops: 1}]"),
                "oops",
            ),
            (component("bindings.smtp", "[{name: host, value: h}]"), "port"),
            (
                component(
                    "bindings.smtp",
                    "[{name: port, value: '465'}, {name: host, value: h}]",
                ),
                "465",
            ),
            (
                component(
                    "secretstores.local.file",
                    "[{name: secretsFile, value: gone.json}]",
                ),
                "gone.json",
            ),
            (PUBSUB.replace("Component", "HTTPEndpoint"), "HTTPEndpoint"),
            (format!("{PUBSUB}---\n{PUBSUB}"), "two components"),
            ("kind: [".to_owned(), "all.yaml"),
        ];
        for (yaml, word) in cases {
            let error = load_text(&yaml).expect_err(word);
            assert!(error.contains(word), "{word}: {error}");
            assert!(error.contains("all.yaml") || word == "gone.json", "{error}");
        }
    }

    #[test]
    fn resolves_a_secret_that_a_component_refers_to() {
        let yaml = "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {name: mail}\nspec:\n  type: bindings.smtp\n\
            \x20 version: v1\n  metadata:\n  - {name: host, value: 127.0.0.1}\n  - {name: port, value: 25}\n\
            \x20 - {name: user, value: u}\n  - name: password\n    secretKeyRef: {name: 'smtp:password', key: KEY}\n\
            auth: {secretStore: secrets}\n---\napiVersion: dapr.io/v1alpha1\nkind: Component\n\
            metadata: {name: secrets}\nspec:\n  type: secretstores.local.file\n  version: v1\n  metadata:\n\
            \x20 - {name: secretsFile, value: secrets.json}\n";
        let resources = load_text(&yaml.replace("KEY", "'smtp:password'")).expect("good files");
        let smtp = resources
            .components
            .iter()
            .find(|component| component.name == "mail")
            .expect("loaded");
        let super::super::Block::Smtp(smtp) = &smtp.block else {
            panic!("an smtp binding")
        };
        assert_eq!(smtp.credentials, Some(("u".to_owned(), "p".to_owned())));
        let error = load_text(&yaml.replace("KEY", "other")).expect_err("no such key");
        assert!(error.contains("password") && !error.contains("\"p\""), "{error}");
    }
}
