//! The host: from a manifest to a server.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::HeaderName;
use step_clock::Clock;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use wasmtime::{Config, Engine};

use crate::allowed_hosts::{AllowedHostError, AllowedHosts};
use crate::clock::Ticker;
use crate::component::{Configuration, LoadedComponent};
use crate::compose::{ComposeError, Part, compose};
use crate::dependency::DependencyName;
use crate::extension::Extension;
use crate::files::{FilesError, assemble};
use crate::http_client::HttpClient;
use crate::instances::ComponentInstances;
use crate::limits::Limits;
use crate::manifest::{Component, Manifest};
use crate::postgres::Pools;
use crate::routes::{RouteError, Router};
use crate::server::{Reserve, Server};
use crate::sqlite::{Access, Databases};
use crate::variables::{Values, VariableError, environment_name, set_unless_given};

/// Why an application cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// A variable has no value, or a value has no variable.
    #[error(transparent)]
    Variable(#[from] VariableError),
    /// A route is invalid.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// A selected component is not in the manifest, or a requested one was not selected.
    #[error("there is no component {id:?}; the components are {}", known.join(", "))]
    UnknownComponent {
        /// The requested component.
        id: String,
        /// The available components.
        known: Vec<String>,
    },
    /// One component cannot be loaded.
    #[error("component {id:?}")]
    Component {
        /// The component's id.
        id: String,
        /// The reason.
        source: ComponentError,
    },
    /// The engine cannot be started.
    #[error("the WebAssembly engine cannot be started: {0}")]
    Engine(String),
    /// The host cannot listen on the address.
    #[error("cannot listen on {address}: choose another address with --listen (port 0 selects a free one)")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The operating system's error.
        source: std::io::Error,
    },
}

/// Why a component cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum ComponentError {
    /// A template in its variables or hosts is invalid.
    #[error(transparent)]
    Variable(#[from] VariableError),
    /// An entry of `allowed_outbound_hosts` is invalid.
    #[error(transparent)]
    AllowedHost(#[from] AllowedHostError),
    /// An entry of `files` is invalid.
    #[error("its files")]
    Files(#[from] FilesError),
    /// Its source, or a dependency's, cannot be read.
    #[error("{} cannot be read; has it been built?", path.display())]
    Source {
        /// The file.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// It cannot be composed with its dependencies.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// It does not compile, or imports an interface that this host does not provide. The text names the import.
    #[error("cannot be loaded: {0}")]
    Load(String),
    /// A trigger names it, but it exports no HTTP handler.
    #[error("has a route, but does not export wasi:http/handler@0.3: {0}")]
    NotHttp(String),
}

/// Settings of a [`Host`].
pub struct HostBuilder {
    manifest: Manifest,
    address: SocketAddr,
    state_dir: Option<PathBuf>,
    cache_dir: Option<PathBuf>,
    variables: BTreeMap<String, String>,
    own_address: Option<String>,
    components: Option<BTreeSet<String>>,
    clock: Clock,
    limits: Limits,
    reserves: Vec<Reserve>,
    extensions: Vec<Arc<dyn Extension>>,
}

/// An application that is ready to serve.
pub struct Host {
    listener: TcpListener,
    address: SocketAddr,
    components: BTreeMap<String, Arc<LoadedComponent>>,
    server: Arc<Server>,
    draining: watch::Sender<bool>,
    limits: Limits,
    _ticker: Ticker,
}

/// A host that serves in the background. Dropping it stops it without waiting.
pub struct RunningHost {
    address: SocketAddr,
    components: BTreeMap<String, Arc<LoadedComponent>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Host {
    /// Starts from a manifest, with Spin's defaults: it listens on 127.0.0.1:3000, and the state is in `.spin` next to the
    /// manifest.
    pub fn builder(manifest: Manifest) -> HostBuilder {
        HostBuilder {
            manifest,
            address: SocketAddr::from(([127, 0, 0, 1], 3000)),
            state_dir: None,
            cache_dir: None,
            variables: BTreeMap::new(),
            own_address: None,
            components: None,
            clock: Clock::system(),
            limits: Limits::default(),
            reserves: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// The address on which the host listens; its port is never 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The routes that are served, each with its component.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.server
            .router
            .routes()
            .filter(|(_, component)| self.server.instances.contains_key(*component))
    }

    /// A component, to instantiate it and call its exports.
    pub fn component(&self, id: &str) -> Result<&LoadedComponent, HostError> {
        find(&self.components, id)
    }

    /// Serves until `shutdown` is ready. Then it accepts no more connections, and requests and tasks in flight have
    /// [`Limits::shutdown`] to finish.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) {
        let Self {
            listener,
            server,
            draining,
            limits,
            _ticker,
            ..
        } = self;
        let answering = server.clone();
        let serving = bounded_http::serve(listener, limits.http, shutdown, move |request, client| {
            answering.clone().answer(request, client)
        })
        .await;
        let drained = async {
            serving.ended().await;
            draining.send_replace(true);
            for instances in server.instances.values() {
                instances.ended().await;
            }
        };
        if tokio::time::timeout(limits.shutdown, drained).await.is_err() {
            tracing::warn!("shut down with requests or tasks in flight");
        }
    }

    /// Serves in the background.
    pub fn start(self) -> RunningHost {
        let (stop, stopped) = oneshot::channel();
        RunningHost {
            address: self.address,
            components: self.components.clone(),
            stop,
            task: tokio::spawn(self.serve(async {
                let _ = stopped.await;
            })),
        }
    }
}

impl RunningHost {
    /// The address that is served.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// A component, to instantiate it and call its exports.
    pub fn component(&self, id: &str) -> Result<&LoadedComponent, HostError> {
        find(&self.components, id)
    }

    /// Stops accepting, lets requests and tasks finish within [`Limits::shutdown`], and returns when everything has ended.
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the server panicked");
        }
    }
}

fn find<'a>(
    components: &'a BTreeMap<String, Arc<LoadedComponent>>,
    id: &str,
) -> Result<&'a LoadedComponent, HostError> {
    components
        .get(id)
        .map(|component| &**component)
        .ok_or_else(|| unknown(id, components.keys()))
}

