//! The programs of a cluster, and their paths.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::network;

/// The version of the control plane.
pub const KUBERNETES: &str = "1.34.3";

/// The version of Dapr's services.
pub const DAPR: &str = "1.16.0";

/// The version of the Spin operator.
pub const SPIN_OPERATOR: &str = "0.6.1";

/// All programs, and the folder of the objects that they need.
const NEEDED: [&str; 12] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubectl",
    "etcd",
    "kwok",
    "spin-operator",
    "dapr-injector",
    "dapr-sentry",
    "dapr-operator",
    "helm",
    "objects",
];

/// Why no cluster can be started here. Each says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    /// There is no folder that could hold the parts.
    #[error("neither NUDGE_CACHE nor HOME is set")]
    Cache,
    /// A program, or the objects.
    #[error("there is no {part} of Kubernetes {KUBERNETES} in {folder}: run scripts/get-kubernetes.sh")]
    Part {
        /// Its name.
        part: &'static str,
        /// Where it is looked for.
        folder: String,
    },
    /// A tool that checks manifests, or the schemas.
    #[error("there is no {tool} in {folder}: run scripts/get-kubernetes-tools.sh")]
    Tool {
        /// Its name.
        tool: &'static str,
        /// Where it is looked for.
        folder: String,
    },
    /// This process is not in a network of its own.
    #[error("a cluster needs a network of its own ({0}): run scripts/test-k8s.sh, as root")]
    Network(&'static str),
}

/// Where the parts are.
#[derive(Clone, Debug)]
pub struct Parts {
    folder: PathBuf,
}

/// Looks for all that a cluster needs: the parts where `scripts/get-kubernetes.sh` puts them (`$NUDGE_CACHE`, else
/// `~/.cache/nudge`), and the network that `scripts/test-k8s.sh` makes.
///
/// # Errors
///
/// The first thing that is missing.
pub fn find() -> Result<Parts, Missing> {
    let folder = cache()?.join(format!("kubernetes-{KUBERNETES}"));
    if let Some(part) = NEEDED.into_iter().find(|part| !folder.join(part).exists()) {
        let folder = folder.display().to_string();
        return Err(Missing::Part { part, folder });
    }
    network::check()?;
    Ok(Parts { folder })
}

pub(crate) fn cache() -> Result<PathBuf, Missing> {
    test_dapr::cache().map_err(|_| Missing::Cache)
}

impl Parts {
    /// The folder of all programs, for the `PATH` of scripts.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program: `kubectl`, `helm`, …
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// CRDs in `crds/`, the Spin operator's roles and webhooks in `spin-operator/`, Dapr's chart in `dapr/`.
    pub fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }
}

/// To start a program with nothing of this process's environment but its path, so that no proxy and no kubeconfig of the machine
/// plays a part. `home` is where it may write.
pub(crate) fn command(program: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .current_dir(home);
    command
}
