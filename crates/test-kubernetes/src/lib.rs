//! A real Kubernetes control plane for a test, with the Spin operator and Dapr's services of a cluster, if this machine has them:
//! `scripts/get-kubernetes.sh` builds them, `scripts/test-k8s.sh` gives them a network of their own.
//!
//! ```no_run
//! # fn test() -> anyhow::Result<()> {
//! use test_kubernetes::Cluster;
//!
//! let cluster = Cluster::start()?;
//! cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")?;
//! cluster.wait("shop", "serviceaccount/default", "create")?;
//! println!("{}", cluster.kubectl(&["-n", "shop", "get", "all"])?);
//! # Ok(()) }
//! ```
//!
//! Everything is as on a cluster but for the nodes: etcd, API server, controllers and scheduler are real, a `SpinApp` becomes a
//! Deployment and its pods get their sidecars; then kwok reports every pod as running, and every pod of a Job as finished. No
//! image is ever pulled, no probe is sent, and no process answers behind a Service.
//!
//! [`Tools`] check manifests without a cluster.
//!
//! What is started ends, by SIGKILL, when the cluster is dropped. If `NUDGE_TEST_LOGS` names a folder, logs are kept there.

mod certificates;
mod cluster;
mod control_plane;
mod dapr;
mod kubectl;
mod network;
mod nodes;
mod parts;
mod spin;
mod tools;

pub use cluster::Cluster;
pub use nodes::ZONES;
pub use parts::{DAPR, KUBERNETES, Missing, Parts, SPIN_OPERATOR, find};
pub use tools::Tools;
