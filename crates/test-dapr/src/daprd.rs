//! A sidecar.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use test_ports::free_ports;

use crate::process::Process;

/// How to start a sidecar.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The app's id.
    pub app_id: String,
    /// The address of its HTTP API; none: any free port.
    pub http_port: Option<u16>,
    /// Where the app listens; none for a sidecar without an app.
    pub app_port: Option<u16>,
    /// The folders of components, subscriptions and resiliency policies.
    pub resources: Vec<PathBuf>,
    /// A `Configuration`.
    pub configuration: Option<PathBuf>,
    /// The working directory, for relative paths in components; none: that of the test.
    pub working_dir: Option<PathBuf>,
    /// The scheduler, which stores the jobs.
    pub scheduler: Option<SocketAddr>,
    /// `DAPR_API_TOKEN`: the token that callers of the sidecar must send.
    pub api_token: Option<String>,
    /// `APP_API_TOKEN`: the token that the sidecar sends to the app.
    pub app_token: Option<String>,
    /// Health checks of the app; none: it counts as healthy.
    pub health: Option<AppHealth>,
    /// `--app-max-concurrency`: maximum number of concurrent calls to the app; none: no limit. Email-delivery needs 1.
    pub max_concurrency: Option<u32>,
}

/// Health checks of the app.
#[derive(Clone, Debug)]
pub struct AppHealth {
    /// The path of the health check.
    pub path: String,
    /// Seconds between two health checks.
    pub interval_s: u32,
    /// Number of failures after which it is unhealthy.
    pub threshold: u32,
    /// Timeout of a health check, in milliseconds.
    pub timeout_ms: u32,
}

/// A running sidecar.
#[derive(Debug)]
pub struct Daprd {
    address: SocketAddr,
    process: Process,
}

impl Daprd {
    pub(crate) fn start(program: &Path, options: &Options) -> Result<Self> {
        let [http, grpc, internal, metrics] = free_ports()?;
        let http = options.http_port.unwrap_or(http);
        let mut command = Command::new(program);
        command
            .env("DAPR_HOST_IP", "127.0.0.1")
            .args(["--app-id", &options.app_id, "--app-protocol", "http"])
            .args(["--dapr-listen-addresses", "127.0.0.1"])
            .args(["--dapr-http-port", &http.to_string()])
            .args(["--dapr-grpc-port", &grpc.to_string()])
            .args(["--dapr-internal-grpc-listen-address", "127.0.0.1"])
            .args(["--dapr-internal-grpc-port", &internal.to_string()])
            .args(["--metrics-listen-address", "127.0.0.1"])
            .args(["--metrics-port", &metrics.to_string()])
            .arg("--disable-builtin-k8s-secret-store");
        for folder in &options.resources {
            command.arg("--resources-path").arg(folder);
        }
        if let Some(port) = options.app_port {
            command.args(["--app-port", &port.to_string()]);
        }
        if let Some(scheduler) = options.scheduler {
            command.args(["--scheduler-host-address", &scheduler.to_string()]);
        }
        if let Some(configuration) = &options.configuration {
            command.arg("--config").arg(configuration);
        }
        if let Some(folder) = &options.working_dir {
            command.current_dir(folder);
        }
        if let Some(health) = &options.health {
            command
                .args([
                    "--enable-app-health-check",
                    "--app-health-check-path",
                    &health.path,
                ])
                .args(["--app-health-probe-interval", &health.interval_s.to_string()])
                .args(["--app-health-threshold", &health.threshold.to_string()])
                .args(["--app-health-probe-timeout", &health.timeout_ms.to_string()]);
        }
        if let Some(limit) = options.max_concurrency {
            command.args(["--app-max-concurrency", &limit.to_string()]);
        }
        for (name, value) in [
            ("DAPR_API_TOKEN", &options.api_token),
            ("APP_API_TOKEN", &options.app_token),
        ] {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        Ok(Self {
            address: ([127, 0, 0, 1], http).into(),
            process: Process::start(command, "dapr initialized")?,
        })
    }

    /// Where its HTTP API is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process, to kill, freeze and restart it. Its data is kept.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }
}
