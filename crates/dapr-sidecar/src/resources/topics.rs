//! Which topics of a pubsub an app may publish to and subscribe to: `publishingScopes`, `subscriptionScopes`, `allowedTopics` and
//! `protectedTopics` of the component.
//! <https://docs.dapr.io/developing-applications/building-blocks/pubsub/pubsub-scopes/>

use std::collections::BTreeMap;

/// The topics of a pubsub component, as its metadata restrict them. Without them, every app may use every topic.
#[derive(Clone, Debug, Default)]
pub(crate) struct Topics {
    /// By app. An app that is not in it has no scope.
    publishing: BTreeMap<String, Vec<String>>,
    subscription: BTreeMap<String, Vec<String>>,
    /// If there are any, all others are refused.
    allowed: Vec<String>,
    /// Only for apps with a scope that names them.
    protected: Vec<String>,
}

impl Topics {
    /// Takes its settings out of a component's metadata.
    pub(super) fn take(settings: &mut BTreeMap<String, String>) -> Self {
        let mut value = |name| settings.remove(name).unwrap_or_default();
        Self {
            publishing: scopes(&value("publishingScopes")),
            subscription: scopes(&value("subscriptionScopes")),
            allowed: list(&value("allowedTopics")),
            protected: list(&value("protectedTopics")),
        }
    }

    /// Whether an app may publish to a topic.
    pub(crate) fn may_publish(&self, app_id: &str, topic: &str) -> bool {
        self.allows(&self.publishing, app_id, topic)
    }

    /// Whether an app may subscribe to a topic.
    pub(crate) fn may_subscribe(&self, app_id: &str, topic: &str) -> bool {
        self.allows(&self.subscription, app_id, topic)
    }

    fn allows(&self, scopes: &BTreeMap<String, Vec<String>>, app_id: &str, topic: &str) -> bool {
        let names = |topics: &[String]| topics.iter().any(|name| name == topic);
        if !self.allowed.is_empty() && !names(&self.allowed) {
            return false;
        }
        match scopes.get(app_id) {
            Some(scope) => names(scope),
            None => !names(&self.protected),
        }
    }
}

/// `app=topic,topic;app=topic`. As in daprd, spaces do not count, `app=` is a scope without a topic, a part without `=` is skipped, and
/// an app that is named twice has the topics of both.
fn scopes(value: &str) -> BTreeMap<String, Vec<String>> {
    let mut scopes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for part in value.replace(' ', "").split(';') {
        let mut sides = part.split('=');
        if let (Some(app_id), Some(topics)) = (sides.next(), sides.next()) {
            scopes.entry(app_id.to_owned()).or_default().extend(list(topics));
        }
    }
    scopes
}

fn list(value: &str) -> Vec<String> {
    let topics = value.split(',').map(|topic| topic.replace(' ', ""));
    topics.filter(|topic| !topic.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(settings: &[(&str, &str)]) -> Topics {
        let mut settings = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let topics = Topics::take(&mut settings);
        assert!(settings.is_empty(), "every setting is used");
        topics
    }

    #[test]
    fn without_settings_every_app_may_use_every_topic() {
        let topics = topics(&[]);
        assert!(topics.may_publish("orders", "t") && topics.may_subscribe("orders", "t"));
    }

    #[test]
    fn an_app_with_a_scope_may_use_its_topics_only() {
        let topics = topics(&[
            ("publishingScopes", "orders=a, b;billing=;shipping;orders=c"),
            ("subscriptionScopes", "orders=a"),
        ]);
        for topic in ["a", "b", "c"] {
            assert!(topics.may_publish("orders", topic), "{topic}");
        }
        assert!(!topics.may_publish("orders", "d"));
        assert!(!topics.may_publish("billing", "a"), "an empty scope");
        assert!(topics.may_publish("shipping", "a"), "no scope");
        assert!(
            !topics.may_subscribe("orders", "b"),
            "each has a scope of its own"
        );
        assert!(topics.may_subscribe("billing", "b"));
    }

    #[test]
    fn a_protected_topic_needs_a_scope_and_the_allowed_topics_are_all() {
        let topics = topics(&[
            ("publishingScopes", "orders=a,c"),
            ("allowedTopics", "a, b"),
            ("protectedTopics", "a"),
        ]);
        assert!(topics.may_publish("orders", "a"));
        assert!(!topics.may_publish("billing", "a"), "protected");
        assert!(topics.may_publish("billing", "b"));
        assert!(!topics.may_publish("orders", "c"), "not among the allowed ones");
    }
}
