//! The scheduler.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use test_ports::free_ports;

use crate::process::Process;

/// A running scheduler. Its data is deleted with it.
#[derive(Debug)]
pub struct Scheduler {
    address: SocketAddr,
    process: Process,
    data: tempfile::TempDir,
}

impl Scheduler {
    pub(crate) fn start(program: &Path) -> Result<Self> {
        let data = tempfile::tempdir().context("no temporary folder")?;
        let [port, health, etcd, peer] = free_ports()?;
        let id = "dapr-scheduler-server-0";
        let mut command = Command::new(program);
        command
            .args(["--listen-address", "127.0.0.1", "--port", &port.to_string()])
            .args(["--healthz-listen-address", "127.0.0.1"])
            .args(["--healthz-port", &health.to_string()])
            .args(["--override-broadcast-host-port", &format!("127.0.0.1:{port}")])
            .args(["--enable-metrics=false", "--id", id])
            .arg("--etcd-data-dir")
            .arg(data.path().join("etcd"))
            .args(["--etcd-client-port", &etcd.to_string()])
            .args(["--etcd-initial-cluster", &format!("{id}=http://127.0.0.1:{peer}")])
            .arg("--identity-directory-write")
            .arg(data.path().join("identity"));
        Ok(Self {
            address: ([127, 0, 0, 1], port).into(),
            process: Process::start(command, "Cron is ready")?,
            data,
        })
    }

    /// Kills it and restarts it without its data, as if its volume were lost.
    ///
    /// # Errors
    ///
    /// Its data cannot be removed, or it cannot be started.
    pub fn forget(&mut self) -> Result<()> {
        self.process.kill();
        std::fs::remove_dir_all(self.data.path().join("etcd")).context("its data stays")?;
        self.process.revive()
    }

    /// Where sidecars reach it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process, to kill, freeze and restart it. Its data is kept.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}
