//! Broken manifests.

use serde_json::{Value, json};

/// A fault, as it is put into the manifests of the overlay `oke` or `minikube`.
pub(super) struct Fault {
    pub(super) what: &'static str,
    pub(super) overlay: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    /// Where, as a JSON pointer.
    pub(super) at: &'static str,
    /// The value there; null takes the field away.
    pub(super) value: Value,
    /// What the finding says.
    pub(super) finding: &'static str,
}

/// Faults that must be found, one each.
pub(super) fn all() -> Vec<Fault> {
    let fault = |what, name, at, value, finding| Fault {
        what,
        overlay: "minikube",
        kind: "SpinApp",
        name,
        at,
        value,
        finding,
    };
    let annotation = |what, at, value, finding| fault(what, "notification", at, value, finding);
    let policy = |what, name, at, value, finding| Fault {
        kind: "NetworkPolicy",
        ..fault(what, name, at, value, finding)
    };
    vec![
        annotation(
            "another app id",
            "/spec/podAnnotations/dapr.io~1app-id",
            json!("notifications"),
            "dapr.io/app-id",
        ),
        annotation(
            "another port",
            "/spec/podAnnotations/dapr.io~1app-port",
            json!("3000"),
            "dapr.io/app-port",
        ),
        annotation(
            "no app token",
            "/spec/podAnnotations/dapr.io~1app-token-secret",
            Value::Null,
            "app-token-secret",
        ),
        annotation(
            "a typo in an annotation",
            "/spec/podAnnotations/dapr.io~1app-helth",
            json!("x"),
            "no annotation that is known",
        ),
        annotation(
            "an annotation that is no text",
            "/spec/podAnnotations/dapr.io~1enabled",
            json!(true),
            "no text",
        ),
        annotation(
            "a configuration that is missing",
            "/spec/podAnnotations/dapr.io~1config",
            json!("missing"),
            "dapr.io/config",
        ),
        annotation(
            "a threshold",
            "/spec/podAnnotations/dapr.io~1app-health-threshold",
            json!("3"),
            "app-health-threshold",
        ),
        annotation(
            "jobs without a limit",
            "/spec/podAnnotations/dapr.io~1app-max-concurrency",
            Value::Null,
            "dapr.io/app-max-concurrency is None",
        ),
        fault(
            "several reminders at a time",
            "email-delivery",
            "/spec/podAnnotations/dapr.io~1app-max-concurrency",
            Value::Null,
            "dapr.io/app-max-concurrency is None",
        ),
        fault(
            "four reminders at a time",
            "email-delivery",
            "/spec/podAnnotations/dapr.io~1app-max-concurrency",
            json!("4"),
            "dapr.io/app-max-concurrency is Some(\"4\")",
        ),
        fault(
            "a probe that does not see that",
            "email-delivery",
            "/spec/checks/readiness/httpGet/path",
            json!("/email-delivery/health"),
            "readiness",
        ),
        annotation(
            "a probe without headers",
            "/spec/checks/readiness/httpGet/httpHeaders",
            Value::Null,
            "httpHeaders",
        ),
        annotation(
            "a probe of another service",
            "/spec/checks/liveness/httpGet/path",
            json!("/health/live"),
            "liveness",
        ),
        annotation(
            "another component",
            "/spec/components/0",
            json!("api"),
            "its components are",
        ),
        annotation(
            "another service's sidecar",
            "/spec/variables/0/value",
            json!("http://127.0.0.1:3501"),
            "not the sidecar",
        ),
        annotation(
            "an unknown variable",
            "/spec/variables/0/name",
            json!("sidecar"),
            "has no variable sidecar",
        ),
        annotation(
            "a secret in the open",
            "/spec/variables/1",
            json!({"name": "dapr_api_token", "value": "x"}),
            "not from a Secret",
        ),
        annotation("no replicas", "/spec/replicas", Value::Null, "either replicas or"),
        fault(
            "an unknown Secret",
            "api",
            "/spec/variables/3/valueFrom/secretKeyRef/name",
            json!("databases"),
            "nothing makes databases/url",
        ),
        fault(
            "no service account",
            "api",
            "/spec/serviceAccountName",
            json!("missing"),
            "ServiceAccount is missing",
        ),
        Fault {
            kind: "Component",
            ..fault(
                "an unknown scope",
                "statestore",
                "/scopes/0",
                json!("apis"),
                "there is no app apis",
            )
        },
        Fault {
            kind: "Component",
            ..fault(
                "another name",
                "pubsub",
                "/metadata/name",
                json!("broker"),
                "the Dapr components are",
            )
        },
        Fault {
            kind: "Component",
            ..fault(
                "another secret store",
                "pubsub",
                "/auth",
                json!({"secretStore": "vault"}),
                "from the store vault",
            )
        },
        Fault {
            kind: "Component",
            ..fault(
                "an unknown type",
                "pubsub",
                "/spec/type",
                json!("pubsub.kafkas"),
                "no type that Nudge",
            )
        },
        Fault {
            kind: "Resiliency",
            ..fault(
                "an unknown policy",
                "nudge",
                "/spec/targets/components/smtp/outbound/retry",
                json!("missing"),
                "there is no retry missing",
            )
        },
        Fault {
            kind: "Subscription",
            ..fault(
                "an unknown route",
                "api-reminder-outcomes",
                "/spec/routes/default",
                json!("/outcomes"),
                "has no route /outcomes",
            )
        },
        Fault {
            kind: "Subscription",
            ..fault(
                "an unknown topic",
                "api-reminder-outcomes",
                "/spec/topic",
                json!("outcomes"),
                "no app publishes on outcomes",
            )
        },
        Fault {
            kind: "Subscription",
            ..fault(
                "no dead letters",
                "notification-task-events",
                "/spec/deadLetterTopic",
                Value::Null,
                "its dead letters go to",
            )
        },
        Fault {
            kind: "Configuration",
            ..fault(
                "an open door",
                "worker",
                "/spec/accessControl/defaultAction",
                json!("allow"),
                "lets every app",
            )
        },
        Fault {
            kind: "Configuration",
            ..fault(
                "a policy for another namespace",
                "api",
                "/spec/accessControl/policies/0/namespace",
                json!("default"),
                "namespace is",
            )
        },
        Fault {
            kind: "Configuration",
            ..fault(
                "a wildcard that matches nothing",
                "api",
                "/spec/accessControl/policies/1/operations/2/name",
                json!("/internal/reminders/*/delivery"),
                "may not call GET /internal/reminders/*-*/delivery",
            )
        },
        Fault {
            kind: "Configuration",
            ..fault(
                "more secrets",
                "api",
                "/spec/secrets/scopes/0/allowedSecrets/1",
                json!("database"),
                "sidecars hand out the secrets",
            )
        },
        fault(
            "another sidecar with the key of the tokens",
            "recurring-task",
            "/spec/podAnnotations/dapr.io~1env-from-secret",
            json!("SECRET_jwt-key=jwt-key:jwt-key"),
            "dapr.io/env-from-secret is",
        ),
        Fault {
            kind: "Component",
            ..fault(
                "the whole environment of a sidecar",
                "secretstore",
                "/spec/metadata",
                json!([]),
                "its metadata are",
            )
        },
        Fault {
            kind: "ServiceAccount",
            ..fault(
                "a token for the API server",
                "notification",
                "/automountServiceAccountToken",
                Value::Null,
                "get a token for the API server",
            )
        },
        annotation(
            "the token of another app",
            "/spec/podAnnotations/dapr.io~1app-token-secret",
            json!("app-api-token-api"),
            "is one of api, too",
        ),
        Fault {
            kind: "Namespace",
            ..fault(
                "pods that may do more",
                "nudge",
                "/metadata/labels/pod-security.kubernetes.io~1enforce",
                json!("baseline"),
                "it enforces `baseline`",
            )
        },
        Fault {
            kind: "StatefulSet",
            ..fault(
                "a server that may do more",
                "kafka",
                "/spec/template/spec/containers/0/securityContext/capabilities",
                json!({}),
                "kafka is not restricted",
            )
        },
        Fault {
            kind: "Component",
            ..fault(
                "a broker for every sidecar",
                "pubsub",
                "/scopes",
                Value::Null,
                "Component pubsub: its scopes are",
            )
        },
        Fault {
            kind: "Component",
            ..fault(
                "the mail server for the api",
                "smtp",
                "/scopes/1",
                json!("api"),
                "Component smtp: its scopes are",
            )
        },
        Fault {
            kind: "Subscription",
            ..fault(
                "a topic outside the scope",
                "notification-task-events",
                "/spec/topic",
                json!("task-reminders"),
                "subscriptionScopes of pubsub are",
            )
        },
        policy(
            "a pod that nothing denies",
            "default-deny",
            "/spec/podSelector",
            json!({"matchLabels": {"app.kubernetes.io/part-of": "nudge"}}),
            "kafka: nothing denies it Egress",
        ),
        policy(
            "only one direction denied",
            "default-deny",
            "/spec/policyTypes",
            json!(["Ingress"]),
            "api: nothing denies it Egress",
        ),
        fault(
            "a service outside of the policies",
            "recurring-task",
            "/spec/podLabels/app.kubernetes.io~1part-of",
            json!("other"),
            "recurring-task cannot reach kafka",
        ),
        Fault {
            kind: "StatefulSet",
            ..fault(
                "a pod that has no policy",
                "kafka",
                "/metadata/name",
                json!("zookeeper"),
                "zookeeper: nothing says whom it may reach",
            )
        },
        policy(
            "a broker that cannot be reached",
            "kafka",
            "/spec/ingress/0/ports/0/port",
            json!(9093),
            "Ingress: api cannot reach kafka at 9092",
        ),
        policy(
            "the emails for every service",
            "mail",
            "/spec/ingress/0/from/0/podSelector",
            json!({}),
            "Ingress: api should not reach mail",
        ),
        policy(
            "a mail server for every service",
            "to-mail",
            "/spec/podSelector",
            json!({}),
            "Egress: api should not reach mail",
        ),
        policy(
            "a database for everyone",
            "postgres",
            "/spec/ingress/0/from",
            Value::Null,
            "postgres and anyone:5432 should not",
        ),
        policy(
            "every port",
            "dapr",
            "/spec/egress/0/ports",
            Value::Null,
            "NetworkPolicy dapr: every port is open",
        ),
        policy(
            "private addresses",
            "registry",
            "/spec/egress/0/to/0/ipBlock/except",
            Value::Null,
            "private addresses",
        ),
        policy(
            "another namespace",
            "dns",
            "/spec/egress/0/to/0/namespaceSelector",
            json!({}),
            "should not be connected",
        ),
        policy(
            "invocations of a worker",
            "api",
            "/spec/podSelector",
            json!({"matchLabels": {"app.kubernetes.io/part-of": "nudge"}}),
            "should not reach notification at 50002",
        ),
        Fault {
            overlay: "oke",
            ..policy(
                "a port of the database that is closed",
                "to-postgres",
                "/spec/egress/0/ports/0/port",
                json!(5433),
                "Egress: api and block:5432 cannot",
            )
        },
        Fault {
            overlay: "oke",
            ..policy(
                "the database for a service without state",
                "to-postgres",
                "/spec/podSelector",
                json!({}),
                "recurring-task and block:5432 should not",
            )
        },
        Fault {
            overlay: "oke",
            kind: "Configuration",
            ..fault(
                "an address that was not given",
                "api",
                "/spec/tracing/otel/endpointAddress",
                json!("otel.invalid:4317"),
                "is not finished",
            )
        },
        Fault {
            overlay: "oke",
            kind: "ScaledObject",
            ..fault(
                "another consumer group",
                "notification",
                "/spec/triggers/0/metadata/consumerGroup",
                json!("api"),
                "consumer group",
            )
        },
        Fault {
            overlay: "oke",
            kind: "ScaledObject",
            ..fault(
                "another topic",
                "notification",
                "/spec/triggers/0/metadata/topic",
                json!("task-reminders"),
                "does not consume",
            )
        },
        Fault {
            overlay: "oke",
            ..fault(
                "replicas and autoscaling",
                "api",
                "/spec/replicas",
                json!(2),
                "either replicas or",
            )
        },
    ]
}
