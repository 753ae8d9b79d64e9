//! The chain from a `SpinApp` to a pod with a sidecar, with nothing of Nudge's in it: what other tests build on.
//!
//! Without the parts of `scripts/get-kubernetes.sh` and the network of `scripts/test-k8s.sh` the cases are ignored, and counted so.
#![allow(clippy::indexing_slicing, reason = "tests")]

#[path = "pod/mod.rs"]
mod pod;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use test_kubernetes::{Cluster, ZONES};

use pod::{argument, container};

/// Where the cases make their objects.
const NAMESPACE: &str = "chain";

/// What all cases need: a namespace with an executor that runs Spin in an ordinary container, so that daprd can be beside it.
const GROUND: &str = "
apiVersion: v1
kind: Namespace
metadata: {name: chain}
---
apiVersion: core.spinkube.dev/v1alpha1
kind: SpinAppExecutor
metadata: {name: spin, namespace: chain}
spec:
  createDeployment: true
  deploymentConfig: {spinImage: example.com/spin:3}
";

/// A `SpinApp` with these annotations of its pods, and more of its spec.
fn app(name: &str, annotations: &str, more: &str) -> String {
    format!(
        "
apiVersion: core.spinkube.dev/v1alpha1
kind: SpinApp
metadata: {{name: {name}, namespace: {NAMESPACE}}}
spec:
  image: example.com/shop/{name}:1
  executor: spin
  replicas: 1
  podAnnotations: {{{annotations}}}
  {more}
"
    )
}

type Case = fn(&Cluster) -> Result<()>;

const CASES: [(&str, Case); 6] = [
    ("a SpinApp becomes a ready pod with its sidecar", becomes_a_pod),
    (
        "a probe without httpHeaders is refused by the operator",
        probe_without_headers,
    ),
    (
        "a pod without an app id is refused by the injector",
        pod_without_app_id,
    ),
    ("an unknown field is refused by the API server", unknown_field),
    ("replicas are spread over the zones", spread),
    ("claims get volumes of their class", claims),
];

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let missing = test_kubernetes::find().err();
    // Started by the first case that is asked for, and ended after the last.
    let cluster: Arc<Mutex<Started>> = Arc::default();
    if let Some(missing) = &missing {
        eprintln!("the chain is ignored: {missing}");
    }
    let trials = CASES.map(|(name, case)| {
        let cluster = Arc::clone(&cluster);
        Trial::test(name, move || run(&cluster, case)).with_ignored_flag(missing.is_some())
    });
    let conclusion = libtest_mimic::run(&arguments, trials.into());
    drop(cluster.lock().unwrap_or_else(PoisonError::into_inner).take());
    conclusion.exit();
}

/// The cluster, or why it did not start: one that does not is not started again.
type Started = Option<Result<Cluster, String>>;

fn run(cluster: &Mutex<Started>, case: Case) -> Result<(), Failed> {
    let mut cluster = cluster.lock().unwrap_or_else(PoisonError::into_inner);
    let started = cluster.get_or_insert_with(|| start().map_err(|error| format!("{error:#}")));
    let cluster = started.as_ref().map_err(|why| format!("no cluster: {why}"))?;
    case(cluster).map_err(|error| format!("{error:#}").into())
}

fn start() -> Result<Cluster> {
    let begin = Instant::now();
    let cluster = Cluster::start()?;
    eprintln!(
        "the cluster has started in {:.1} s",
        begin.elapsed().as_secs_f64()
    );
    cluster.apply(GROUND)?;
    // A namespace has its service account a little later, and the operator learns of its executor.
    cluster.wait(NAMESPACE, "serviceaccount/default", "create")?;
    cluster.until("the executor is known", |cluster| {
        cluster.dry_run(&app("first", "", ""))
    })?;
    Ok(cluster)
}

/// The only object with these labels.
fn find(cluster: &Cluster, kind: &str, selector: &str) -> Result<Value> {
    let found = cluster.kubectl(&["-n", NAMESPACE, "get", kind, "-ojson", "-l", selector])?;
    let found: Value = serde_json::from_str(&found)?;
    let items = found["items"].as_array().context("a list has items")?;
    let [object] = items.as_slice() else {
        bail!("{} objects are {kind} with {selector}", items.len());
    };
    Ok(object.clone())
}

