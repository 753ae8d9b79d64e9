//! The nodes, which kwok plays, and volumes that are not mounted.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use test_dapr::Process;

use crate::kubectl::Kubectl;
use crate::network::{NODE, PODS};
use crate::parts::{Parts, command};

/// The zones, with a node in each: what `topology.kubernetes.io/zone` of the nodes says.
pub const ZONES: [&str; 3] = ["zone-a", "zone-b", "zone-c"];

/// Starts it, and makes the nodes.
pub(crate) fn start(parts: &Parts, kubectl: &Kubectl, folder: &Path) -> Result<Process> {
    let mut kwok = command(&parts.program("kwok"), folder);
    kwok.arg("--kubeconfig")
        .arg(&kubectl.kubeconfig)
        .args(["--manage-all-nodes=true", "--node-lease-duration-seconds=0"])
        .arg(format!("--cidr={PODS}"))
        .arg(format!("--node-ip={NODE}"));
    let process = Process::start(kwok, "Watch all nodes")?;
    let mut nodes = String::new();
    for zone in ZONES {
        let name = format!("node-{zone}");
        writeln!(
            nodes,
            "---\n{{apiVersion: v1, kind: Node, metadata: {{name: {name}, labels: {{kubernetes.io/os: linux, \
             kubernetes.io/arch: amd64, kubernetes.io/hostname: {name}, topology.kubernetes.io/zone: {zone}}}}}}}"
        )?;
    }
    kubectl.run(&["apply", "--server-side", "-f", "-"], Some(&nodes))?;
    for zone in ZONES {
        kubectl.wait("default", &format!("node/node-{zone}"), "condition=Ready")?;
    }
    Ok(process)
}

/// Volumes of a storage class.
const VOLUMES: usize = 12;

/// Makes a storage class and volumes that its claims are bound to. Claims that name no class get the default one.
pub(crate) fn storage(kubectl: &Kubectl, class: &str, default: bool) -> Result<()> {
    let mut objects = format!(
        "{{apiVersion: storage.k8s.io/v1, kind: StorageClass, provisioner: kubernetes.io/no-provisioner, metadata: \
         {{name: {class}, annotations: {{storageclass.kubernetes.io/is-default-class: \"{default}\"}}}}}}\n"
    );
    for number in 0..VOLUMES {
        writeln!(
            objects,
            "---\n{{apiVersion: v1, kind: PersistentVolume, metadata: {{name: {class}-{number}}}, spec: \
             {{storageClassName: {class}, capacity: {{storage: 1Ti}}, accessModes: [ReadWriteOnce], \
             hostPath: {{path: /nowhere}}}}}}"
        )?;
    }
    kubectl.run(&["apply", "--server-side", "-f", "-"], Some(&objects))?;
    Ok(())
}
