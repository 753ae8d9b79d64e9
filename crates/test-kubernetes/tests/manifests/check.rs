//! What the manifests say, held against spin.toml and the names that the code uses.

use std::collections::{BTreeMap, BTreeSet};

use nudge_contract::names::{app, route, secret};
use serde_json::Value;

/// Annotations that Dapr's injector 1.16.0 knows and Nudge uses. It ignores what it does not know, so a typo would go unseen.
/// <https://docs.dapr.io/reference/arguments-annotations-overview/>
const ANNOTATIONS: [&str; 18] = [
    "dapr.io/enabled",
    "dapr.io/app-id",
    "dapr.io/app-port",
    "dapr.io/app-protocol",
    "dapr.io/config",
    "dapr.io/log-as-json",
    "dapr.io/api-token-secret",
    "dapr.io/app-token-secret",
    "dapr.io/disable-builtin-k8s-secret-store",
    "dapr.io/enable-app-health-check",
    "dapr.io/app-health-check-path",
    "dapr.io/app-health-probe-interval",
    "dapr.io/app-health-probe-timeout",
    "dapr.io/app-health-threshold",
    "dapr.io/graceful-shutdown-seconds",
    "dapr.io/sidecar-cpu-request",
    "dapr.io/sidecar-memory-request",
    "dapr.io/sidecar-memory-limit",
];

/// Those beyond the ones above that have values of their own.
const MORE_ANNOTATIONS: [&str; 4] = [
    "dapr.io/env",
    "dapr.io/env-from-secret",
    "dapr.io/sidecar-seccomp-profile-type",
    "dapr.io/app-max-concurrency",
];

/// The objects of an overlay, and what they must agree with.
pub(crate) struct Manifests {
    objects: Vec<Value>,
    spin: Value,
    /// `name/key` of each secret that scripts/deploy.sh makes or asks for.
    secrets: BTreeSet<String>,
}

/// What is wrong, a sentence each.
pub(crate) type Findings = Vec<String>;

pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(crate) fn list<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

pub(crate) fn texts<'a>(value: &'a Value, pointer: &str) -> Vec<&'a str> {
    list(value, pointer).iter().filter_map(Value::as_str).collect()
}

pub(crate) fn name(object: &Value) -> &str {
    text(object, "/metadata/name")
}

impl Manifests {
    pub(crate) fn new(objects: Vec<Value>, spin: Value, secrets: BTreeSet<String>) -> Self {
        Self {
            objects,
            spin,
            secrets,
        }
    }

    /// To break them, and see whether that is found.
    pub(crate) fn object(&mut self, kind: &str, named: &str) -> Option<&mut Value> {
        let is = |object: &&mut Value| text(object, "/kind") == kind && name(object) == named;
        self.objects.iter_mut().find(is)
    }

    pub(crate) fn of(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects
            .iter()
            .filter(move |object| text(object, "/kind") == kind)
    }

    pub(crate) fn names(&self, kind: &str) -> BTreeSet<&str> {
        self.of(kind).map(name).collect()
    }

    /// Everything that does not agree.
    pub(crate) fn findings(&self) -> Findings {
        let mut findings = Findings::new();
        self.apps(&mut findings);
        for spinapp in self.of("SpinApp") {
            let of = format!("SpinApp {}", name(spinapp));
            let mut own = Findings::new();
            self.annotations(spinapp, &mut own);
            self.probes(spinapp, &mut own);
            self.variables(spinapp, &mut own);
            self.around(spinapp, &mut own);
            findings.extend(own.into_iter().map(|finding| format!("{of}: {finding}")));
        }
        self.references(&mut findings);
        self.components(&mut findings);
        self.subscriptions(&mut findings);
        self.invocations(&mut findings);
        self.secret_access(&mut findings);
        self.scaling(&mut findings);
        self.tokens(&mut findings);
        self.component_scopes(&mut findings);
        self.topics(&mut findings);
        self.network(&mut findings);
        self.restricted(&mut findings);
        findings
    }

    /// Each app has a pair of tokens that no other has.
    fn tokens(&self, findings: &mut Findings) {
        let mut owners = BTreeMap::new();
        for spinapp in self.of("SpinApp") {
            for annotation in ["api-token-secret", "app-token-secret"] {
                let secret = &spinapp["spec"]["podAnnotations"][format!("dapr.io/{annotation}")];
                if let Some(other) = owners.insert(secret.to_string(), name(spinapp)) {
                    findings.push(format!(
                        "SpinApp {}: its {annotation} {secret} is one of {other}, too",
                        name(spinapp)
                    ));
                }
            }
        }
    }

