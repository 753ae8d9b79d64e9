//! The network of a cluster, which `scripts/test-k8s.sh` makes: loopback with two things more, and a `/run` of its own.
//!
//! The script makes one for each run, so programs can listen on their usual ports, some of which their charts fix: only a
//! second cluster of the same run could hold them.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use crate::parts::Missing;

/// Where webhooks are reached: the API server takes no endpoint in 127.0.0.0/8. It is from a range for documentation, which no machine has.
pub(crate) const NODE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// The addresses of pods. All lead to this machine, so that a Service of Dapr's reaches the process that plays its pod.
pub(crate) const PODS: &str = "10.244.0.0/16";

/// One of them.
const POD: Ipv4Addr = Ipv4Addr::new(10, 244, 0, 1);

/// The addresses of Services. Nothing routes them: the API server asks for the endpoints.
pub(crate) const SERVICES: &str = "10.96.0.0/16";

/// A folder in memory that the script makes. A cluster keeps its files there, and writes what Dapr looks for.
pub(crate) const RUN: &str = "/run";

/// Is in the `/run` of the script alone.
const MARK: &str = "/run/nudge-test-k8s";

/// How long a connection to itself may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether this process is in such a network, and may change users.
pub(crate) fn check() -> Result<(), Missing> {
    if !Path::new(MARK).exists() {
        return Err(Missing::Network("this process is in the machine's"));
    }
    if ![NODE, POD].into_iter().all(reached) {
        return Err(Missing::Network("its addresses are missing"));
    }
    Ok(())
}

/// Whether a listener at this address can be reached. If the network is down, any process can listen.
fn reached(own: Ipv4Addr) -> bool {
    let listener = TcpListener::bind((own, 0));
    let address = listener.and_then(|listener| Ok((listener.local_addr()?, listener)));
    address.is_ok_and(|(address, _listening)| TcpStream::connect_timeout(&address, PATIENCE).is_ok())
}
