//! The whole cluster.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use test_dapr::Process;

use crate::certificates::Authority;
use crate::control_plane::{self, ControlPlane};
use crate::dapr::{self, Dapr};
use crate::kubectl::{self, Kubectl};
use crate::parts::{self, Parts};
use crate::{network, nodes, spin};

/// A running cluster. All its data is deleted when it is dropped. Fields are dropped in order.
#[derive(Debug)]
pub struct Cluster {
    _dapr: Dapr,
    _spin: Process,
    _nodes: Process,
    _control_plane: ControlPlane,
    kubectl: Kubectl,
    _folder: tempfile::TempDir,
}

impl Cluster {
    /// Starts one, in about half a minute: control plane, a node in each of [`ZONES`](crate::ZONES), volumes, the CRDs of the Spin operator,
    /// Dapr and KEDA, the Spin operator with its webhooks, and Dapr's sentry, injector and operator in `dapr-system`.
    ///
    /// There can be one at a time in the network of `scripts/test-k8s.sh`: all processes listen on the usual ports.
    ///
    /// # Errors
    ///
    /// A part or the network is missing ([`Missing`](crate::Missing)), or something does not start. The error holds what it logged
    /// last; what had started by then is ended.
    pub fn start() -> Result<Self> {
        let parts = parts::find()?;
        // In memory, and seen from here alone.
        let folder = tempfile::tempdir_in(network::RUN).context("no temporary folder")?;
        let own = folder.path();
        // Dapr's services run as another user. What is secret in there has modes of its own.
        std::fs::set_permissions(own, std::fs::Permissions::from_mode(0o755))?;
        let authority = Authority::new(own)?;
        let (control_plane, kubectl) = control_plane::start(&parts, &authority, own)?;
        definitions(&parts, &kubectl)?;
        let nodes = nodes::start(&parts, &kubectl, own)?;
        nodes::storage(&kubectl, "standard", true)?;
        // By then the controllers work.
        kubectl.wait("default", "serviceaccount/default", "create")?;
        let spin = spin::start(&parts, &authority, &kubectl, own)?;
        let dapr = dapr::start(&parts, &authority, &kubectl, own)?;
        Ok(Self {
            _dapr: dapr,
            _spin: spin,
            _nodes: nodes,
            _control_plane: control_plane,
            kubectl,
            _folder: folder,
        })
    }

    /// Creates another storage class, with a dozen volumes of 1 Ti to which its claims are bound. The class `standard` exists, and is
    /// the default.
    ///
    /// # Errors
    ///
    /// The API server refuses it.
    pub fn storage(&self, class: &str) -> Result<()> {
        nodes::storage(&self.kubectl, class, false)
    }

    /// The kubeconfig of its administrator, for programs of the test.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubectl.kubeconfig
    }

    /// Runs kubectl as its administrator, and returns its standard output.
    ///
    /// # Errors
    ///
    /// It exits with a status other than 0. The error contains its standard error.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        self.kubectl.run(arguments, None)
    }

    /// As [`kubectl`](Self::kubectl), with a text on its standard input.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn kubectl_with(&self, arguments: &[&str], input: &str) -> Result<String> {
        self.kubectl.run(arguments, Some(input))
    }

    /// Applies objects, as YAML or JSON, with strict validation: an unknown or repeated field is refused. Returns a line for each.
    ///
    /// # Errors
    ///
    /// One of them is refused, by the API server or by a webhook. The error holds why.
    pub fn apply(&self, objects: &str) -> Result<String> {
        self.kubectl_with(
            &["apply", "--server-side", "--validate=strict", "-f", "-"],
            objects,
        )
    }

    /// Asks whether objects would be applied, with all that the API server and the webhooks say to it, and gives them back as YAML, with
    /// all defaults. Their namespace must be there.
    ///
    /// # Errors
    ///
    /// One of them would be refused. The error holds why.
    pub fn dry_run(&self, objects: &str) -> Result<String> {
        let arguments = [
            "apply",
            "--server-side",
            "--validate=strict",
            "--dry-run=server",
            "-oyaml",
            "-f",
            "-",
        ];
        self.kubectl_with(&arguments, objects)
    }

    /// Like [`dry_run`](Self::dry_run), but returns why the objects are refused.
    ///
    /// # Errors
    ///
    /// They would be applied.
    pub fn refused(&self, objects: &str) -> Result<String> {
        match self.dry_run(objects) {
            Ok(taken) => bail!("it is not refused:\n{taken}"),
            Err(why) => Ok(format!("{why:#}")),
        }
    }

    /// Waits until an object (`deployment/orders`) is there, and then until it is as asked: `create` for no more than that, or what
    /// `kubectl wait --for` takes (`condition=Available`, `jsonpath={.status.readyReplicas}=1`).
    ///
    /// # Errors
    ///
    /// It is not within 90 seconds. The error holds its status.
    pub fn wait(&self, namespace: &str, object: &str, condition: &str) -> Result<()> {
        self.kubectl.wait(namespace, object, condition)
    }

    /// Tries until it succeeds, for what kubectl cannot wait for.
    ///
    /// # Errors
    ///
    /// It does not within 90 seconds. The error holds `what` it was, and why not the last time.
    pub fn until<T>(&self, what: &str, mut attempt: impl FnMut(&Self) -> Result<T>) -> Result<T> {
        kubectl::until(what, || attempt(self))
    }
}

/// The CRDs.
fn definitions(parts: &Parts, kubectl: &Kubectl) -> Result<()> {
    let folder = parts.objects().join("crds").display().to_string();
    kubectl.run(&["apply", "--server-side", "--recursive", "-f", &folder], None)?;
    let established = "--for=condition=Established";
    kubectl.run(&["wait", "crd", "--all", established, "--timeout=90s"], None)?;
    Ok(())
}
