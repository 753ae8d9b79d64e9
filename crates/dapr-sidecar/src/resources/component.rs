//! `kind: Component`.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use serde::Deserialize;

use super::source::Source;
use super::topics::Topics;
use crate::error::Error;
use crate::secrets::store::Secrets;

/// A loaded component.
#[derive(Debug)]
pub(crate) struct Component {
    pub(crate) name: String,
    /// The type as written, such as `pubsub.in-memory`.
    pub(crate) kind: String,
    pub(crate) version: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) block: Block,
}

/// The building block of a component, with its settings.
#[derive(Debug)]
pub(crate) enum Block {
    Pubsub(Topics),
    State(StateStore),
    Secrets(Secrets),
    Smtp(Smtp),
}

/// Settings of a state store.
#[derive(Clone, Debug)]
pub(crate) struct StateStore {
    pub(crate) prefix: KeyPrefix,
}

/// The prefix before `||` in a stored key; metadata `keyPrefix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyPrefix {
    AppId,
    StoreName,
    Nothing,
    Fixed(String),
}

/// Settings of `bindings.smtp`.
#[derive(Clone, Debug)]
pub(crate) struct Smtp {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// User and password, if the server requires them.
    pub(crate) credentials: Option<(String, String)>,
    /// The fields a request may override: `emailFrom`, `emailTo`, `emailCC`, `emailBCC`, `subject`, `priority`.
    pub(crate) defaults: BTreeMap<String, String>,
}

/// The component types that exist here.
const TYPES: &str =
    "pubsub.in-memory, state.in-memory, state.sqlite, secretstores.local.file and bindings.smtp";

