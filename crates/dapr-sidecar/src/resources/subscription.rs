//! `kind: Subscription`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::source::Source;
use crate::error::Error;
use crate::pubsub::routes::Routes;

/// A declarative subscription.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub(crate) name: String,
    pub(crate) pubsub: String,
    pub(crate) topic: String,
    pub(crate) routes: Routes,
    pub(crate) dead_letter: Option<String>,
    /// Messages are published without an envelope and arrive as `data_base64`.
    pub(crate) raw: bool,
    pub(crate) scopes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    pubsubname: String,
    topic: String,
    routes: RouteSpec,
    dead_letter_topic: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    bulk_subscribe: Option<serde_norway::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RouteSpec {
    #[serde(default)]
    rules: Vec<Rule>,
    default: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    r#match: String,
    path: String,
}

pub(crate) fn load(mut source: Source) -> Result<Subscription, Error> {
    let mut spec: Spec = source.spec()?;
    if spec.bulk_subscribe.is_some() {
        return Err(source.error("spec.bulkSubscribe: bulk delivery does not exist here"));
    }
    let raw = match spec.metadata.remove("rawPayload").as_deref() {
        None | Some("false") => false,
        Some("true") => true,
        Some(other) => {
            return Err(source.error(format!("spec.metadata rawPayload: {other} is not a boolean")));
        }
    };
    if let Some(name) = spec.metadata.keys().next() {
        return Err(source.error(format!("spec.metadata: {name} does not exist here")));
    }
    if spec.routes.rules.is_empty() && spec.routes.default.is_none() {
        return Err(source.error("spec.routes: neither rules nor a default"));
    }
    let mut routes = Routes::new(spec.routes.default);
    for rule in spec.routes.rules {
        routes
            .rule(&rule.r#match, rule.path)
            .map_err(|why| source.error(format!("spec.routes.rules: {why}")))?;
    }
    Ok(Subscription {
        name: source.name,
        pubsub: spec.pubsubname,
        topic: spec.topic,
        routes,
        dead_letter: spec.dead_letter_topic.filter(|topic| !topic.is_empty()),
        raw,
        scopes: source.scopes,
    })
}
