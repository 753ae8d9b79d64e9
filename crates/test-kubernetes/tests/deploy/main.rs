//! Nudge on a cluster: `scripts/deploy.sh` and `scripts/rollback.sh` as a person runs them, against the real API server, Spin operator
//! and injector. Only that pods run is said by kwok, so no emails are sent here.
//!
//! Without the parts of `scripts/get-kubernetes.sh` and the network of `scripts/test-k8s.sh` the cases are ignored, and counted so.
#![allow(clippy::indexing_slicing, reason = "tests")]

#[path = "../pod/mod.rs"]
mod pod;
mod pods;
mod scripts;
#[path = "../yaml/mod.rs"]
mod yaml;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use libtest_mimic::{Arguments, Trial};
use nudge_contract::names::app;
use serde_json::{Value, json};
use test_kubernetes::Cluster;

use pods::{NAMESPACE, get, nodes, runs};
use scripts::{deploy, script};
use yaml::{documents, put, root};

type Case = fn(&Cluster) -> Result<()>;

const CASES: [(&str, Case); 4] = [
    ("a dry run changes nothing", dry_run),
    ("minikube: deployed, changed, scaled, and back again", minikube),
    (
        "oke: deployed when its secrets are there, and scaled by others",
        oke,
    ),
    ("what is wrong is refused", refused),
];

fn main() {
    let mut arguments = Arguments::from_args();
    // There is one cluster at a time; each case has its own.
    arguments.test_threads = Some(1);
    let missing = test_kubernetes::find().err();
    let trials = CASES.map(|(name, case)| {
        if let Some(missing) = &missing {
            eprintln!("ignored: {name}: {missing}");
        }
        let run = move || {
            let cluster = Cluster::start()?;
            case(&cluster).map_err(|error| format!("{error:#}").into())
        };
        Trial::test(name, run).with_ignored_flag(missing.is_some())
    });
    libtest_mimic::run(&arguments, trials.into()).exit();
}

/// Everything that is there, by name.
fn everything(cluster: &Cluster) -> Result<String> {
    let kinds = "namespaces,configmaps,secrets,deployments,services,customresourcedefinitions";
    cluster.kubectl(&["get", kinds, "-A", "-oname"])
}

fn dry_run(cluster: &Cluster) -> Result<()> {
    let before = everything(cluster)?;
    for place in ["minikube", "oke"] {
        let ran = script(cluster, &["setup-dapr.sh", place, "--dry-run"])?;
        ran.says("would run: helm upgrade --install dapr")?;
        let ran = deploy(cluster, place, "1", &["--dry-run"])?;
        ran.says("would run: kubectl apply")?;
    }
    let after = everything(cluster)?;
    ensure!(before == after, "before: {before}\nafter: {after}");
    script(cluster, &["rollback.sh"])?.fails("scripts/deploy.sh makes the first")
}

fn minikube(cluster: &Cluster) -> Result<()> {
    deploy(cluster, "minikube", "1", &[])?.says("this is release 1")?;
    runs(cluster, "1", [1, 3, 1, 1])?;
    let made = key(cluster)?;

    deploy(cluster, "minikube", "2", &[])?.says("this is release 2")?;
    runs(cluster, "2", [1, 3, 1, 1])?;
    ensure!(key(cluster)? == made, "a secret was made anew");

    let scaled = r#"{"spec":{"replicas":5}}"#;
    cluster.kubectl(&[
        "-n",
        NAMESPACE,
        "patch",
        "spinapp/notification",
        "--type=merge",
        "-p",
        scaled,
    ])?;
    runs(cluster, "2", [1, 5, 1, 1])?;

    // Another broker comes with objects of its own, and goes with them. What was scaled by hand is as the manifests say again.
    deploy(cluster, "minikube-redis", "3", &[])?.says("this is release 3")?;
    runs(cluster, "3", [1, 3, 1, 1])?;
    broker(
        cluster,
        "pubsub.redis",
        "statefulset.apps/postgres\nstatefulset.apps/redis\n",
    )?;

    script(cluster, &["rollback.sh"])?.says("Release 2 runs again")?;
    runs(cluster, "2", [1, 3, 1, 1])?;
    broker(
        cluster,
        "pubsub.kafka",
        "statefulset.apps/kafka\nstatefulset.apps/postgres\n",
    )?;
    ensure!(key(cluster)? == made, "a secret was made anew");

    script(cluster, &["rollback.sh"])?.says("Release 1 runs again")?;
    runs(cluster, "1", [1, 3, 1, 1])?;
    script(cluster, &["rollback.sh"])?.fails("release 1 is the oldest")?;

    // What comes after going back is a release of its own.
    deploy(cluster, "minikube", "4", &[])?.says("this is release 4")
}

fn key(cluster: &Cluster) -> Result<Value> {
    Ok(get(cluster, &["secret", "jwt-key"])?["data"].take())
}

