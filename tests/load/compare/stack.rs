//! A running subject of the comparison: services, sidecars, and the parts that they need.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use http::Method;
use jiff::Timestamp;
use nudge::{TokenRequest, mint};
use nudge_contract::names::app;
use nudge_test_kit::http::Call;
use nudge_test_kit::limits;
use test_dapr::{Daprd, Process, free_ports};

use test_real::{API_TOKEN, APP_TOKEN, Parts, Platform};

/// Timeout for the services to become ready.
const PATIENCE: Duration = Duration::from_secs(60);

/// Number of users whose tasks are created; each client has one.
pub(crate) const USERS: u32 = 16;

/// The subjects of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Subject {
    /// The components on the spin host, one process each.
    Nudge,
    /// The components on the spin host, all in one process.
    NudgeInOne,
    /// Another build of the spin host and of the components, one process each, to measure before and after in one run.
    NudgeBefore,
    /// The components on Spin, which the variable SPIN names, one process each.
    Spin,
    /// The same source without WebAssembly, one process each.
    Native,
    /// The same source without WebAssembly, all in one process.
    NativeInOne,
    /// FastAPI, uvicorn, httpx and asyncpg, one process each.
    Python,
}

impl Subject {
    /// Whether the four services run in one process.
    pub(crate) fn is_one_process(self) -> bool {
        matches!(self, Self::NudgeInOne | Self::NativeInOne)
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nudge => "nudge",
            Self::NudgeInOne => "nudge, one process",
            Self::NudgeBefore => "nudge, before",
            Self::Spin => "nudge on Spin",
            Self::Native => "native",
            Self::NativeInOne => "native, one process",
            Self::Python => "python",
        })
    }
}

/// The paths of the programs.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub(crate) spin_host: PathBuf,
    /// A folder with another `spin-host`, `spin.toml`, and the components at the paths in it.
    pub(crate) before: PathBuf,
    pub(crate) native: PathBuf,
    pub(crate) python: PathBuf,
}

/// A service of the stack.
struct Service {
    process: Process,
    address: SocketAddr,
}

/// All running parts. Fields are dropped in order: clients before their servers.
pub(crate) struct Stack {
    /// In the order of [`app::ALL`], or a single one with all of them.
    services: Vec<Service>,
    daprds: Vec<Daprd>,
    pub(crate) platform: Platform,
    tokens: Vec<String>,
    told: Told,
    batches: bool,
}

/// Gives the sidecars the subscriptions of the subject. Returns whether they deliver batches.
///
/// Python takes single events. An earlier build may have a folder `subscriptions` of its own beside its `spin.toml`.
fn subscribe(platform: &mut Platform, subject: Subject, programs: &Programs) -> Result<bool> {
    let current = platform.resources.iter_mut();
    let current = current
        .into_iter()
        .find(|folder| folder.ends_with("subscriptions"));
    let current = current.context("no folder of subscriptions")?;
    let own = match subject {
        Subject::NudgeBefore => Some(programs.before.join("subscriptions")).filter(|folder| folder.is_dir()),
        _ => None,
    };
    let file = own.as_ref().unwrap_or(current).join("subscriptions.yaml");
    let mut text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    if subject == Subject::Python {
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("bulkSubscribe"));
        text = lines.collect::<Vec<_>>().join("\n");
    }
    let folder = platform.folder.path().join("subscriptions");
    std::fs::create_dir(&folder)?;
    std::fs::write(folder.join("subscriptions.yaml"), &text)?;
    *current = folder;
    Ok(text.contains("bulkSubscribe"))
}

/// The index in [`app::ALL`].
fn place(app: &str) -> Result<usize> {
    let place = app::ALL.iter().position(|other| *other == app);
    place.with_context(|| format!("there is no app {app}"))
}

/// The configuration of the processes.
struct Told {
    subject: Subject,
    programs: Programs,
    root: PathBuf,
    /// The ports of the sidecars, in the order of [`app::ALL`].
    ports: [u16; 4],
    database_url: String,
    database_host: String,
    folder: PathBuf,
}

