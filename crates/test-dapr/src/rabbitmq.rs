//! A RabbitMQ server.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::cache;
use test_ports::free_ports;

use crate::process::Process;

/// A server of one node, whose name service is its own. Its data is deleted with it.
#[derive(Debug)]
pub struct RabbitMq {
    address: SocketAddr,
    process: Process,
    _names: Process,
    _data: tempfile::TempDir,
}

impl RabbitMq {
    /// User and password of its clients.
    const USER: &str = "nudge";

    /// Looks where `scripts/get-rabbitmq.sh` puts it.
    ///
    /// # Errors
    ///
    /// It is not there: a sentence that says how to get it.
    pub fn find() -> Result<PathBuf> {
        let folder = cache::folder()?.join("rabbitmq");
        ensure!(
            folder.is_dir(),
            "there is no RabbitMQ in {}: run scripts/get-rabbitmq.sh",
            folder.display()
        );
        Ok(folder)
    }

    /// Starts one, if `scripts/get-rabbitmq.sh` got it.
    ///
    /// # Errors
    ///
    /// It is not there, or does not start.
    pub fn start() -> Result<Self> {
        let usr = Self::find()?.join("usr");
        let server = std::fs::read_dir(usr.join("lib/rabbitmq/lib"))?
            .filter_map(|entry| Some(entry.ok()?.path().join("sbin/rabbitmq-server")))
            .find(|program| program.is_file())
            .context("there is no rabbitmq-server")?;
        let data = tempfile::tempdir().context("no temporary folder")?;
        let [port, distribution, names] = free_ports()?;
        // Erlang's name service; otherwise the server would start one that keeps running.
        let mut epmd = Command::new(usr.join("lib/erlang/bin/epmd"));
        epmd.args(["-d", "-address", "127.0.0.1", "-port", &names.to_string()]);
        let names_process = Process::start(epmd, "epmd running")?;
        let user = Self::USER;
        let file = |name: &str, text: &str| -> Result<PathBuf> {
            let path = data.path().join(name);
            std::fs::write(&path, text)?;
            Ok(path)
        };
        let settings = format!(
            "listeners.tcp.local = 127.0.0.1:{port}\ndefault_user = {user}\ndefault_pass = {user}\nlog.console = true\n"
        );
        let settings = file("rabbitmq.conf", &settings)?;
        let plugins = file("enabled_plugins", "[].\n")?;
        let mut path = OsString::from(usr.join("lib/erlang/bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(server);
        command
            .env("PATH", path)
            .env("HOME", data.path())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("ERL_EPMD_PORT", names.to_string())
            .env("RABBITMQ_NODENAME", "rabbit@localhost")
            .env("RABBITMQ_DIST_PORT", distribution.to_string())
            .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
            .env("RABBITMQ_CONFIG_FILE", settings)
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", plugins)
            .env("RABBITMQ_MNESIA_BASE", data.path().join("mnesia"))
            .env("RABBITMQ_LOG_BASE", data.path())
            .env(
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
                "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2",
            );
        Ok(Self {
            address: ([127, 0, 0, 1], port).into(),
            process: Process::start_group(command, "Server startup complete")?,
            _names: names_process,
            _data: data,
        })
    }

    /// Where clients reach it, and as whom.
    pub fn url(&self) -> String {
        format!("amqp://{0}:{0}@{1}", Self::USER, self.address)
    }

    /// The process, to kill, freeze and restart it. Its data is kept.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}
