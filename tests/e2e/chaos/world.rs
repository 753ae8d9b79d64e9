//! The system as processes that can be killed one by one: each service, and the sidecars, embedded or real, with all behind them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use http::Method;
use nudge::DataDir;
use nudge_contract::names::app;
use nudge_test_kit::components;
use nudge_test_kit::http::Call;
use nudge_test_kit::limits;
use serde_json::Value;
use tempfile::TempDir;
use test_dapr::{Daprd, Process, free_ports};

use crate::observer::{OBSERVER, Observer};
use crate::roles::{Beside, Embedded, READY, Role, Service};
use test_real::{API_TOKEN, APP_TOKEN, MailServer, Parts, Platform, add_secrets, blocking};

/// What the sidecars are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ours, in one process with broker, scheduler and state.
    Embedded,
    /// daprd beside Kafka, PostgreSQL (state and tasks) and Dapr's scheduler.
    Real,
}

/// A process that faults strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    Service(usize),
    Sidecar(usize),
    EmbeddedSidecars,
    Scheduler,
    Broker,
    Database,
}

/// The sidecars and what is behind them.
enum Behind {
    Embedded {
        process: Process,
        mail: MailServer,
        folder: TempDir,
    },
    // Fields end in their order.
    Real {
        sidecars: Vec<Daprd>,
        observers: Daprd,
        platform: Box<Platform>,
    },
}

pub(crate) struct World {
    services: Vec<Process>,
    pub(crate) observer: Observer,
    behind: Behind,
    pub(crate) data: DataDir,
    pub(crate) api: SocketAddr,
    /// Notification's sidecar, which knows its jobs.
    jobs: SocketAddr,
}