/// The fields of an email that a request may set, in Dapr's spelling.
pub(crate) const EMAIL_FIELDS: [&str; 6] = [
    "emailFrom",
    "emailTo",
    "emailCC",
    "emailBCC",
    "subject",
    "priority",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    r#type: String,
    version: String,
    #[serde(default)]
    metadata: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Item {
    name: String,
    value: Option<serde_norway::Value>,
    secret_key_ref: Option<SecretKeyRef>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretKeyRef {
    name: String,
    #[serde(default)]
    key: String,
}

/// Loads the secret stores first, since the others may refer to them.
pub(crate) fn load(sources: Vec<Source>, working_dir: &Path) -> Result<Vec<Component>, Error> {
    let mut parsed = Vec::new();
    for mut source in sources {
        let spec: Spec = source.spec()?;
        parsed.push((source, spec));
    }
    parsed.sort_by_key(|(_, spec)| !spec.r#type.starts_with("secretstores."));
    let mut components: Vec<Component> = Vec::new();
    for (source, spec) in parsed {
        if components.iter().any(|component| component.name == source.name) {
            return Err(source.error("there are two components of this name"));
        }
        let mut settings = settings(&source, spec.metadata, &components)?;
        let block = match spec.r#type.as_str() {
            "pubsub.in-memory" => {
                settings.remove("consumerID"); // The consumer group is the app id, as by default in Dapr.
                Block::Pubsub(Topics::take(&mut settings))
            }
            "state.in-memory" | "state.sqlite" => Block::State(state(&source, &spec.r#type, &mut settings)),
            "secretstores.local.file" => Block::Secrets(secrets(&source, &mut settings, working_dir)?),
            "bindings.smtp" => Block::Smtp(smtp(&source, &mut settings)?),
            other => return Err(source.error(format!("type {other} does not exist here; there are {TYPES}"))),
        };
        if let Some(name) = settings.keys().next() {
            return Err(source.error(format!("spec.metadata: {} has no field {name} here", spec.r#type)));
        }
        components.push(Component {
            name: source.name,
            kind: spec.r#type,
            version: spec.version,
            scopes: source.scopes,
            block,
        });
    }
    Ok(components)
}

/// The metadata list as a map, secrets resolved.
fn settings(
    source: &Source,
    items: Vec<Item>,
    loaded: &[Component],
) -> Result<BTreeMap<String, String>, Error> {
    let mut settings = BTreeMap::new();
    for item in items {
        let name = item.name;
        let value = match (item.value, item.secret_key_ref) {
            (Some(value), None) => scalar(value).ok_or_else(|| {
                source.error(format!("spec.metadata {name}: not a string, number or boolean"))
            })?,
            (None, Some(reference)) => {
                let store = source.secret_store.as_deref().unwrap_or("kubernetes");
                loaded
                    .iter()
                    .find_map(|component| match &component.block {
                        Block::Secrets(secrets) if component.name == store => Some(secrets),
                        _ => None,
                    })
                    .and_then(|secrets| secrets.resolve(&reference.name, &reference.key))
                    .ok_or_else(|| {
                        source.error(format!(
                            "spec.metadata {name}: secret {} with key {} is not in the secret store {store}",
                            reference.name, reference.key
                        ))
                    })?
            }
            _ => return Err(source.error(format!("spec.metadata {name}: needs a value or a secretKeyRef"))),
        };
        if settings.insert(name.clone(), value).is_some() {
            return Err(source.error(format!("spec.metadata {name} is given twice")));
        }
    }
    Ok(settings)
}

fn scalar(value: serde_norway::Value) -> Option<String> {
    match value {
        serde_norway::Value::String(text) => Some(text),
        serde_norway::Value::Number(number) => Some(number.to_string()),
        serde_norway::Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

fn state(source: &Source, kind: &str, settings: &mut BTreeMap<String, String>) -> StateStore {
    if kind == "state.sqlite" && settings.remove("connectionString").is_some() {
        tracing::debug!(
            component = source.name,
            "connectionString is not used: state is in the sidecar's own database"
        );
    }
    let prefix = match settings.remove("keyPrefix").as_deref() {
        None | Some("appid") => KeyPrefix::AppId,
        Some("name") => KeyPrefix::StoreName,
        Some("none") => KeyPrefix::Nothing,
        Some(fixed) => KeyPrefix::Fixed(fixed.to_owned()),
    };
    // Actors need a placement service; the flag alone has no effect.
    settings.remove("actorStateStore");
    StateStore { prefix }
}

fn secrets(source: &Source, settings: &mut BTreeMap<String, String>, dir: &Path) -> Result<Secrets, Error> {
    let file = required(source, settings, "secretsFile")?;
    let separator = settings
        .remove("nestedSeparator")
        .unwrap_or_else(|| ":".to_owned());
    let multi_valued = flag(source, settings, "multiValued")?;
    if multi_valued {
        return Err(source.error("spec.metadata multiValued: only false is supported here"));
    }
    Secrets::read(&dir.join(file), &separator)
}

fn smtp(source: &Source, settings: &mut BTreeMap<String, String>) -> Result<Smtp, Error> {
    let host = required(source, settings, "host")?;
    let port = required(source, settings, "port")?;
    let port = u16::from_str(&port)
        .map_err(|_| source.error(format!("spec.metadata port: {port} is not a port number")))?;
    if port == 465 {
        return Err(source.error("spec.metadata port: 465 is SMTP over TLS, which is not supported here"));
    }
    flag(source, settings, "skipTLSVerify")?;
    let user = settings.remove("user").filter(|user| !user.is_empty());
    let password = settings.remove("password").unwrap_or_default();
    let defaults = EMAIL_FIELDS
        .iter()
        .filter_map(|&name| Some((name.to_owned(), settings.remove(name)?)))
        .collect();
    Ok(Smtp {
        host,
        port,
        credentials: user.map(|user| (user, password)),
        defaults,
    })
}

fn required(source: &Source, settings: &mut BTreeMap<String, String>, name: &str) -> Result<String, Error> {
    settings
        .remove(name)
        .ok_or_else(|| source.error(format!("spec.metadata {name} is missing")))
}

fn flag(source: &Source, settings: &mut BTreeMap<String, String>, name: &str) -> Result<bool, Error> {
    match settings.remove(name).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(source.error(format!("spec.metadata {name}: {other} is neither true nor false"))),
    }
}
