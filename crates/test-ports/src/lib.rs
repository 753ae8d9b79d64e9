//! Ports of the loopback interface for programs that must be told one.
//!
//! Asking the system for port 0 and letting go of it gives a port that the system may give to the next outgoing connection of any
//! process, before the program listens: a busy machine does so now and then. These are from below the range that Linux takes for such
//! connections (`net.ipv4.ip_local_port_range`, 32768 and up), and none is given twice by one process.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

/// Above the ports that services are known by.
const RANGE: Range<u16> = 15_000..32_000;

/// How many are tried.
const TRIES: u32 = 1_000;

/// Those that this process has given away.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// Ports that no program listens on now.
///
/// # Errors
///
/// There are none.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ports = [0; N];
    for port in &mut ports {
        let found = (0..TRIES)
            .map(|_| fastrand::u16(RANGE))
            .find(|port| !given.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok());
        *port = found.with_context(|| format!("no port of {RANGE:?} is free, of {TRIES} that were tried"))?;
        given.insert(*port);
    }
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_in_range_and_given_once() -> Result<()> {
        let first: [u16; 200] = free_ports()?;
        let second: [u16; 200] = free_ports()?;
        let all: BTreeSet<u16> = first.into_iter().chain(second).collect();
        assert_eq!(all.len(), 400);
        assert!(all.iter().all(|port| RANGE.contains(port)), "{all:?}");
        Ok(())
    }
}
