//! The processes that are killed: this program once more, in a role.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use dapr_sidecar::{App, AppHealth, Options, Sidecars};
use nudge_contract::names::{app, route};
use serde::{Deserialize, Serialize};
use spin_host::{Host, Manifest};
use step_clock::Clock;
use tracing_subscriber::EnvFilter;

use test_real::{API_TOKEN, APP_TOKEN};

/// The argument before a role.
pub(crate) const ROLE: &str = "--role";

/// What a process says when it plays its role.
pub(crate) const READY: &str = "the role is played";

/// What a process is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Role {
    /// One service on the host, as a pod has it.
    Service(Service),
    /// The embedded sidecars of all apps: broker, scheduler, state and all.
    Sidecars(Embedded),
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Service {
    pub(crate) app_id: String,
    /// Where the components are.
    pub(crate) root: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) folder: PathBuf,
    pub(crate) variables: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Embedded {
    pub(crate) folder: PathBuf,
    pub(crate) resources: Vec<PathBuf>,
    pub(crate) apps: Vec<Beside>,
}

/// A sidecar and its app.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Beside {
    pub(crate) app_id: String,
    pub(crate) sidecar: SocketAddr,
    pub(crate) app: SocketAddr,
}

impl Role {
    /// How to start a process in this role.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("a program has a file"));
        let role = serde_json::to_string(self).expect("a role is JSON");
        command.arg(ROLE).arg(role);
        command
    }
}

/// Plays a role until the process is killed.
pub(crate) fn play(role: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let role: Role = serde_json::from_str(role).expect("a role");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        match role {
            Role::Service(service) => {
                let _host = service.start().await.expect("the service starts").start();
                println!("{READY}");
                std::future::pending().await
            }
            Role::Sidecars(embedded) => {
                let _sidecars = embedded.start().await;
                println!("{READY}");
                std::future::pending().await
            }
        }
    })
}

impl Service {
    async fn start(self) -> anyhow::Result<Host> {
        let manifest = Manifest::load(self.root.join("spin.toml"))?;
        let mut builder = Host::builder(manifest)
            .components([self.app_id])
            .listen(self.listen)
            .state_dir(self.folder)
            .cache_dir(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled"));
        for (name, value) in self.variables {
            builder = builder.variable(name, value);
        }
        Ok(builder.build().await?)
    }
}

impl Embedded {
    async fn start(self) -> Sidecars {
        let apps = self.apps.iter().map(|beside| App {
            listen: beside.sidecar,
            api_token: Some(API_TOKEN.to_owned()),
            app_token: Some(APP_TOKEN.to_owned()),
            health: app::ALL.contains(&beside.app_id.as_str()).then(|| AppHealth {
                path: route::health_of(&beside.app_id).to_owned(),
                interval: Duration::from_secs(1),
                threshold: 3,
                timeout: Duration::from_secs(5),
            }),
            max_concurrency: app::max_concurrency(&beside.app_id).map(|limit| limit as usize),
            ..App::new(&beside.app_id)
        });
        let mut sidecars = Sidecars::bind(Options {
            data: self.folder.join("dapr.db"),
            synchronous: dapr_sidecar::Synchronous::Full,
            working_dir: self.folder,
            resources: self.resources,
            clock: Clock::system(),
            await_clock: Clock::system(),
            apps: apps.collect(),
        })
        .await
        .expect("the sidecars start");
        let url = |address: SocketAddr| format!("http://{address}").parse().expect("an address");
        let urls = self
            .apps
            .into_iter()
            .map(|beside| (beside.app_id, url(beside.app)));
        sidecars.serve(urls.collect());
        sidecars
    }
}
