//! Dapr's services of a cluster: sentry, injector and operator, each as the service account and the pod that its chart makes.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use test_dapr::Process;

use crate::certificates::{Authority, secret};
use crate::kubectl::{Credentials, Kubectl, kubeconfig, run, until};
use crate::parts::{DAPR, Parts, command};

/// Their namespace.
const NAMESPACE: &str = "dapr-system";

/// User and group: on a cluster they refuse all others.
const USER: u32 = 65_532;

/// The address of the sentry.
const SENTRY: &str = "127.0.0.1:50001";

/// Where the injector looks to decide whether sidecars get a token for the sentry.
const TOKEN: &str = "/run/secrets/dapr.io/sentrytoken/token";

/// The controllers whose pods get a sidecar, for one. The injector asks for them once.
const CONTROLLER: &str = "serviceaccount/replicaset-controller";

/// A pod that should get a sidecar, to check that it does.
const PROBE: &str = "{apiVersion: v1, kind: Pod, metadata: {name: probe, namespace: default, annotations: \
     {dapr.io/enabled: \"true\", dapr.io/app-id: probe}}, spec: {containers: [{name: probe, image: probe}]}}";

/// The running processes. Fields are dropped in order.
#[derive(Debug)]
pub(crate) struct Dapr {
    _operator: Process,
    _injector: Process,
    _sentry: Process,
}

/// One of the services, as in the chart.
struct Service<'a> {
    name: &'a str,
    /// Its deployment, and the label `app` of its pod.
    app: &'a str,
    health: u16,
}

/// Applies the chart, and starts the services when its pods are there. They are ready when a pod would get a sidecar.
pub(crate) fn start(parts: &Parts, authority: &Authority, kubectl: &Kubectl, folder: &Path) -> Result<Dapr> {
    let own = folder.join("dapr");
    std::fs::create_dir_all(&own)?;
    let chart = chart(parts, folder)?;
    let namespace = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {NAMESPACE}}}}}");
    kubectl.run(&["apply", "--server-side", "-f", "-"], Some(&namespace))?;
    kubectl.run(&["apply", "--server-side", "-f", "-"], Some(&chart))?;

    let install = |name, app, health| {
        let service = Service { name, app, health };
        prepare(parts, authority, kubectl, &own, &service)
    };
    let mut sentry = install("sentry", "dapr-sentry", 8091)?;
    let mut injector = install("injector", "dapr-sidecar-injector", 8092)?;
    let mut operator = install("operator", "dapr-operator", 8093)?;

    let issuer = own.join("issuer");
    std::fs::create_dir(&issuer)?;
    chown(&issuer, Some(USER), Some(USER))?;
    sentry
        .args([
            "--mode",
            "kubernetes",
            "--trust-domain",
            "cluster.local",
            "--port",
            "50001",
        ])
        .arg("--issuer-credentials")
        .arg(issuer);
    let sentry = Process::start(sentry, "Running gRPC server")?;

    let bundle = "configmap/dapr-trust-bundle";
    kubectl.wait(NAMESPACE, bundle, r"jsonpath={.data.ca\.crt}")?;
    let anchors = kubectl.run(
        &["-n", NAMESPACE, "get", bundle, r"-ojsonpath={.data.ca\.crt}"],
        None,
    )?;
    let trusted = own.join("anchors.crt");
    std::fs::write(&trusted, anchors)?;

    kubectl.wait("kube-system", CONTROLLER, "create")?;
    injector.env("DAPR_TRUST_ANCHORS_FILE", &trusted);
    let injector = Process::start(injector, "Sidecar injector is listening")?;

    operator
        .arg("--disable-leader-election")
        .arg("--trust-anchors-file")
        .arg(&trusted);
    let operator = Process::start(operator, "Dapr Operator started")?;

    let converts = r"jsonpath={.spec.conversion.webhook.clientConfig.caBundle}";
    kubectl.wait(NAMESPACE, "crd/subscriptions.dapr.io", converts)?;
    // The webhook ignores what fails, so until it answers pods are made without a sidecar.
    until("a pod gets a sidecar", || {
        let labels = "-ojsonpath={.metadata.labels}";
        let labels = kubectl.run(&["create", "--dry-run=server", "-f", "-", labels], Some(PROBE))?;
        ensure!(labels.contains("dapr.io/sidecar-injected"), "it has none");
        Ok(())
    })?;
    Ok(Dapr {
        _operator: operator,
        _injector: injector,
        _sentry: sentry,
    })
}

