//! What the Dapr resources say.

use std::collections::BTreeSet;

use nudge_contract::names::{app, component, route, secret, topic};
use serde_json::Value;

use crate::check::{Findings, Manifests, list, name, text, texts};

/// Component, type and version.
const TYPES: [(&str, &str, &str); 7] = [
    (component::PUBSUB, "pubsub.kafka", "v1"),
    (component::PUBSUB, "pubsub.redis", "v1"),
    (component::PUBSUB, "pubsub.rabbitmq", "v1"),
    (component::STATE_STORE, "state.postgresql", "v2"),
    (component::STATE_STORE, "state.redis", "v1"),
    (component::SECRET_STORE, "secretstores.local.env", "v1"),
    (component::SMTP, "bindings.smtp", "v1"),
];

/// Who invokes which route of the api: caller, method, route. The code of each caller names it once, except for the last three, which
/// versions from before batches invoke.
const INVOCATIONS: [(&str, &str, &str); 13] = [
    (app::NOTIFICATION, "POST", route::RELAY),
    (app::NOTIFICATION, "POST", route::LEASES),
    (app::NOTIFICATION, "GET", route::DUE_SECONDS),
    (app::NOTIFICATION, "POST", route::DEFERRALS),
    (app::EMAIL_DELIVERY, "POST", route::DELIVERIES),
    (app::EMAIL_DELIVERY, "POST", route::DEFERRALS),
    (app::EMAIL_DELIVERY, "POST", route::REFUSED_RECIPIENTS),
    (app::EMAIL_DELIVERY, "POST", route::NOTICES),
    (app::EMAIL_DELIVERY, "POST", route::NOTICE_OUTCOMES),
    (app::RECURRING_TASK, "POST", route::SUCCESSORS),
    (app::NOTIFICATION, "GET", route::OVERDUE_REMINDERS),
    (app::EMAIL_DELIVERY, "GET", route::REMINDER_DELIVERY),
    (app::RECURRING_TASK, "POST", route::SUCCESSOR),
];

