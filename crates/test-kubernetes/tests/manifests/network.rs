//! Who may reach whom: the NetworkPolicies of an overlay, held against what its pods need. Each side of a connection is looked at on its
//! own, so that neither is open for lack of the other.

use std::collections::BTreeSet;

use nudge_contract::names::{app, component};
use serde_json::Value;

use crate::check::{Findings, Manifests, list, name, text, texts};

/// The ports of what an overlay may run itself: broker, store or mail server.
const SERVERS: [(&str, u64); 5] = [
    ("kafka", 9092),
    ("rabbitmq", 5672),
    ("redis", 6379),
    ("postgres", 5432),
    ("mail", 1025),
];

/// The port at which sidecars invoke each other.
const INVOKE: u64 = 50_002;

/// What is outside of the namespace, by namespace, label and port: name, then these.
const OUTSIDE: [(&str, &str, &str, u64); 8] = [
    ("DNS", "kube-system", "k8s-app=kube-dns", 53),
    ("operator", "dapr-system", "app=dapr-operator", 6500),
    ("sentry", "dapr-system", "app=dapr-sentry", 50_001),
    ("scheduler", "dapr-system", "app=dapr-scheduler-server", 50_006),
    ("placement", "dapr-system", "app=dapr-placement-server", 50_005),
    ("collector", "monitoring", "", 4317),
    ("collector", "monitoring", "", 4318),
    ("metrics", "monitoring", "", 9090),
];

/// What every sidecar, and Spin beside it, reaches outside of the namespace.
const ALWAYS: [&str; 6] = ["DNS", "operator", "sentry", "scheduler", "placement", "block:443"];

/// A pod that the overlay makes.
struct Pod<'a> {
    name: &'a str,
    labels: Vec<(String, String)>,
}

/// A connection inside of the namespace: client, server, port.
type Inside = BTreeSet<(String, String, u64)>;

/// A connection that crosses the border of the namespace: pod, and what is on the other side.
type Across = BTreeSet<(String, String)>;

impl Manifests {
    pub(crate) fn network(&self, findings: &mut Findings) {
        let pods = self.pods();
        for pod in &pods {
            if !app::ALL.contains(&pod.name) && !SERVERS.iter().any(|(server, _)| *server == pod.name) {
                findings.push(format!("{}: nothing says whom it may reach", pod.name));
            }
            for direction in ["Ingress", "Egress"] {
                let denied = self
                    .policies_of(pod, direction)
                    .any(|policy| list(policy, &format!("/spec/{}", direction.to_lowercase())).is_empty());
                if !denied {
                    findings.push(format!("{}: nothing denies it {direction}", pod.name));
                }
            }
        }
        let (inside, leaving, entering) = self.expected(&pods);
        for (direction, across) in [("Egress", leaving), ("Ingress", entering)] {
            let (found_inside, found_across) = self.allowed(&pods, direction, findings);
            differences(
                &inside,
                &found_inside,
                findings,
                |(client, server, port), word| {
                    format!("{direction}: {client} {word} reach {server} at {port}")
                },
            );
            differences(&across, &found_across, findings, |(pod, other), word| {
                format!("{direction}: {pod} and {other} {word} be connected")
            });
        }
    }