/// The objects of the chart.
fn chart(parts: &Parts, folder: &Path) -> Result<String> {
    let mut helm = command(&parts.program("helm"), folder);
    helm.args(["template", "dapr"])
        .arg(parts.objects().join("dapr"))
        .args(["--namespace", NAMESPACE, "--set"])
        .arg(format!(
            "global.tag={DAPR},global.mtls.sentryAddress={SENTRY},dapr_sidecar_injector.sidecarDropALLCapabilities=true"
        ));
    run(helm, None)
}

/// How one is started: with the environment that the chart gives it, and the tokens that a node would mount.
fn prepare(
    parts: &Parts,
    authority: &Authority,
    kubectl: &Kubectl,
    own: &Path,
    service: &Service<'_>,
) -> Result<Command> {
    let Service { name, app, health } = service;
    let in_namespace = |arguments: &[&str]| {
        let all: Vec<&str> = ["-n", NAMESPACE].iter().chain(arguments).copied().collect();
        kubectl.run(&all, None)
    };
    let deployment = format!("deployment/{app}");
    in_namespace(&["rollout", "status", &deployment, "--timeout=90s"])?;
    let label = format!("--selector=app={app}");
    let pod = in_namespace(&["get", "pod", &label, "-ojsonpath={.items[0].metadata.name}"])?;
    let account = format!("dapr-{name}");
    let token = in_namespace(&["create", "token", &account, "--duration=8h"])?;
    let credentials = own.join(format!("{name}.kubeconfig"));
    kubeconfig(&credentials, authority, &Credentials::Token(token.trim()))?;
    chown(&credentials, Some(USER), Some(USER))?;

    let audience = format!("--audience=spiffe://cluster.local/ns/{NAMESPACE}/dapr-sentry");
    let bound = format!("--bound-object-name={pod}");
    let token = in_namespace(&[
        "create",
        "token",
        &account,
        "--duration=8h",
        "--bound-object-kind=Pod",
        &bound,
        &audience,
    ])?;
    let path = own.join(format!("{name}.token"));
    secret(&path, token.trim())?;
    chown(&path, Some(USER), Some(USER))?;
    if *name == "injector" {
        let there = Path::new(TOKEN).parent().context("an absolute path")?;
        std::fs::create_dir_all(there)?;
        std::fs::write(TOKEN, "")?;
    }

    let told = in_namespace(&[
        "get",
        &deployment,
        "-ojsonpath={range .spec.template.spec.containers[0].env[?(@.value)]}{.name}={.value}{\"\\n\"}{end}",
    ])?;
    let mut command = command(&program(parts, own, name)?, own);
    command
        .envs(told.lines().filter_map(|line| line.split_once('=')))
        .env("NAMESPACE", NAMESPACE)
        .env("DAPR_SENTRY_TOKEN_FILE", path)
        .env("DAPR_SENTRY_ADDRESS", SENTRY)
        .env("KUBECONFIG", &credentials)
        .args(["--enable-metrics=false", "--healthz-port", &health.to_string()])
        .uid(USER)
        .gid(USER);
    // The operator knows the variable alone.
    if *name != "operator" {
        command.arg("--kubeconfig").arg(credentials);
    }
    Ok(command)
}

/// The program, at a path where its user can start it: the cache may be in another user's home.
fn program(parts: &Parts, own: &Path, name: &str) -> Result<PathBuf> {
    let name = format!("dapr-{name}");
    let from = parts.program(&name);
    let to = own.join(name);
    std::fs::copy(&from, &to).with_context(|| from.display().to_string())?;
    std::fs::set_permissions(&to, std::fs::Permissions::from_mode(0o755))?;
    Ok(to)
}