fn loopback(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

impl World {
    pub(crate) async fn start(kind: Kind) -> Self {
        let ports: [u16; 5] = free_ports().expect("free ports");
        let sidecars: [u16; 5] = free_ports().expect("free ports");
        let observer = Observer::start(loopback(sidecars[4])).await;
        let mut variables = BTreeMap::from([
            ("dapr_api_token".to_owned(), API_TOKEN.to_owned()),
            ("dapr_app_token".to_owned(), APP_TOKEN.to_owned()),
        ]);
        // The people here do more than people may.
        variables.extend(limits::NONE.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for (id, port) in app::ALL.iter().zip(sidecars) {
            variables.insert(
                format!("{}_sidecar", id.replace('-', "_")),
                format!("http://127.0.0.1:{port}"),
            );
        }
        let resources = |folder: &std::path::Path| {
            let folder = folder.join("observer");
            Observer::subscribe(&folder);
            folder
        };
        // The services first: a sidecar is ready when its app is.
        let start = async |folder: std::path::PathBuf, variables: BTreeMap<String, String>| {
            let mut services = Vec::new();
            for (id, port) in app::ALL.iter().zip(ports) {
                let role = Role::Service(Service {
                    app_id: (*id).to_owned(),
                    root: components::built().to_owned(),
                    listen: loopback(port),
                    folder: folder.clone(),
                    variables: variables.clone(),
                });
                services.push(blocking(move || Process::start(role.command(), READY)).await);
            }
            services
        };
        let (services, behind, data) = match kind {
            Kind::Embedded => {
                let folder = tempfile::tempdir().expect("a folder");
                let data = DataDir::open(folder.path()).expect("a data folder");
                let mail = MailServer::start(data.mail()).await;
                add_secrets(folder.path(), &mail.secrets());
                let services = start(folder.path().to_owned(), variables).await;
                let components = components::built().join("dapr-components");
                let apps = app::ALL.into_iter().chain([OBSERVER]).zip(sidecars);
                let addresses = ports[..4]
                    .iter()
                    .map(|port| loopback(*port))
                    .chain([observer.listens]);
                let role = Role::Sidecars(Embedded {
                    folder: folder.path().to_owned(),
                    resources: vec![
                        components.join("common"),
                        components.join("subscriptions"),
                        components.join("local"),
                        resources(folder.path()),
                    ],
                    apps: apps
                        .zip(addresses)
                        .map(|((id, sidecar), app)| Beside {
                            app_id: id.to_owned(),
                            sidecar: loopback(sidecar),
                            app,
                        })
                        .collect(),
                });
                let process = blocking(move || Process::start(role.command(), READY)).await;
                (
                    services,
                    Behind::Embedded {
                        process,
                        mail,
                        folder,
                    },
                    data,
                )
            }
            Kind::Real => {
                let mut platform = Platform::start(Parts::USUAL).await;
                let observed = resources(platform.folder.path());
                platform.resources.push(observed);
                let postgres = &platform.postgres;
                variables.insert("database_url".to_owned(), postgres.url().to_owned());
                variables.insert("database_host".to_owned(), postgres.host());
                let services = start(platform.folder.path().to_owned(), variables).await;
                let mut daprds = Vec::new();
                for ((id, sidecar), app) in app::ALL.iter().zip(sidecars).zip(ports) {
                    daprds.push(platform.sidecar(id, sidecar, app).await);
                }
                let observers = platform
                    .sidecar_of_a_test(OBSERVER, sidecars[4], observer.listens.port())
                    .await;
                let data = platform.data.clone();
                let behind = Behind::Real {
                    sidecars: daprds,
                    observers,
                    platform: Box::new(platform),
                };
                (services, behind, data)
            }
        };
        Self {
            services,
            observer,
            behind,
            data,
            api: loopback(ports[0]),
            jobs: loopback(sidecars[1]),
        }
    }

    pub(crate) fn is_real(&self) -> bool {
        matches!(self.behind, Behind::Real { .. })
    }

    /// What faults may strike.
    pub(crate) fn targets(&self) -> Vec<Target> {
        let mut targets: Vec<_> = (0..app::ALL.len()).map(Target::Service).collect();
        match self.behind {
            Behind::Embedded { .. } => targets.push(Target::EmbeddedSidecars),
            Behind::Real { .. } => {
                targets.extend((0..app::ALL.len()).map(Target::Sidecar));
                targets.extend([Target::Scheduler, Target::Broker, Target::Database]);
            }
        }
        targets
    }

    pub(crate) fn name(target: Target) -> String {
        let id = |index: usize| app::ALL[index];
        match target {
            Target::Service(index) => id(index).to_owned(),
            Target::Sidecar(index) => format!("the sidecar of {}", id(index)),
            Target::EmbeddedSidecars => "all sidecars".to_owned(),
            Target::Scheduler => "the scheduler".to_owned(),
            Target::Broker => "the broker".to_owned(),
            Target::Database => "the database".to_owned(),
        }
    }

    pub(crate) fn kill(&mut self, target: Target) {
        match (target, &mut self.behind) {
            (Target::Database, Behind::Real { platform, .. }) => platform.postgres.kill(),
            _ => self.process(target).kill(),
        }
    }

    /// Starts what has ended, like a supervisor does.
    pub(crate) fn revive(&mut self, target: Target) -> anyhow::Result<()> {
        match (target, &mut self.behind) {
            (Target::Database, Behind::Real { platform, .. }) => {
                if !platform.postgres.runs() {
                    platform.postgres.revive()?;
                }
            }
            _ => {
                let process = self.process(target);
                if !process.runs() {
                    process.revive()?;
                }
            }
        }
        Ok(())
    }

    /// Starts the observer's sidecar again, which is no target, but ends when its broker does.
    pub(crate) fn revive_observer(&mut self) -> anyhow::Result<()> {
        if let Behind::Real { observers, .. } = &mut self.behind {
            let process = observers.process();
            if !process.runs() {
                process.revive()?;
            }
        }
        Ok(())
    }

    /// Whether it was frozen. A database is only killed.
    pub(crate) fn freeze(&mut self, target: Target) -> bool {
        target != Target::Database && self.process(target).freeze().is_ok()
    }

    pub(crate) fn thaw(&mut self, target: Target) {
        // It may have been killed meanwhile, and started again.
        let _ = self.process(target).thaw();
    }

    fn process(&mut self, target: Target) -> &mut Process {
        match (target, &mut self.behind) {
            (Target::Service(index), _) => &mut self.services[index],
            (Target::EmbeddedSidecars, Behind::Embedded { process, .. }) => process,
            (Target::Sidecar(index), Behind::Real { sidecars, .. }) => sidecars[index].process(),
            (Target::Scheduler, Behind::Real { platform, .. }) => platform.scheduler.process(),
            (Target::Broker, Behind::Real { platform, .. }) => {
                platform.kafka.as_mut().expect("it is the broker").process()
            }
            (target, _) => panic!("there is no {target:?} here"),
        }
    }

    pub(crate) fn mail(&mut self) -> &mut MailServer {
        match &mut self.behind {
            Behind::Embedded { mail, .. } => mail,
            Behind::Real { platform, .. } => &mut platform.mail,
        }
    }

    /// Whether the scheduler has a job of that name. None if it does not say.
    pub(crate) async fn has_job(&self, name: &str) -> Option<bool> {
        let path = format!("/v1.0-alpha1/jobs/{name}");
        let call = Call::new(self.jobs, Method::GET, path).header("dapr-api-token", API_TOKEN);
        let answer = call.send().await.ok()?;
        let says = String::from_utf8_lossy(&answer.body).to_lowercase();
        match answer.status.as_u16() {
            200 => Some(true),
            _ if says.contains("not found") => Some(false),
            _ => None,
        }
    }

    /// What the api keeps of events that no consumer could handle. None if it does not say.
    pub(crate) async fn dead_letters(&self) -> Option<Value> {
        let call = Call::new(self.api, Method::GET, "/internal/dead-letters");
        let answer = call.header("dapr-api-token", APP_TOKEN).send().await.ok()?;
        (answer.status == 200).then(|| answer.json().ok()).flatten()
    }

    /// Where everything is kept, to be looked into after a failure.
    pub(crate) fn keep(self) -> std::path::PathBuf {
        match self.behind {
            Behind::Embedded { folder, .. } => folder.keep(),
            Behind::Real { platform, .. } => platform.folder.keep(),
        }
    }
}
