//! The state of one instance of a component.

use std::collections::HashMap;
use std::sync::Arc;

use wasmtime::component::{Accessor, HasSelf, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::bindings::spin::variables::variables;
use crate::limits::MemoryBudget;
use crate::outbound_http::OutboundHttp;
use crate::variables::check_name;
use crate::{postgres, sqlite};

/// The data of a store: the instance's capabilities, and the data of extensions.
pub struct ComponentState {
    pub(crate) component: Arc<str>,
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) outbound: OutboundHttp,
    pub(crate) table: ResourceTable,
    pub(crate) memory: MemoryBudget,
    pub(crate) variables: Arc<HashMap<String, String>>,
    pub(crate) sqlite: sqlite::Access,
    pub(crate) postgres: Arc<postgres::Pools>,
    pub(crate) data: http::Extensions,
}

impl ComponentState {
    /// The component's id in the manifest.
    pub fn component(&self) -> &str {
        &self.component
    }

    /// Values by type that [`Extension::prepare`](crate::Extension::prepare) stores here for the functions of
    /// [`Extension::link`](crate::Extension::link). Store an `Arc` to access the value from outside as well.
    pub fn data(&mut self) -> &mut http::Extensions {
        &mut self.data
    }

    /// The resources to which guests hold handles.
    pub fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

impl WasiView for ComponentState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for ComponentState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.outbound,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

impl variables::Host for ComponentState {}

impl<T: 'static> variables::HostWithStore<T> for HasSelf<ComponentState> {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, variables::Error>> {
        if let Err(problem) = check_name(&name) {
            return Ok(Err(variables::Error::InvalidName(problem)));
        }
        let value = accessor.with(|mut access| access.get().variables.get(&name).cloned());
        Ok(value.ok_or(variables::Error::Undefined(name)))
    }
}