fn becomes_a_pod(cluster: &Cluster) -> Result<()> {
    let annotations = r#"dapr.io/enabled: "true", dapr.io/app-id: orders-api, dapr.io/app-port: "80""#;
    cluster.apply(&app("orders", annotations, ""))?;
    cluster.wait(NAMESPACE, "deployment/orders", "condition=Available")?;

    let pod = find(cluster, "pods", "core.spinkube.dev/app-name=orders")?;
    let labels = &pod["metadata"]["labels"];
    ensure!(labels["dapr.io/sidecar-injected"] == "true", "labels: {labels}");
    let spin = container(&pod, "orders")?;
    ensure!(
        spin["image"] == "example.com/spin:3",
        "Spin runs in {}",
        spin["image"]
    );
    ensure!(
        pod["spec"]["runtimeClassName"].is_null(),
        "a runtime class, where daprd has no environment"
    );
    let daprd = container(&pod, "daprd")?;
    ensure!(
        argument(daprd, "--app-id") == Some("orders-api"),
        "daprd: {daprd}"
    );
    ensure!(argument(daprd, "--app-port") == Some("80"), "daprd: {daprd}");

    // What other sidecars find it by.
    cluster.wait(NAMESPACE, "service/orders-api-dapr", "create")
}

fn probe_without_headers(cluster: &Cluster) -> Result<()> {
    let probe = "checks: {readiness: {httpGet: {path: /healthz}}}";
    let why = cluster.refused(&app("probed", "", probe))?;
    ensure!(why.contains("httpHeaders"), "{why}");
    let probe = "checks: {readiness: {httpGet: {path: /healthz, httpHeaders: []}}}";
    cluster.dry_run(&app("probed", "", probe))?;
    Ok(())
}

fn pod_without_app_id(cluster: &Cluster) -> Result<()> {
    cluster.apply(&app("nameless", r#"dapr.io/enabled: "true""#, ""))?;
    cluster.wait(NAMESPACE, "deployment/nameless", "condition=ReplicaFailure")?;
    let why = r#"-ojsonpath={.status.conditions[?(@.type=="ReplicaFailure")].message}"#;
    let why = cluster.kubectl(&["-n", NAMESPACE, "get", "deployment/nameless", why])?;
    ensure!(
        why.contains("sidecar-injector.dapr.io") && why.contains("app-id"),
        "{why}"
    );
    Ok(())
}

fn unknown_field(cluster: &Cluster) -> Result<()> {
    let why = cluster.refused(&app("misspelt", "", "replica: 2"))?;
    ensure!(why.contains(".spec.replica:"), "{why}");
    Ok(())
}

fn spread(cluster: &Cluster) -> Result<()> {
    cluster.apply(&app("wide", "", "").replace("replicas: 1", "replicas: 3"))?;
    cluster.wait(NAMESPACE, "deployment/wide", "jsonpath={.status.readyReplicas}=3")?;
    let nodes = "-ojsonpath={.items[*].spec.nodeName}";
    let selector = "core.spinkube.dev/app-name=wide";
    let nodes = cluster.kubectl(&["-n", NAMESPACE, "get", "pods", "-l", selector, nodes])?;
    for zone in ZONES {
        ensure!(nodes.contains(zone), "pods are on {nodes}");
    }
    Ok(())
}

fn claims(cluster: &Cluster) -> Result<()> {
    cluster.storage("block")?;
    for (name, class) in [
        ("of-the-default", ""),
        ("of-another", "storageClassName: block, "),
    ] {
        cluster.apply(&format!(
            "{{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {{name: {name}, namespace: {NAMESPACE}}}, \
             spec: {{{class}accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}}}"
        ))?;
        let bound = "jsonpath={.status.phase}=Bound";
        cluster.wait(NAMESPACE, &format!("persistentvolumeclaim/{name}"), bound)?;
    }
    Ok(())
}