impl Stack {
    pub(crate) async fn start(
        subject: Subject,
        parts: Parts,
        programs: &Programs,
        root: &Path,
    ) -> Result<Self> {
        let mut platform = Platform::start(parts).await;
        let batches = subscribe(&mut platform, subject, programs)?;
        let ports: [u16; 4] = free_ports()?;
        let told = Told {
            subject,
            programs: programs.clone(),
            root: root.to_owned(),
            ports,
            database_url: platform.postgres.url().to_owned(),
            database_host: platform.postgres.host(),
            folder: platform.folder.path().to_owned(),
        };
        let groups: Vec<&[&str]> = match subject.is_one_process() {
            true => vec![&app::ALL],
            false => app::ALL.chunks(1).collect(),
        };
        let mut services = Vec::new();
        for apps in groups {
            let [port] = free_ports()?;
            let (command, ready) = told.command(apps, port)?;
            services.push(Service {
                process: tokio::task::block_in_place(|| Process::start_group(command, ready))?,
                address: ([127, 0, 0, 1], port).into(),
            });
        }
        let mut daprds = Vec::new();
        for (number, (app, port)) in app::ALL.into_iter().zip(ports).enumerate() {
            let service = services.get(number).or(services.first()).context("no service")?;
            daprds.push(platform.sidecar(app, port, service.address.port()).await);
        }
        let tokens = (0..USERS).map(|number| {
            let request = TokenRequest {
                user: format!("user-{number}"),
                email: Some(format!("user-{number}@example.com")),
                time_zone: Some("Europe/Berlin".to_owned()),
                hours: 24,
            };
            mint(&platform.data, &request, Timestamp::now().as_second())
        });
        let stack = Self {
            tokens: tokens.collect::<Result<_>>()?,
            services,
            daprds,
            platform,
            told,
            batches,
        };
        stack.ready().await?;
        Ok(stack)
    }

    async fn ready(&self) -> Result<()> {
        let api = self.api()?;
        let ready = async {
            let mut looks = tokio::time::interval(Duration::from_millis(50));
            loop {
                looks.tick().await;
                let call = Call::new(api, Method::GET, "/health/ready");
                if call.send().await.is_ok_and(|answer| answer.status == 200) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, ready)
            .await
            .context("the api does not become ready")
    }

    /// The address of a service.
    pub(crate) fn service(&self, app: &str) -> Result<SocketAddr> {
        let own = self.services.get(place(app)?);
        let service = own.or(self.services.first()).context("no service")?;
        Ok(service.address)
    }

    /// The address of the api.
    pub(crate) fn api(&self) -> Result<SocketAddr> {
        self.service(app::API)
    }

    /// A request of a user.
    pub(crate) fn call(&self, user: u32, method: Method, path: &str) -> Result<Call> {
        let token = self.tokens.get((user % USERS) as usize).context("no such user")?;
        Ok(Call::new(self.api()?, method, path).bearer(token))
    }

    /// Starts one more api and stops it; returns the time from the start of the process to its first response.
    pub(crate) async fn cold_start(&self) -> Result<Duration> {
        let [port] = free_ports()?;
        let (command, _) = self.told.command(&[app::API], port)?;
        let begun = Instant::now();
        let process = Process::launch_group(command)?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let answered = async {
            let mut looks = tokio::time::interval(Duration::from_millis(1));
            looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                looks.tick().await;
                let call = Call::new(address, Method::GET, "/health/live");
                if call.send().await.is_ok_and(|answer| answer.status == 200) {
                    return begun.elapsed();
                }
            }
        };
        let time = tokio::time::timeout(PATIENCE, answered).await;
        tokio::task::block_in_place(|| drop(process));
        time.context("one more api does not answer")
    }

    /// Whether the sidecars deliver batches.
    pub(crate) fn takes_batches(&self) -> bool {
        self.batches
    }

    /// The subject.
    pub(crate) fn subject(&self) -> Subject {
        self.told.subject
    }

    /// A connection to the database, which is closed with its client.
    pub(crate) async fn database(&self) -> Result<tokio_postgres::Client> {
        let (client, connection) =
            tokio_postgres::connect(self.platform.postgres.url(), tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }

    /// The process of each service. On Spin its child does the work.
    pub(crate) fn processes(&self) -> Vec<u32> {
        self.services.iter().map(|service| service.process.id()).collect()
    }

    /// The process of each sidecar.
    pub(crate) fn sidecars(&mut self) -> Vec<u32> {
        self.daprds.iter_mut().map(|daprd| daprd.process().id()).collect()
    }

    /// The sidecar of the api.
    pub(crate) fn sidecar(&self) -> Result<SocketAddr> {
        Ok(self.daprds.first().context("no sidecar")?.address())
    }
}

impl Told {
    /// The command that starts the process of these apps, and the log message that shows that it serves.
    fn command(&self, apps: &[&str], port: u16) -> Result<(Command, &'static str)> {
        let programs = &self.programs;
        let before = programs.before.join("spin-host");
        let (program, from) = match self.subject {
            Subject::Nudge | Subject::NudgeInOne => (&programs.spin_host, &self.root),
            Subject::NudgeBefore => (&before, &programs.before),
            Subject::Native | Subject::NativeInOne => (&programs.native, &self.root),
            Subject::Spin => return Ok((self.spin(apps, port)?, "Available Routes")),
            Subject::Python => return Ok((self.python(apps, port)?, "Uvicorn running on")),
        };
        Ok((self.components(program, from, apps, port), "serving http://"))
    }