    /// The namespace refuses pods that could do more than they need, and what the overlay itself starts is not refused.
    fn restricted(&self, findings: &mut Findings) {
        for namespace in self.of("Namespace") {
            let level = text(namespace, "/metadata/labels/pod-security.kubernetes.io~1enforce");
            if level != "restricted" {
                findings.push(format!("Namespace {}: it enforces `{level}`", name(namespace)));
            }
        }
        for account in self.of("ServiceAccount") {
            if account["automountServiceAccountToken"] != false {
                findings.push(format!(
                    "ServiceAccount {}: its pods get a token for the API server",
                    name(account)
                ));
            }
        }
        for object in self.of("Deployment").chain(self.of("StatefulSet")) {
            let pod = &object["spec"]["template"]["spec"];
            let mut own = Findings::new();
            if pod["automountServiceAccountToken"] != false {
                own.push("its pods get a token for the API server".to_owned());
            }
            restricted_pod(pod, &mut own);
            findings.extend(
                own.into_iter()
                    .map(|finding| format!("{}: {finding}", name(object))),
            );
        }
    }

    fn apps(&self, findings: &mut Findings) {
        let expected: BTreeSet<&str> = app::ALL.into();
        if self.names("SpinApp") != expected {
            findings.push(format!(
                "the SpinApps are {:?}, the services {expected:?}",
                self.names("SpinApp")
            ));
        }
        for object in &self.objects {
            let namespace = text(object, "/metadata/namespace");
            let cluster = ["Namespace", "RuntimeClass"].contains(&text(object, "/kind"));
            if !cluster && namespace != "nudge" {
                findings.push(format!(
                    "{} {} is in the namespace `{namespace}`",
                    text(object, "/kind"),
                    name(object)
                ));
            }
        }
        for object in &self.objects {
            // deploy.sh puts the images; all else is an overlay's to say.
            let rest = object.to_string().replace("registry.invalid/", "");
            if rest.contains(".invalid") {
                findings.push(format!(
                    "{} {} is not finished: {rest}",
                    text(object, "/kind"),
                    name(object)
                ));
            }
        }
        for executor in self.of("SpinAppExecutor") {
            let config = &executor["spec"]["deploymentConfig"];
            if config.get("spinImage").is_some() == config.get("runtimeClassName").is_some() {
                findings.push(format!(
                    "SpinAppExecutor {}: either spinImage or runtimeClassName",
                    name(executor)
                ));
            }
        }
    }

    fn annotations(&self, spinapp: &Value, findings: &mut Findings) {
        let app_id = name(spinapp);
        if texts(spinapp, "/spec/components") != app::components(app_id) {
            findings.push(format!(
                "its components are {:?}",
                texts(spinapp, "/spec/components")
            ));
        }
        for component in texts(spinapp, "/spec/components") {
            if self.spin["component"].get(component).is_none() {
                findings.push(format!("spin.toml has no component {component}"));
            }
        }
        let nothing = serde_json::Map::new();
        let annotations = spinapp
            .pointer("/spec/podAnnotations")
            .and_then(Value::as_object)
            .unwrap_or(&nothing);
        for (key, value) in annotations {
            if !ANNOTATIONS
                .iter()
                .chain(&MORE_ANNOTATIONS)
                .any(|known| known == key)
            {
                findings.push(format!("{key} is no annotation that is known here"));
            }
            if !value.is_string() {
                findings.push(format!("{key} is {value}, which is no text"));
            }
        }
        let limit = annotations
            .get("dapr.io/app-max-concurrency")
            .and_then(Value::as_str);
        let wanted = app::max_concurrency(app_id).map(|limit| limit.to_string());
        if limit != wanted.as_deref() {
            findings.push(format!(
                "dapr.io/app-max-concurrency is {limit:?}, not {wanted:?} (decision 0032)"
            ));
        }
        for key in ANNOTATIONS {
            let value = annotations.get(key).and_then(Value::as_str);
            let right = match key {
                "dapr.io/app-id" => value == Some(app_id),
                // The operator has Spin listen there.
                "dapr.io/app-port" => value == Some("80"),
                "dapr.io/app-protocol" => value == Some("http"),
                "dapr.io/app-health-check-path" => value == Some(route::health_of(app_id)),
                "dapr.io/config" => value.is_some_and(|config| self.names("Configuration").contains(config)),
                "dapr.io/enabled"
                | "dapr.io/log-as-json"
                | "dapr.io/enable-app-health-check"
                | "dapr.io/disable-builtin-k8s-secret-store" => value == Some("true"),
                "dapr.io/sidecar-memory-limit" => value == Some("128Mi"),
                // docs/decisions/0022-never-mark-the-app-unhealthy.md
                "dapr.io/app-health-threshold" => value == Some("1000"),
                _ => value.is_some_and(|value| !value.is_empty()),
            };
            if !right {
                findings.push(format!("{key} is {value:?}"));
            }
        }
        // Of all sidecars only the api's has a secret, which its secret store gives to the api.
        let given = annotations.get("dapr.io/env-from-secret").and_then(Value::as_str);
        let key = secret::JWT_KEY;
        let wanted = (app_id == app::API).then(|| format!("SECRET_{key}={key}:{key}"));
        if given != wanted.as_deref() {
            findings.push(format!("dapr.io/env-from-secret is {given:?}, not {wanted:?}"));
        }
    }

