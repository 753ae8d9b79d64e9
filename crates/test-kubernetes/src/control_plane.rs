//! etcd, API server, controllers and scheduler.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use test_dapr::Process;

use crate::certificates::{Authority, signing};
use crate::kubectl::{Credentials, Kubectl, kubeconfig, until};
use crate::network::SERVICES;
use crate::parts::{Parts, command};

/// Where the API server is.
pub(crate) const ADDRESS: &str = "127.0.0.1:6443";

/// The running processes. Fields end in their order.
#[derive(Debug)]
pub(crate) struct ControlPlane {
    _scheduler: Process,
    _controllers: Process,
    _api: Process,
    _etcd: Process,
}

/// Starts everything, and gives back what asks it as an administrator. The API answers then; the controllers work a little later.
pub(crate) fn start(parts: &Parts, authority: &Authority, folder: &Path) -> Result<(ControlPlane, Kubectl)> {
    let kubectl = Kubectl {
        program: parts.program("kubectl"),
        kubeconfig: user(authority, folder, "admin", Some("system:masters"))?,
        home: folder.to_path_buf(),
    };
    let controllers = user(authority, folder, "system:kube-controller-manager", None)?;
    let scheduler = user(authority, folder, "system:kube-scheduler", None)?;
    authority.server(
        &folder.join("api"),
        &["localhost", "127.0.0.1", "10.96.0.1", "kubernetes.default.svc"],
    )?;
    signing(&folder.join("tokens.key"), &folder.join("tokens.pub"))?;

    let etcd = Process::start(etcd(parts, folder), "ready to serve client requests")?;
    let api = Process::start(api(parts, authority, folder), "Serving securely")?;
    until("the API server is ready", || {
        kubectl.run(&["get", "--raw", "/readyz"], None)
    })?;
    let (controllers, scheduler) = std::thread::scope(|scope| {
        let serving = "Serving securely";
        let controllers = self::controllers(parts, authority, folder, &controllers);
        let controllers = scope.spawn(move || Process::start(controllers, serving));
        let scheduler = Process::start(self::scheduler(parts, folder, &scheduler), serving);
        (controllers.join(), scheduler)
    });
    let controllers = controllers.ok().context("a thread has panicked")??;
    let running = ControlPlane {
        _scheduler: scheduler?,
        _controllers: controllers,
        _api: api,
        _etcd: etcd,
    };
    Ok((running, kubectl))
}

/// Writes the kubeconfig of a user, who shows a certificate.
fn user(authority: &Authority, folder: &Path, name: &str, group: Option<&str>) -> Result<std::path::PathBuf> {
    let own = folder.join(name.trim_start_matches("system:"));
    authority.client(&own, name, group)?;
    let path = own.join("kubeconfig");
    kubeconfig(&path, authority, &Credentials::Certificate(&own))?;
    Ok(path)
}

fn etcd(parts: &Parts, folder: &Path) -> Command {
    let clients = "http://127.0.0.1:2379";
    let peers = "http://127.0.0.1:2380";
    let mut command = command(&parts.program("etcd"), folder);
    command
        .arg("--data-dir")
        .arg(folder.join("etcd"))
        .args([
            "--listen-client-urls",
            clients,
            "--advertise-client-urls",
            clients,
        ])
        .args([
            "--listen-peer-urls",
            peers,
            "--initial-advertise-peer-urls",
            peers,
        ])
        .arg(format!("--initial-cluster=default={peers}"))
        // What it keeps goes with it.
        .arg("--unsafe-no-fsync");
    command
}

fn api(parts: &Parts, authority: &Authority, folder: &Path) -> Command {
    let file = |name: &str| folder.join(name).display().to_string();
    let mut command = command(&parts.program("kube-apiserver"), folder);
    command
        .args([
            "--etcd-servers=http://127.0.0.1:2379",
            "--bind-address=127.0.0.1",
            "--secure-port=6443",
        ])
        .args(["--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"])
        .arg(format!("--service-cluster-ip-range={SERVICES}"))
        .arg(format!("--tls-cert-file={}", file("api/tls.crt")))
        .arg(format!("--tls-private-key-file={}", file("api/tls.key")))
        .arg(format!("--client-ca-file={}", authority.path().display()))
        .arg("--authorization-mode=Node,RBAC")
        .arg("--service-account-issuer=https://kubernetes.default.svc.cluster.local")
        .arg(format!("--service-account-key-file={}", file("tokens.pub")))
        .arg(format!(
            "--service-account-signing-key-file={}",
            file("tokens.key")
        ))
        .arg("--allow-privileged=true")
        // Webhooks are asked at their endpoints: nothing routes the addresses of Services here.
        .arg("--enable-aggregator-routing=true");
    command
}

fn controllers(parts: &Parts, authority: &Authority, folder: &Path, kubeconfig: &Path) -> Command {
    let mut command = command(&parts.program("kube-controller-manager"), folder);
    command
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .args([
            "--bind-address=127.0.0.1",
            "--authentication-skip-lookup=true",
            "--leader-elect=false",
        ])
        // Dapr's injector asks which of them makes a pod.
        .arg("--use-service-account-credentials=true")
        .arg(format!(
            "--service-account-private-key-file={}",
            folder.join("tokens.key").display()
        ))
        .arg(format!("--root-ca-file={}", authority.path().display()))
        // No kubelet reports for the nodes.
        .arg("--node-monitor-grace-period=24h");
    command
}

fn scheduler(parts: &Parts, folder: &Path, kubeconfig: &Path) -> Command {
    let mut command = command(&parts.program("kube-scheduler"), folder);
    command.arg("--kubeconfig").arg(kubeconfig).args([
        "--bind-address=127.0.0.1",
        "--authentication-skip-lookup=true",
        "--leader-elect=false",
    ]);
    command
}
