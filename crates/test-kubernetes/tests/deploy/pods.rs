//! The pods that come of a SpinApp.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use nudge_contract::names::{app, route};
use serde_json::{Value, json};
use test_kubernetes::Cluster;

use crate::pod::{argument, arguments, container};

/// Where everything is.
pub(crate) const NAMESPACE: &str = "nudge";

/// Objects, as the API server has them.
pub(crate) fn get(cluster: &Cluster, what: &[&str]) -> Result<Value> {
    let mut words = vec!["-n", NAMESPACE, "get", "-ojson"];
    words.extend(what);
    Ok(serde_json::from_str(&cluster.kubectl(&words)?)?)
}

fn pods(cluster: &Cluster, app_id: &str) -> Result<Vec<Value>> {
    let selector = format!("core.spinkube.dev/app-name={app_id}");
    let all = get(cluster, &["pods", "-l", &selector])?;
    // Those of the revision before end a little later.
    let stays = |pod: &&Value| pod["metadata"].get("deletionTimestamp").is_none();
    let items = all["items"].as_array().context("a list")?;
    Ok(items.iter().filter(stays).cloned().collect())
}

/// The nodes that a service's pods are on.
pub(crate) fn nodes(cluster: &Cluster, app_id: &str) -> Result<BTreeSet<String>> {
    let pods = pods(cluster, app_id)?;
    Ok(pods
        .iter()
        .map(|pod| pod["spec"]["nodeName"].to_string())
        .collect())
}

/// Each service has as many pods as it should (in the order of [`app::ALL`]), each with its sidecar, the application in this version, and all
/// that hardens it.
pub(crate) fn runs(cluster: &Cluster, version: &str, replicas: [usize; 4]) -> Result<()> {
    for (app_id, count) in app::ALL.into_iter().zip(replicas) {
        let ready = format!("jsonpath={{.status.readyReplicas}}={count}");
        cluster.wait(NAMESPACE, &format!("deployment/{app_id}"), &ready)?;
        let pods = cluster.until(&format!("{count} pods of {app_id}"), |cluster| {
            let pods = pods(cluster, app_id)?;
            ensure!(pods.len() == count, "{} pods", pods.len());
            Ok(pods)
        })?;
        for pod in &pods {
            sidecar(pod, app_id).with_context(|| format!("{app_id}: {pod:#}"))?;
            spin(pod, app_id, version).with_context(|| format!("{app_id}: {pod:#}"))?;
        }
    }
    Ok(())
}

fn sidecar(pod: &Value, app_id: &str) -> Result<()> {
    let labels = &pod["metadata"]["labels"];
    ensure!(labels["dapr.io/sidecar-injected"] == "true", "no sidecar");
    let daprd = container(pod, "daprd")?;
    let words = arguments(daprd);
    for (flag, value) in [
        ("--app-id", app_id),
        ("--app-port", "80"),
        ("--app-protocol", "http"),
        ("--app-health-check-path", route::health_of(app_id)),
        ("--app-health-threshold", "1000"),
        ("--config", if app_id == app::API { "api" } else { "worker" }),
        ("--dapr-graceful-shutdown-seconds", "20"),
    ] {
        ensure!(
            argument(daprd, flag) == Some(value),
            "{flag} is not {value}: {words:?}"
        );
    }
    let limit = app::max_concurrency(app_id).map(|limit| limit.to_string());
    ensure!(
        argument(daprd, "--app-max-concurrency") == limit.as_deref(),
        "--app-max-concurrency is not {limit:?}: {words:?}"
    );
    for flag in [
        "--log-as-json",
        "--enable-app-health-check",
        "--disable-builtin-k8s-secret-store",
    ] {
        ensure!(words.contains(&flag), "no {flag}: {words:?}");
    }
    ensure!(
        daprd["resources"]["limits"]["memory"] == "128Mi",
        "{}",
        daprd["resources"]
    );
    let environment = daprd["env"].to_string();
    for part in [
        format!("dapr-api-token-{app_id}"),
        format!("app-api-token-{app_id}"),
        "GOMEMLIMIT".to_owned(),
    ] {
        ensure!(
            environment.contains(&part),
            "the sidecar has no {part}: {environment}"
        );
    }
    ensure!(
        environment.contains("jwt-key") == (app_id == app::API),
        "the key of the tokens is the api's: {environment}"
    );
    ensure!(
        daprd["securityContext"]["capabilities"]["drop"] == json!(["ALL"]),
        "{}",
        daprd["securityContext"]
    );
    let volumes = pod["spec"]["volumes"].to_string();
    ensure!(
        volumes.contains("dapr-identity-token") && !volumes.contains("kube-api-access"),
        "a token for the sentry alone: {volumes}"
    );
    Ok(())
}

fn spin(pod: &Value, app_id: &str, version: &str) -> Result<()> {
    let spin = container(pod, app_id)?;
    ensure!(
        spin["image"] == "registry.example.com/nudge-spin:4.1",
        "{}",
        spin["image"]
    );
    let words = arguments(spin);
    let image = format!("registry.example.com/nudge:{version}");
    ensure!(argument(spin, "-f") == Some(&image), "{words:?}");
    ensure!(argument(spin, "--component-id") == Some(app_id), "{words:?}");
    ensure!(
        argument(spin, "--runtime-config-file") == Some("/runtime-config.toml"),
        "{words:?}"
    );
    for probe in ["readinessProbe", "livenessProbe"] {
        ensure!(spin[probe]["httpGet"]["port"] == 80, "{probe}: {}", spin[probe]);
    }
    let security = json!({ "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": { "drop": ["ALL"] } });
    ensure!(spin["securityContext"] == security, "{}", spin["securityContext"]);
    let security = &pod["spec"]["securityContext"];
    ensure!(
        security["runAsNonRoot"] == true && security["runAsUser"] == 65532,
        "{security}"
    );
    ensure!(
        pod["spec"]["terminationGracePeriodSeconds"] == 40,
        "no time to end"
    );
    let spread = pod["spec"]["topologySpreadConstraints"]
        .as_array()
        .map_or(0, Vec::len);
    ensure!(spread == 2, "not spread");
    Ok(())
}