    fn probes(&self, spinapp: &Value, findings: &mut Findings) {
        let app_id = name(spinapp);
        for (probe, path) in [
            ("readiness", route::ready_of(app_id)),
            ("liveness", route::health_of(app_id)),
        ] {
            let get = &spinapp["spec"]["checks"][probe]["httpGet"];
            if get["path"] != path {
                findings.push(format!("its {probe} probe asks {}, not {path}", get["path"]));
            }
            if !get["httpHeaders"].is_array() {
                findings.push(format!(
                    "its {probe} probe has no httpHeaders, which the operator's webhook refuses"
                ));
            }
        }
    }

    fn variables(&self, spinapp: &Value, findings: &mut Findings) {
        let app_id = name(spinapp);
        let mut given = BTreeMap::new();
        for variable in list(spinapp, "/spec/variables") {
            let variable_name = text(variable, "/name");
            let Some(declared) = self.spin["variables"].get(variable_name) else {
                findings.push(format!("spin.toml has no variable {variable_name}"));
                continue;
            };
            // What no component uses would say something that is not so.
            let used = format!("{{{{ {variable_name} }}}}");
            let uses = |component: &str| self.spin["component"][component].to_string().contains(&used);
            if !texts(spinapp, "/spec/components").into_iter().any(uses) {
                findings.push(format!(
                    "none of its components uses the variable {variable_name}"
                ));
            }
            let from_secret = variable.pointer("/valueFrom/secretKeyRef").is_some();
            if declared["secret"] == true && !from_secret {
                findings.push(format!(
                    "the variable {variable_name} is secret and not from a Secret"
                ));
            }
            given.insert(variable_name, variable);
        }
        let sidecar = format!("{}_sidecar", app_id.replace('-', "_"));
        let address = given
            .get(sidecar.as_str())
            .map_or("", |variable| text(variable, "/value"));
        if address != "http://127.0.0.1:3500" {
            findings.push(format!(
                "{sidecar} is `{address}`, not the sidecar of its own pod"
            ));
        }
        for (variable, annotation) in [
            ("dapr_api_token", "api-token-secret"),
            ("dapr_app_token", "app-token-secret"),
        ] {
            let reference = given
                .get(variable)
                .map(|variable| &variable["valueFrom"]["secretKeyRef"]);
            let of_sidecar = &spinapp["spec"]["podAnnotations"][format!("dapr.io/{annotation}")];
            // Dapr takes the key `token` of the Secret that the annotation names.
            if reference
                .is_none_or(|reference| reference["name"] != *of_sidecar || reference["key"] != "token")
            {
                findings.push(format!(
                    "{variable} is not what its sidecar has from {annotation}"
                ));
            }
        }
    }

    /// What belongs to each SpinApp.
    fn around(&self, spinapp: &Value, findings: &mut Findings) {
        let app_id = name(spinapp);
        if !self
            .names("ServiceAccount")
            .contains(text(spinapp, "/spec/serviceAccountName"))
        {
            findings.push("its ServiceAccount is missing".to_owned());
        }
        if !self
            .names("SpinAppExecutor")
            .contains(text(spinapp, "/spec/executor"))
        {
            findings.push("its executor is missing".to_owned());
        }
        let budget = self.of("PodDisruptionBudget").find(|budget| {
            budget.pointer("/spec/selector/matchLabels/core.spinkube.dev~1app-name")
                == Some(&Value::from(app_id))
        });
        if budget.is_none() {
            findings.push("no PodDisruptionBudget is for it".to_owned());
        }
        if text(spinapp, "/spec/podLabels/app.kubernetes.io~1part-of") != "nudge" {
            findings.push("without the label part-of no NetworkPolicy is for it".to_owned());
        }
        for quantity in ["/spec/resources/requests/memory", "/spec/resources/limits/memory"] {
            if text(spinapp, quantity).is_empty() {
                findings.push(format!("{quantity} is missing"));
            }
        }
    }

