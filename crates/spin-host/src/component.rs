//! A component that is compiled, composed and linked: ready for instances.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use step_clock::Clock;
use wasmtime::component::{HasSelf, Instance, InstancePre, Linker, ResourceTable};
use wasmtime::{Engine, Store};
use wasmtime_wasi::{FsPerms, WasiCtx};
use wasmtime_wasi_http::WasiHttpCtx;
use wasmtime_wasi_http::handler::ProxyPre;

use crate::allowed_hosts::AllowedHosts;
use crate::clock::{CpuMeter, GuestClock};
use crate::extension::Extension;
use crate::http_client::HttpClient;
use crate::limits::{Limits, MemoryBudget};
use crate::outbound_http::OutboundHttp;
use crate::state::ComponentState;
use crate::stdio::LineLog;
use crate::{bindings, compiled, deny, postgres, sqlite};

/// What the instances of a component may access.
pub(crate) struct Configuration {
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) variables: Arc<HashMap<String, String>>,
    pub(crate) allowed_hosts: Arc<AllowedHosts>,
    pub(crate) http_client: Arc<HttpClient>,
    pub(crate) sqlite: sqlite::Access,
    pub(crate) postgres: Arc<postgres::Pools>,
    pub(crate) files: Option<tempfile::TempDir>,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) extensions: Vec<Arc<dyn Extension>>,
}

/// A component of the application that can be instantiated.
pub struct LoadedComponent {
    id: Arc<str>,
    configuration: Configuration,
    pre: InstancePre<ComponentState>,
}

impl LoadedComponent {
    /// Compiles a composed component and checks that the host provides each of its imports.
    pub(crate) fn new(
        engine: &Engine,
        id: &str,
        wasm: &[u8],
        cache_dir: Option<&Path>,
        configuration: Configuration,
    ) -> wasmtime::Result<Self> {
        let component = compiled::component(engine, wasm, cache_dir)?;
        let mut linker = Linker::<ComponentState>::new(engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi::p3::add_to_linker(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p3::add_to_linker(&mut linker)?;
        bindings::Imports::add_to_linker::<_, HasSelf<ComponentState>>(&mut linker, |state| state)?;
        deny::link(&mut linker, &component)?;
        for extension in &configuration.extensions {
            extension.link(&mut linker, id)?;
        }
        let pre = linker.instantiate_pre(&component)?;
        Ok(Self {
            id: id.into(),
            configuration,
            pre,
        })
    }

    /// The component's id in the manifest.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Creates an instance in a new store, to call its exports directly.
    pub async fn instantiate(&self) -> wasmtime::Result<(Store<ComponentState>, Instance)> {
        let (mut store, _) = self.store()?;
        let instance = self.pre.instantiate_async(&mut store).await?;
        Ok((store, instance))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.configuration.limits
    }

    /// The component's HTTP export: `wasi:http/handler@0.3`, or `incoming-handler@0.2` of an older one.
    pub(crate) fn http(&self) -> wasmtime::Result<ProxyPre<ComponentState>> {
        use wasmtime_wasi_http::{p2, p3};
        p3::bindings::ServicePre::new(self.pre.clone())
            .map(ProxyPre::P3)
            .or_else(|error| {
                p2::bindings::ProxyPre::new(self.pre.clone())
                    .map(ProxyPre::P2)
                    .map_err(|_| error)
            })
    }

    pub(crate) fn store(&self) -> wasmtime::Result<(Store<ComponentState>, CpuMeter)> {
        let configuration = &self.configuration;
        let mut wasi = WasiCtx::builder();
        wasi.envs(&configuration.environment)
            .stdout(LineLog::new(self.id.clone(), "stdout"))
            .stderr(LineLog::new(self.id.clone(), "stderr"))
            .wall_clock(GuestClock(configuration.clock.clone()))
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        if let Some(files) = &configuration.files {
            wasi.preopened_dir(files.path(), "/", FsPerms::ReadOnly)?;
        }
        let mut state = ComponentState {
            component: self.id.clone(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            outbound: OutboundHttp {
                component: self.id.clone(),
                allowed: configuration.allowed_hosts.clone(),
                http_client: configuration.http_client.clone(),
            },
            table: ResourceTable::new(),
            memory: MemoryBudget::new(configuration.limits.memory_bytes),
            variables: configuration.variables.clone(),
            sqlite: configuration.sqlite.clone(),
            postgres: configuration.postgres.clone(),
            data: http::Extensions::new(),
        };
        for extension in &configuration.extensions {
            extension.prepare(&mut state);
        }
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.memory);
        let meter = CpuMeter::default();
        meter.attach(&mut store, configuration.limits.cpu);
        Ok((store, meter))
    }
}