impl Manifests {
    pub(crate) fn components(&self, findings: &mut Findings) {
        let expected = BTreeSet::from([
            component::PUBSUB,
            component::STATE_STORE,
            component::SECRET_STORE,
            component::SMTP,
        ]);
        if self.names("Component") != expected {
            findings.push(format!(
                "the Dapr components are {:?}, the code's {expected:?}",
                self.names("Component")
            ));
        }
        for object in self.of("Component") {
            let of = name(object);
            for scope in texts(object, "/scopes") {
                if !app::ALL.contains(&scope) {
                    findings.push(format!("Component {of}: there is no app {scope}"));
                }
            }
            // The API server takes any type; a daprd that does not know it does not start.
            if !TYPES.contains(&(of, text(object, "/spec/type"), text(object, "/spec/version"))) {
                findings.push(format!(
                    "Component {of}: {} {} is no type that Nudge was tried on",
                    text(object, "/spec/type"),
                    text(object, "/spec/version")
                ));
            }
            // Left out, it is Kubernetes, and Dapr's operator reads the Secrets.
            if object.pointer("/auth/secretStore").is_some() {
                findings.push(format!(
                    "Component {of}: its secrets are from the store {}",
                    text(object, "/auth/secretStore")
                ));
            }
        }
        for resiliency in self.of("Resiliency") {
            let of = format!("Resiliency {}", name(resiliency));
            let targets = resiliency
                .pointer("/spec/targets/components")
                .and_then(Value::as_object);
            for target in targets.into_iter().flatten().map(|(target, _)| target.as_str()) {
                if !expected.contains(target) {
                    findings.push(format!("{of}: there is no component {target}"));
                }
            }
            for target in resiliency
                .pointer("/spec/targets/apps")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                if !app::ALL.contains(&target.0.as_str()) {
                    findings.push(format!("{of}: there is no app {}", target.0));
                }
            }
            policies(resiliency, &resiliency["spec"]["targets"], &of, findings);
        }
    }

    pub(crate) fn subscriptions(&self, findings: &mut Findings) {
        let mut routes = BTreeSet::new();
        for object in self.of("Subscription") {
            let of = format!("Subscription {}", name(object));
            let &[subscriber] = texts(object, "/scopes").as_slice() else {
                findings.push(format!(
                    "{of}: one app subscribes, not {:?}",
                    texts(object, "/scopes")
                ));
                continue;
            };
            if text(object, "/spec/pubsubname") != component::PUBSUB {
                findings.push(format!(
                    "{of}: there is no component {}",
                    text(object, "/spec/pubsubname")
                ));
            }
            let topics = [
                topic::TASK_EVENTS,
                topic::TASK_RECURRENCE,
                topic::TASK_REMINDERS,
                topic::REMINDER_OUTCOMES,
                topic::ACCOUNT_NOTICES,
                topic::DEAD_LETTER,
            ];
            if !topics.contains(&text(object, "/spec/topic")) {
                findings.push(format!(
                    "{of}: no app publishes on {}",
                    text(object, "/spec/topic")
                ));
            }
            let rules = list(object, "/spec/routes/rules")
                .iter()
                .map(|rule| text(rule, "/path"));
            for path in rules.chain([text(object, "/spec/routes/default")]) {
                if !route::SIDECAR_ONLY.contains(&(subscriber, "POST", path)) {
                    findings.push(format!("{of}: {subscriber} has no route {path}"));
                }
                routes.insert(path.to_owned());
            }
            let dead = text(object, "/spec/deadLetterTopic");
            if dead != topic::DEAD_LETTER && text(object, "/spec/topic") != topic::DEAD_LETTER {
                findings.push(format!("{of}: its dead letters go to `{dead}`"));
            }
        }
        for (app_id, _, path) in route::SIDECAR_ONLY {
            if app::ALL.contains(&app_id) && path.contains("/events/") && !routes.contains(path) {
                findings.push(format!("no Subscription leads to {path} of {app_id}"));
            }
        }
    }

    /// Access control: what the services invoke is allowed, and nothing else.
    pub(crate) fn invocations(&self, findings: &mut Findings) {
        let mut allowed = BTreeSet::new();
        for configuration in self.of("Configuration") {
            let of = format!("Configuration {}", name(configuration));
            if text(configuration, "/spec/accessControl/defaultAction") != "deny" {
                findings.push(format!("{of} lets every app invoke everything"));
            }
            for policy in list(configuration, "/spec/accessControl/policies") {
                let caller = text(policy, "/appId");
                for (field, expected) in [
                    ("defaultAction", "deny"),
                    ("namespace", "nudge"),
                    ("trustDomain", "public"),
                ] {
                    if policy[field] != expected {
                        findings.push(format!("{of}: for {caller}, {field} is {}", policy[field]));
                    }
                }
                for operation in list(policy, "/operations") {
                    for verb in texts(operation, "/httpVerb") {
                        allowed.insert((
                            caller.to_owned(),
                            verb.to_owned(),
                            text(operation, "/name").to_owned(),
                        ));
                    }
                }
            }
        }
        let expected: BTreeSet<_> = INVOCATIONS
            .iter()
            // A whole segment `*` is no wildcard in the middle of a route; ids have hyphens.
            .map(|(caller, verb, path)| {
                (
                    (*caller).to_owned(),
                    (*verb).to_owned(),
                    path.replace("{id}", "*-*"),
                )
            })
            .collect();
        for (caller, verb, path) in expected.difference(&allowed) {
            findings.push(format!("{caller} may not call {verb} {path}"));
        }
        for (caller, verb, path) in allowed.difference(&expected) {
            findings.push(format!("{caller} may call {verb} {path}, and does not"));
        }
    }

    /// The api reads the key of the tokens, and no service reads anything else.
    pub(crate) fn secret_access(&self, findings: &mut Findings) {
        for kind in ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"] {
            for role in self.of(kind) {
                findings.push(format!(
                    "{kind} {}: no pod asks the API server for anything",
                    name(role)
                ));
            }
        }
        for store in self
            .of("Component")
            .filter(|store| name(store) == component::SECRET_STORE)
        {
            // Otherwise it would be all of the environment of the sidecar.
            let items = list(store, "/spec/metadata").iter();
            let items: Vec<_> = items
                .map(|item| (text(item, "/name"), text(item, "/value")))
                .collect();
            if items != [("prefix", "SECRET_")] {
                findings.push(format!("Component {}: its metadata are {items:?}", name(store)));
            }
        }
        let scoped: Vec<&str> = self
            .of("Configuration")
            .flat_map(|configuration| list(configuration, "/spec/secrets/scopes"))
            .flat_map(|scope| texts(scope, "/allowedSecrets"))
            .collect();
        if scoped != [secret::JWT_KEY] {
            findings.push(format!("sidecars hand out the secrets {scoped:?}"));
        }
    }
}

/// Policies that a target names but no component has; the API server takes them, and a daprd leaves them out with a line in its log.
fn policies(resiliency: &Value, targets: &Value, of: &str, findings: &mut Findings) {
    for (field, value) in targets.as_object().into_iter().flatten() {
        match value.as_str() {
            Some(policy) => {
                let plural = if field == "retry" {
                    "retries".to_owned()
                } else {
                    format!("{field}s")
                };
                if resiliency["spec"]["policies"][plural].get(policy).is_none() {
                    findings.push(format!("{of}: there is no {field} {policy}"));
                }
            }
            None => policies(resiliency, value, of, findings),
        }
    }
}