fn unknown<'a>(id: &str, known: impl Iterator<Item = &'a String>) -> HostError {
    HostError::UnknownComponent {
        id: id.to_owned(),
        known: known.cloned().collect(),
    }
}

impl HostBuilder {
    /// The address to listen on. Port 0 selects a free port.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.address = address;
        self
    }

    /// The folder for databases.
    pub fn state_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(folder.into());
        self
    }

    /// A folder that caches compiled components for the next start. Without it, each start compiles them. Its content is executed,
    /// so only trusted users must have write access.
    pub fn cache_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(folder.into());
        self
    }

    /// Sets a variable of the application. It takes precedence over `SPIN_VARIABLE_<NAME>`, which takes precedence over the default.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Loads only these components; routes of the others return 404. By default, all components with a route are loaded.
    pub fn components<T: Into<String>>(mut self, ids: impl IntoIterator<Item = T>) -> Self {
        self.components = Some(ids.into_iter().map(Into::into).collect());
        self
    }

    /// The clock that the guests see.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Adds interfaces that the embedding program implements.
    pub fn extension(mut self, extension: Arc<dyn Extension>) -> Self {
        self.extensions.push(extension);
        self
    }

    /// Sets limits other than the default ones.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Reserves [`Limits::reserved`] instances per component, and
    /// [`reserved_connections`](bounded_http::Limits::reserved_connections), for requests whose `header` has the value `secret`: the
    /// requests of the system itself, which are served while those of others take up everything else. Each call adds a secret.
    pub fn reserve(mut self, header: HeaderName, secret: impl Into<String>) -> Self {
        self.reserves.push(Reserve::new(header, secret.into()));
        self
    }

    /// Sets a variable of the application to the address of the host, such as `http://127.0.0.1:3000`, whichever port that is. If the
    /// host listens on all addresses, it is the one of this machine. A value of [`variable`](Self::variable) or of `SPIN_VARIABLE_<NAME>`
    /// takes precedence, unless it is empty.
    pub fn own_address(mut self, variable: impl Into<String>) -> Self {
        self.own_address = Some(variable.into());
        self
    }

    /// Binds the address, and composes, compiles and links the components.
    pub async fn build(mut self) -> Result<Host, HostError> {
        let listen = |source| HostError::Listen {
            address: self.address,
            source,
        };
        let listener = TcpListener::bind(self.address).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        if let Some(variable) = self.own_address.take() {
            let mut own = address;
            if own.ip().is_unspecified() {
                own.set_ip(Ipv4Addr::LOCALHOST.into());
            }
            let environment = std::env::var(environment_name(&variable)).ok();
            set_unless_given(
                &mut self.variables,
                environment,
                variable,
                format!("http://{own}"),
            );
        }
        let values = Values::resolve(self.manifest.variables(), &self.variables, |name| {
            std::env::var(name).ok()
        })?;
        let router = Router::new(self.manifest.triggers())?;
        let engine = engine()?;
        let ticker = Ticker::start(&engine).map_err(|error| HostError::Engine(error.to_string()))?;

        let state_dir = self
            .state_dir
            .clone()
            .unwrap_or_else(|| self.manifest.folder().join(".spin"));
        let shared = Shared {
            http_client: Arc::default(),
            sqlite: Arc::new(Databases::new(state_dir)),
            postgres: Arc::default(),
        };
        let mut components = BTreeMap::new();
        for id in self.selected()? {
            let in_component = |source| HostError::Component {
                id: id.clone(),
                source,
            };
            let component = self
                .load(&engine, &id, &values, &shared)
                .await
                .map_err(in_component)?;
            components.insert(id, Arc::new(component));
        }

        let (draining, drains) = watch::channel(false);
        let mut instances = HashMap::new();
        for (_, id) in router.routes() {
            if let (Some(component), false) = (components.get(id), instances.contains_key(id)) {
                let reserved = if self.reserves.is_empty() {
                    0
                } else {
                    self.limits.reserved
                };
                let ready = ComponentInstances::new(component, reserved, &drains).map_err(|error| {
                    let source = ComponentError::NotHttp(format!("{error:#}"));
                    HostError::Component {
                        id: id.to_owned(),
                        source,
                    }
                })?;
                instances.insert(id.to_owned(), ready);
            }
        }
        let application = self.manifest.application().clone();
        Ok(Host {
            listener,
            address,
            components,
            server: Arc::new(Server {
                application,
                router,
                instances,
                reserves: self.reserves,
            }),
            draining,
            limits: self.limits,
            _ticker: ticker,
        })
    }

    fn selected(&self) -> Result<BTreeSet<String>, HostError> {
        match &self.components {
            None => Ok(self
                .manifest
                .triggers()
                .iter()
                .map(|trigger| trigger.component.clone())
                .collect()),
            Some(ids) => {
                let known = self.manifest.components();
                match ids.iter().find(|id| !known.contains_key(*id)) {
                    Some(id) => Err(unknown(id, known.keys())),
                    None => Ok(ids.clone()),
                }
            }
        }
    }

    async fn load(
        &self,
        engine: &Engine,
        id: &str,
        values: &Values,
        shared: &Shared,
    ) -> Result<LoadedComponent, ComponentError> {
        let Some(component) = self.manifest.components().get(id) else {
            return Err(ComponentError::Load("is not in the manifest".into()));
        };
        let hosts = component
            .allowed_outbound_hosts
            .iter()
            .map(|host| values.expand(host));
        let configuration = Configuration {
            environment: component.environment.clone().into_iter().collect(),
            variables: Arc::new(values.expand_all(&component.variables)?),
            allowed_hosts: Arc::new(AllowedHosts::parse(hosts.collect::<Result<Vec<_>, _>>()?)?),
            http_client: shared.http_client.clone(),
            sqlite: Access {
                allowed: component.sqlite_databases.clone().into(),
                databases: shared.sqlite.clone(),
            },
            postgres: shared.postgres.clone(),
            files: assemble(self.manifest.folder(), &component.files)?,
            clock: self.clock.clone(),
            limits: self.limits.clone(),
            extensions: self.extensions.clone(),
        };
        let wasm = self.read(&component.source).await?;
        let parts = self.parts(component).await?;
        let (engine, id, cache_dir) = (engine.clone(), id.to_owned(), self.cache_dir.clone());
        let load = move || {
            let wasm = compose(&id, wasm, parts)?;
            LoadedComponent::new(&engine, &id, &wasm, cache_dir.as_deref(), configuration)
                .map_err(|error| ComponentError::Load(format!("{error:#}")))
        };
        tokio::task::spawn_blocking(load)
            .await
            .map_err(|error| ComponentError::Load(error.to_string()))?
    }

    /// Reads the dependencies that are not provided by an extension.
    async fn parts(&self, component: &Component) -> Result<Vec<Part>, ComponentError> {
        let mut parts = Vec::new();
        for (name, dependency) in &component.dependencies {
            let name: DependencyName = name.parse().map_err(ComponentError::Load)?;
            let provides = |package| {
                self.extensions
                    .iter()
                    .any(|other| other.packages().contains(&package))
            };
            if name.package().is_some_and(provides) {
                continue;
            }
            let named = dependency
                .component
                .as_ref()
                .and_then(|id| self.manifest.components().get(id));
            let Some(path) = named.map(|other| &other.source).or(dependency.path.as_ref()) else {
                continue;
            };
            parts.push(Part {
                name,
                wasm: self.read(path).await?,
                export: dependency.export.clone(),
                inherit: dependency.inherit_configuration.clone(),
            });
        }
        Ok(parts)
    }

    async fn read(&self, path: &Path) -> Result<Vec<u8>, ComponentError> {
        let path = self.manifest.folder().join(path);
        tokio::fs::read(&path)
            .await
            .map_err(|source| ComponentError::Source { path, source })
    }
}

/// What the components of a host share.
struct Shared {
    http_client: Arc<HttpClient>,
    sqlite: Arc<Databases>,
    postgres: Arc<Pools>,
}

fn engine() -> Result<Engine, HostError> {
    let mut config = Config::new();
    config.wasm_component_model_async(true).epoch_interruption(true);
    Engine::new(&config).map_err(|error| HostError::Engine(format!("{error:#}")))
}
