//! A Redis server.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::cache;
use test_ports::free_ports;

use crate::process::Process;

/// A server that writes every change to its log. Its data is deleted with it.
#[derive(Debug)]
pub struct Redis {
    address: SocketAddr,
    process: Process,
    _data: tempfile::TempDir,
}

impl Redis {
    /// The password of clients.
    pub const PASSWORD: &str = "redis-of-a-test";

    /// How to start the one in the PATH, or the one that `scripts/get-redis.sh` got.
    ///
    /// # Errors
    ///
    /// There is none: a sentence that says how to get it.
    pub fn find() -> Result<Command> {
        let installed = std::env::var_os("PATH")
            .iter()
            .flat_map(std::env::split_paths)
            .map(|folder| folder.join("redis-server"))
            .find(|program| program.is_file());
        match installed {
            Some(program) => Ok(Command::new(program)),
            None => debian(&cache::folder()?.join("redis/usr")),
        }
    }

    /// Starts the one in the PATH, or the one that `scripts/get-redis.sh` got.
    ///
    /// # Errors
    ///
    /// There is none (a sentence that says how to get it), or it does not start.
    pub fn start() -> Result<Self> {
        let mut command = Self::find()?;
        let data = tempfile::tempdir().context("no temporary folder")?;
        let [port] = free_ports()?;
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .arg("--dir")
            .arg(data.path())
            .args(["--save", "", "--appendonly", "yes"])
            .args(["--requirepass", Self::PASSWORD]);
        Ok(Self {
            address: ([127, 0, 0, 1], port).into(),
            process: Process::start(command, "Ready to accept connections")?,
            _data: data,
        })
    }

    /// Where clients reach it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process, to kill, freeze and restart it. Its data is kept.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}

/// Debian's, where `scripts/get-redis.sh` unpacked it.
fn debian(usr: &std::path::Path) -> Result<Command> {
    let libraries: Option<PathBuf> = std::fs::read_dir(usr.join("lib")).ok().and_then(|mut folders| {
        folders.find_map(|folder| Some(folder.ok()?.path()).filter(|path| path.is_dir()))
    });
    let program = usr.join("bin/redis-server");
    let libraries = libraries
        .filter(|_| program.is_file())
        .context("there is no redis-server in the PATH: install it, or run scripts/get-redis.sh")?;
    let mut command = Command::new(program);
    command.env("LD_LIBRARY_PATH", libraries);
    Ok(command)
}