    /// Every pod that comes of the overlay.
    fn pods(&self) -> Vec<Pod<'_>> {
        let labels = |object: &Value, at: &str| -> Vec<(String, String)> {
            let fields = object.pointer(at).and_then(Value::as_object);
            let fields = fields.into_iter().flatten();
            fields
                .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect()
        };
        let mut pods = Vec::new();
        for object in self.of("SpinApp") {
            let mut labels = labels(object, "/spec/podLabels");
            // The operator's.
            labels.push(("core.spinkube.dev/app-name".to_owned(), name(object).to_owned()));
            pods.push(Pod {
                name: name(object),
                labels,
            });
        }
        for object in ["Deployment", "StatefulSet"]
            .into_iter()
            .flat_map(|kind| self.of(kind))
        {
            pods.push(Pod {
                name: name(object),
                labels: labels(object, "/spec/template/metadata/labels"),
            });
        }
        pods
    }

    fn policies_of<'s>(&'s self, pod: &'s Pod<'_>, direction: &'s str) -> impl Iterator<Item = &'s Value> {
        self.of("NetworkPolicy").filter(move |policy| {
            texts(policy, "/spec/policyTypes").contains(&direction)
                && selects(&policy["spec"]["podSelector"], pod)
        })
    }

    /// What the policies of one direction allow.
    fn allowed(&self, pods: &[Pod<'_>], direction: &str, findings: &mut Findings) -> (Inside, Across) {
        let (mut inside, mut across) = (Inside::new(), Across::new());
        let (rules, peers) = match direction {
            "Egress" => ("/spec/egress", "/to"),
            _ => ("/spec/ingress", "/from"),
        };
        for pod in pods {
            for policy in self.policies_of(pod, direction) {
                for rule in list(policy, rules) {
                    let ports: BTreeSet<u64> = list(rule, "/ports")
                        .iter()
                        .filter_map(|port| port["port"].as_u64())
                        .collect();
                    if ports.is_empty() {
                        findings.push(format!("NetworkPolicy {}: every port is open", name(policy)));
                    }
                    let named = list(rule, peers);
                    if named.is_empty() {
                        across.extend(
                            ports
                                .iter()
                                .map(|port| (pod.name.to_owned(), format!("anyone:{port}"))),
                        );
                    }
                    for peer in named {
                        for port in &ports {
                            if peer.get("namespaceSelector").is_some() || peer.get("ipBlock").is_some() {
                                across.insert((pod.name.to_owned(), outside(peer, *port, policy, findings)));
                                continue;
                            }
                            let others = pods.iter().filter(|other| selects(&peer["podSelector"], other));
                            inside.extend(others.map(|other| {
                                let (client, server) = match direction {
                                    "Egress" => (pod.name, other.name),
                                    _ => (other.name, pod.name),
                                };
                                (client.to_owned(), server.to_owned(), *port)
                            }));
                        }
                    }
                }
            }
        }
        (inside, across)
    }

    /// What the pods need: connections inside, then those that leave the namespace, then those that enter it.
    fn expected(&self, pods: &[Pod<'_>]) -> (Inside, Across, Across) {
        let (mut inside, mut leaving, mut entering) = (Inside::new(), Across::new(), Across::new());
        // A server of the overlay, otherwise one outside.
        let mut connect = |client: &str, server: &'static str, outside_port: u64| match SERVERS
            .iter()
            .find(|(here, _)| *here == server)
        {
            Some((_, port)) if pods.iter().any(|pod| pod.name == server) => {
                inside.insert((client.to_owned(), server.to_owned(), *port));
            }
            _ => {
                leaving.insert((client.to_owned(), format!("block:{outside_port}")));
            }
        };
        connect(app::API, "postgres", 5432);
        for object in self.of("Component") {
            let (server, port) = match text(object, "/spec/type") {
                "pubsub.kafka" => ("kafka", 9093),
                "pubsub.rabbitmq" => ("rabbitmq", 5671),
                "pubsub.redis" | "state.redis" => ("redis", 6379),
                "state.postgresql" => ("postgres", 5432),
                "bindings.smtp" => ("mail", 587),
                _ => continue,
            };
            for scope in texts(object, "/scopes") {
                connect(scope, server, port);
            }
        }
        // Who may invoke the api, by its access control.
        for object in self.of("Configuration").filter(|object| name(object) == app::API) {
            for policy in list(object, "/spec/accessControl/policies") {
                inside.insert((text(policy, "/appId").to_owned(), app::API.to_owned(), INVOKE));
            }
        }
        let traced = self
            .of("Configuration")
            .any(|object| object.pointer("/spec/tracing/otel").is_some());
        for pod in pods {
            let own = |what: &str| (pod.name.to_owned(), what.to_owned());
            if pod.name == "kafka" {
                inside.insert((pod.name.to_owned(), pod.name.to_owned(), 9092));
                leaving.insert(own("DNS"));
            }
            if app::ALL.contains(&pod.name) {
                leaving.extend(ALWAYS.map(own));
                leaving.extend(traced.then(|| own("collector")));
                entering.insert(own("metrics"));
            }
        }
        let people = self
            .of("Service")
            .any(|service| text(service, "/spec/type") == "LoadBalancer");
        let people = if people { "block:80" } else { "anyone:80" };
        entering.insert((app::API.to_owned(), people.to_owned()));
        (inside, leaving, entering)
    }

    /// Components are loaded by the sidecars that need them, and by no other app that has a sidecar in the namespace.
    pub(crate) fn component_scopes(&self, findings: &mut Findings) {
        for object in self.of("Component") {
            let expected: BTreeSet<&str> = match name(object) {
                component::PUBSUB => app::ALL.into(),
                // notification deletes what versions before batches have recorded.
                component::STATE_STORE => [app::API, app::NOTIFICATION, app::EMAIL_DELIVERY].into(),
                component::SMTP => [app::EMAIL_DELIVERY].into(),
                component::SECRET_STORE => [app::API].into(),
                _ => continue,
            };
            let scopes: BTreeSet<&str> = texts(object, "/scopes").into_iter().collect();
            if scopes != expected {
                findings.push(format!(
                    "Component {}: its scopes are {scopes:?}, not {expected:?}",
                    name(object)
                ));
            }
        }
    }
}

/// What is missing, and what is too much.
fn differences<T: Ord>(
    expected: &BTreeSet<T>,
    found: &BTreeSet<T>,
    findings: &mut Findings,
    say: impl Fn(&T, &str) -> String,
) {
    findings.extend(expected.difference(found).map(|one| say(one, "cannot")));
    findings.extend(found.difference(expected).map(|one| say(one, "should not")));
}

/// Whether a selector has a pod; an empty one has every pod.
fn selects(selector: &Value, pod: &Pod<'_>) -> bool {
    let has = |key: &str, values: &[&str]| {
        pod.labels
            .iter()
            .any(|(label, value)| label == key && values.contains(&value.as_str()))
    };
    let exact = selector.pointer("/matchLabels").and_then(Value::as_object);
    let exact = exact
        .into_iter()
        .flatten()
        .all(|(key, value)| value.as_str().is_some_and(|value| has(key, &[value])));
    exact
        && list(selector, "/matchExpressions").iter().all(|expression| {
            text(expression, "/operator") == "In"
                && has(text(expression, "/key"), &texts(expression, "/values"))
        })
}

/// The name of a peer outside of the namespace.
fn outside(peer: &Value, port: u64, policy: &Value, findings: &mut Findings) -> String {
    if let Some(block) = peer.get("ipBlock") {
        let private = ["10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"];
        let except = texts(block, "/except");
        if text(block, "/cidr") == "0.0.0.0/0" && private.iter().any(|private| !except.contains(private)) {
            findings.push(format!(
                "NetworkPolicy {}: private addresses, and so the pods of the cluster, are open",
                name(policy)
            ));
        }
        return format!("block:{port}");
    }
    let namespace = peer.pointer("/namespaceSelector/matchLabels/kubernetes.io~1metadata.name");
    let labels = peer
        .pointer("/podSelector/matchLabels")
        .and_then(Value::as_object);
    let labels = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()));
    let labels = labels.collect::<Vec<_>>().join(",");
    let known = OUTSIDE.iter().find(|(_, at, label, at_port)| {
        namespace.and_then(Value::as_str) == Some(at) && labels == *label && port == *at_port
    });
    known.map_or_else(|| format!("{peer} at {port}"), |(name, ..)| (*name).to_owned())
}