    /// Every Secret and ConfigMap that something takes a value from.
    fn references(&self, findings: &mut Findings) {
        let mut there = self.secrets.clone();
        for object in self.of("Secret").chain(self.of("ConfigMap")) {
            for data in ["/data", "/stringData"] {
                let keys = object
                    .pointer(data)
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten();
                there.extend(keys.map(|(key, _)| format!("{}/{key}", name(object))));
            }
        }
        for object in &self.objects {
            let mut wanted = Vec::new();
            refer(object, &mut wanted);
            let of = format!("{} {}", text(object, "/kind"), name(object));
            findings.extend(
                wanted
                    .into_iter()
                    .filter(|reference| !there.contains(reference))
                    .map(|reference| format!("{of}: nothing makes {reference}")),
            );
        }
    }

    fn scaling(&self, findings: &mut Findings) {
        let scaled = self.names("ScaledObject");
        for spinapp in self.of("SpinApp") {
            let autoscaled = spinapp["spec"]["enableAutoscaling"] == true;
            if autoscaled != scaled.contains(name(spinapp)) {
                findings.push(format!(
                    "SpinApp {}: enableAutoscaling and a ScaledObject go together",
                    name(spinapp)
                ));
            }
            if autoscaled == spinapp["spec"].get("replicas").is_some() {
                findings.push(format!(
                    "SpinApp {}: either replicas or enableAutoscaling",
                    name(spinapp)
                ));
            }
        }
        for object in self.of("ScaledObject") {
            let of = format!("ScaledObject {}", name(object));
            let target = text(object, "/spec/scaleTargetRef/name");
            if target != name(object) {
                findings.push(format!("{of} scales {target}"));
            }
            for trigger in list(object, "/spec/triggers") {
                if text(trigger, "/type") != "kafka" {
                    continue;
                }
                // `consumerGroup: "{appID}"` in the component.
                if text(trigger, "/metadata/consumerGroup") != target {
                    findings.push(format!(
                        "{of}: its consumer group is {}",
                        text(trigger, "/metadata/consumerGroup")
                    ));
                }
                let topic = text(trigger, "/metadata/topic");
                let subscribed = self.of("Subscription").any(|object| {
                    text(object, "/spec/topic") == topic && texts(object, "/scopes") == [target]
                });
                if !subscribed {
                    findings.push(format!("{of}: {target} does not consume {topic}"));
                }
            }
        }
    }
}

/// What the level `restricted` of the Pod Security Standards would refuse in a pod.
/// <https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted>
pub(crate) fn restricted_pod(pod: &Value, findings: &mut Findings) {
    let security = &pod["securityContext"];
    if security["runAsNonRoot"] != true || security["seccompProfile"]["type"] != "RuntimeDefault" {
        findings.push(format!("its pods are not restricted: {security}"));
    }
    for container in list(pod, "/containers") {
        let security = &container["securityContext"];
        if security["allowPrivilegeEscalation"] != false || texts(security, "/capabilities/drop") != ["ALL"] {
            findings.push(format!("{} is not restricted: {security}", name_of(container)));
        }
    }
}

fn name_of(container: &Value) -> &str {
    text(container, "/name")
}

/// `name/key` of what an object takes from Secrets and ConfigMaps, but for what is optional.
fn refer(value: &Value, wanted: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (field, inner) in fields {
                if ["secretKeyRef", "configMapKeyRef"].contains(&field.as_str()) {
                    if inner["optional"] != true {
                        wanted.push(format!("{}/{}", text(inner, "/name"), text(inner, "/key")));
                    }
                } else if field == "secretTargetRef" {
                    for target in inner.as_array().into_iter().flatten() {
                        wanted.push(format!("{}/{}", text(target, "/name"), text(target, "/key")));
                    }
                } else if field == "dapr.io/env-from-secret" {
                    let sources = inner.as_str().unwrap_or_default().split(',');
                    let sources = sources.filter_map(|one| one.split_once('=')?.1.split_once(':'));
                    wanted.extend(sources.map(|(name, key)| format!("{name}/{key}")));
                } else {
                    refer(inner, wanted);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| refer(item, wanted)),
        _ => {}
    }
}
