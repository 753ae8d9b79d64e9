//! Interfaces that the embedding program adds to the host.

use wasmtime::component::Linker;

use crate::state::ComponentState;

/// Packages of WIT interfaces that the embedding program implements, instead of a component that the manifest names.
///
/// Tests use it to replace a dependency: a dependency of one of these packages is not composed, and its imports
/// are linked here.
pub trait Extension: Send + Sync {
    /// The packages, such as `nudge:dapr`; without interface and version.
    fn packages(&self) -> &[&str];

    /// Defines the interfaces for one component.
    fn link(&self, linker: &mut Linker<ComponentState>, component: &str) -> wasmtime::Result<()>;

    /// Called for each new instance, to store what the functions need in [`ComponentState::data`].
    fn prepare(&self, state: &mut ComponentState) {
        let _ = state;
    }
}