fn broker(cluster: &Cluster, kind: &str, servers: &str) -> Result<()> {
    let component = get(cluster, &["component", "pubsub"])?;
    ensure!(component["spec"]["type"] == kind, "{component:#}");
    let found = cluster.kubectl(&["-n", NAMESPACE, "get", "statefulsets", "-oname"])?;
    ensure!(found == servers, "{found}");
    Ok(())
}

fn oke(cluster: &Cluster) -> Result<()> {
    let ran = deploy(cluster, "oke", "1", &[])?;
    ran.fails("10 Secrets are missing")?;
    let value = tempfile::NamedTempFile::new()?;
    fs::write(value.path(), "value")?;
    for command in ran
        .said
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("kubectl --namespace nudge create"))
    {
        // As a person would, with files in the place of the dots; what is in a certificate matters to a load balancer only.
        let command = command.replace(
            "secret tls nudge-tls --cert=… --key=…",
            "secret generic nudge-tls --from-file=tls.crt=…",
        );
        let file = value.path().to_str().context("a path")?;
        let command = command.replace('…', file);
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        cluster.kubectl(&words)?;
    }
    deploy(cluster, "oke", "1", &[])?.says("this is release 1")?;
    // KEDA is not here, so more than one was not asked for yet.
    runs(cluster, "1", [1, 1, 1, 1])?;
    let scaled = cluster.kubectl(&["-n", NAMESPACE, "get", "scaledobjects", "-oname"])?;
    ensure!(scaled.lines().count() == 4, "{scaled}");

    // What a scaler sets stays, through the operator and through the next release.
    cluster.kubectl(&[
        "-n",
        NAMESPACE,
        "scale",
        "deployment/notification",
        "--replicas=6",
    ])?;
    deploy(cluster, "oke", "2", &[])?.says("this is release 2")?;
    runs(cluster, "2", [1, 6, 1, 1])?;
    let nodes: BTreeSet<String> = nodes(cluster, app::NOTIFICATION)?;
    ensure!(
        nodes.len() == test_kubernetes::ZONES.len(),
        "six pods are on {nodes:?}"
    );
    Ok(())
}

fn refused(cluster: &Cluster) -> Result<()> {
    let overlay = root()?.join("k8s/overlays/minikube");
    let rendered = documents(&cluster.kubectl(&["kustomize", overlay.to_str().context("a path")?])?)?;
    let object = |kind: &str, name: &str| {
        let found = rendered
            .iter()
            .find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
        found
            .cloned()
            .with_context(|| format!("there is no {kind} {name}"))
    };
    cluster.apply(&object("Namespace", NAMESPACE)?.to_string())?;
    cluster.apply(&object("SpinAppExecutor", "spin")?.to_string())?;
    cluster
        .dry_run(&object("SpinApp", "notification")?.to_string())
        .context("the right one")?;
    let spinapp = |at, value, why| ("SpinApp", "notification", at, value, why);
    for (kind, name, at, value, why) in [
        spinapp("/spec/serviceAccount", json!("notification"), "serviceAccount"),
        spinapp(
            "/spec/checks/readiness/httpGet/httpHeaders",
            Value::Null,
            "httpHeaders",
        ),
        spinapp(
            "/spec/enableAutoscaling",
            json!(true),
            "replicas cannot be set when autoscaling is enabled",
        ),
        spinapp("/spec/replicas", Value::Null, "replicas must be > 0"),
        spinapp("/spec/replicas", json!("3"), "spec.replicas"),
        spinapp(
            "/spec/executor",
            json!("shim"),
            "executor does not exist in namespace",
        ),
        spinapp("/spec/components", json!([]), "spec.components"),
        spinapp(
            "/spec/podAnnotations/dapr.io~1app-port",
            json!(80),
            "dapr.io/app-port",
        ),
        spinapp("/spec/variables/0/name", json!(1), "spec.variables[0].name"),
        spinapp(
            "/spec/resources/requests/memory",
            json!("64 MB"),
            "quantities must match",
        ),
        (
            "SpinAppExecutor",
            "spin",
            "/spec/deploymentConfig/runtimeClassName",
            json!("wasmtime-spin-v2"),
            "runtimeClassName",
        ),
        (
            "Component",
            "pubsub",
            "/spec/version",
            Value::Null,
            "spec.version",
        ),
        ("Component", "pubsub", "/spec/metadatas", json!([]), "metadatas"),
        (
            "Subscription",
            "api-reminder-outcomes",
            "/spec/topic",
            Value::Null,
            "spec.topic",
        ),
        (
            "Resiliency",
            "nudge",
            "/spec/policies/retry",
            json!({}),
            "spec.policies.retry",
        ),
        (
            "Configuration",
            "api",
            "/spec/accessControl/policies/0/appId",
            json!(1),
            "appId",
        ),
    ] {
        let mut wrong = object(kind, name)?;
        put(&mut wrong, at, value)?;
        let error = cluster
            .refused(&wrong.to_string())
            .with_context(|| format!("{kind} {name} with another {at}"))?;
        ensure!(
            error.contains(why),
            "{kind} {name}, {at}: no error says `{why}`: {error}"
        );
    }
    Ok(())
}