    /// The variables of spin.toml.
    fn variables(&self) -> Vec<(String, String)> {
        let mut variables = vec![
            ("dapr_api_token".to_owned(), API_TOKEN.to_owned()),
            ("dapr_app_token".to_owned(), APP_TOKEN.to_owned()),
            ("database_url".to_owned(), self.database_url.clone()),
            ("database_host".to_owned(), self.database_host.clone()),
        ];
        for (id, port) in app::ALL.iter().zip(self.ports) {
            let name = format!("{}_sidecar", id.replace('-', "_"));
            variables.push((name, format!("http://127.0.0.1:{port}")));
        }
        variables
    }

    /// The part of the command that Spin, the spin host and the native peer share.
    fn up(&self, program: &Path, from: &Path, apps: &[&str], port: u16) -> Command {
        let mut command = Command::new(program);
        command
            .args(["up", "--from"])
            .arg(from.join("spin.toml"))
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .arg("--state-dir")
            .arg(&self.folder);
        for app in apps {
            command.args(["-c", app]);
        }
        command
    }

    fn components(&self, program: &Path, from: &Path, apps: &[&str], port: u16) -> Command {
        let mut command = self.up(program, from, apps, port);
        command.arg("--cache-dir").arg(self.root.join("target/compiled"));
        // A build from before may not have them all.
        let manifest = std::fs::read_to_string(from.join("spin.toml")).unwrap_or_default();
        let unlimited = limits::NONE
            .into_iter()
            .filter(|(name, _)| manifest.contains(&format!("\n{name} = ")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        for (name, value) in self.variables().into_iter().chain(unlimited) {
            command.arg("--variable").arg(format!("{name}={value}"));
        }
        command
    }

    fn spin(&self, apps: &[&str], port: u16) -> Result<Command> {
        let program = std::env::var_os("SPIN").context("set SPIN to the program of Spin 4.1 or later")?;
        // Spin sends some heads before their body; on a pooled connection the body then waits for an acknowledgement (decision 0029).
        let runtime = self.folder.join("runtime-config.toml");
        std::fs::write(&runtime, "[outbound_http]\nconnection_pooling = false\n")?;
        let mut command = self.up(Path::new(&program), &self.root, apps, port);
        command
            .env("SPIN_WASMTIME_POOLING", "0")
            .arg("--runtime-config-file")
            .arg(runtime);
        for (name, value) in self.variables() {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        for (name, value) in limits::NONE {
            command.env(format!("SPIN_VARIABLE_{}", name.to_uppercase()), value);
        }
        Ok(command)
    }

    fn python(&self, apps: &[&str], port: u16) -> Result<Command> {
        let [app] = apps else {
            anyhow::bail!("the services of the python stack are a process each");
        };
        let sidecar = self.ports.get(place(app)?).context("no such sidecar")?;
        let mut command = Command::new(&self.programs.python);
        command
            .current_dir(self.root.join("tests/load/peers/python"))
            .env("DATABASE_URL", &self.database_url)
            .env("DAPR_HTTP_ENDPOINT", format!("http://127.0.0.1:{sidecar}"))
            .env("DAPR_API_TOKEN", API_TOKEN)
            .env("APP_API_TOKEN", APP_TOKEN)
            .args(["-m", "uvicorn", &format!("seed.{}:app", app.replace('-', "_"))])
            .args([
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--no-access-log",
            ]);
        Ok(command)
    }
}

impl Programs {
    /// Fails if a program that the subject needs is missing.
    pub(crate) fn check(&self, subject: Subject) -> Result<()> {
        let before = self.before.join("spin-host");
        let (program, how) = match subject {
            Subject::Nudge | Subject::NudgeInOne => {
                (&self.spin_host, "cargo build --profile native -p spin-host")
            }
            Subject::NudgeBefore => (&before, "name a folder with --before"),
            Subject::Native | Subject::NativeInOne => (&self.native, "scripts/bench.sh builds it"),
            Subject::Python => (&self.python, "scripts/bench.sh makes it"),
            Subject::Spin => return std::env::var_os("SPIN").map(|_| ()).context("SPIN is not set"),
        };
        ensure!(program.is_file(), "there is no {}: {how}", program.display());
        Ok(())
    }
}
