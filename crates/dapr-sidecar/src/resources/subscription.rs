//! `kind: Subscription`.

use std::collections::BTreeMap;
use std::time::Duration;

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
    /// `None` delivers each message on its own.
    pub(crate) bulk: Option<Bulk>,
    pub(crate) scopes: Vec<String>,
}

/// The limits of a bulk subscription's batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bulk {
    /// A batch of this many messages is delivered at once.
    pub(crate) max_messages: u32,
    /// How often smaller batches are delivered.
    pub(crate) max_await: Duration,
}

/// daprd's defaults on Kafka. As there, a limit that is not positive means the default.
const DEFAULT_MAX_MESSAGES: u32 = 80;
const DEFAULT_MAX_AWAIT_MS: u32 = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    pubsubname: String,
    topic: String,
    routes: RouteSpec,
    dead_letter_topic: Option<String>,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    bulk_subscribe: Option<BulkSpec>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BulkSpec {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    max_messages_count: i32,
    #[serde(default)]
    max_await_duration_ms: i32,
}

impl BulkSpec {
    fn limits(&self) -> Bulk {
        let positive = |value: i32, default| match u32::try_from(value) {
            Ok(value) if value > 0 => value,
            _ => default,
        };
        let max_await = positive(self.max_await_duration_ms, DEFAULT_MAX_AWAIT_MS);
        Bulk {
            max_messages: positive(self.max_messages_count, DEFAULT_MAX_MESSAGES),
            max_await: Duration::from_millis(u64::from(max_await)),
        }
    }
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
    let bulk = spec.bulk_subscribe.filter(|bulk| bulk.enabled);
    let bulk = bulk.as_ref().map(BulkSpec::limits);
    if bulk.is_some() && raw && !spec.routes.rules.is_empty() {
        // daprd compares the bytes instead of an event, fails, and acknowledges the messages without delivering them.
        return Err(source.error(
            "spec.routes.rules: daprd loses the messages of a bulk subscription with rawPayload and rules; use only a default",
        ));
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
        bulk,
        scopes: source.scopes,
    })
}
