//! Composition: a component and its dependencies become one component, as Spin does it.
//!
//! Each dependency entry is one instance. Its name selects the imports that it satisfies: all that match. A dependency
//! may use the capabilities of the host that it inherits; every other capability that it imports is renamed, so that the host
//! links a refusal there (see [`crate::deny`]). Spin gets the same effect with an adapter component.

use std::collections::{BTreeMap, HashMap};

use wac_graph::types::{ItemKind, Package, SubtypeChecker, WorldId};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

use crate::deny;
use crate::dependency::DependencyName;
use crate::manifest::Inherit;

/// A dependency whose file has been read.
pub(crate) struct Part {
    pub(crate) name: DependencyName,
    pub(crate) wasm: Vec<u8>,
    pub(crate) export: Option<String>,
    pub(crate) inherit: Inherit,
}

/// Why a component and its dependencies do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// A file is not a component.
    #[error("{name} is not a WebAssembly component: {detail}")]
    NotAComponent {
        /// The component or dependency.
        name: String,
        /// The decoder's message.
        detail: String,
    },
    /// No import matches the dependency's name.
    #[error("dependency {dependency} does not match any import; the imports are {imports}")]
    Unmatched {
        /// The dependency's name in the manifest.
        dependency: String,
        /// What the component imports.
        imports: String,
    },
    /// Two entries match the same import.
    #[error("import {import} is satisfied by two dependencies: {first} and {second}")]
    Conflict {
        /// The import.
        import: String,
        /// One entry.
        first: String,
        /// The other.
        second: String,
    },
    /// The dependency does not have the export.
    #[error("dependency {dependency} does not export {export}, which import {import} needs")]
    MissingExport {
        /// The dependency's name in the manifest.
        dependency: String,
        /// The export that is looked for.
        export: String,
        /// The import it would satisfy.
        import: String,
    },
    /// The export has another type than the import.
    #[error("dependency {dependency} exports {export} in a form that import {import} cannot use: {detail}")]
    Incompatible {
        /// The dependency's name in the manifest.
        dependency: String,
        /// The export.
        export: String,
        /// The import.
        import: String,
        /// Where they differ.
        detail: String,
    },
    /// The composition library refused the result.
    #[error("composition failed: {0}")]
    Graph(String),
}

/// Satisfies the imports of `wasm` with `parts` and returns the composed component. Without parts, returns `wasm` unchanged.
pub(crate) fn compose(id: &str, wasm: Vec<u8>, parts: Vec<Part>) -> Result<Vec<u8>, ComposeError> {
    if parts.is_empty() {
        return Ok(wasm);
    }
    let mut composition = Composition::default();
    let (world, root) = composition.instantiate(id, wasm)?;
    let imports = composition.items(world, Side::Imports);

    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    for (index, part) in parts.into_iter().enumerate() {
        let matched: Vec<_> = imports
            .iter()
            .filter(|(import, _)| part.name.matches(import))
            .collect();
        if matched.is_empty() {
            let names: Vec<_> = imports.iter().map(|(import, _)| import.as_str()).collect();
            return Err(ComposeError::Unmatched {
                dependency: part.name.to_string(),
                imports: names.join(", "),
            });
        }
        // The same file may be listed twice, so packages are named by their index.
        let wasm = deny_what_is_not_inherited(part.wasm, &part.inherit)?;
        let (part_world, instance) = composition.instantiate(&format!("dependency-{index}"), wasm)?;
        let exports: HashMap<_, _> = composition.items(part_world, Side::Exports).into_iter().collect();
        let dependency = part.name.to_string();
        for (import, wanted) in matched {
            if let Some(first) = taken.insert(import.clone(), dependency.clone()) {
                return Err(ComposeError::Conflict {
                    import: import.clone(),
                    first,
                    second: dependency,
                });
            }
            let export = part.export.as_ref().unwrap_or(import);
            let Some(offered) = exports.get(export) else {
                return Err(ComposeError::MissingExport {
                    dependency,
                    export: export.clone(),
                    import: import.clone(),
                });
            };
            let types = composition.graph.types();
            SubtypeChecker::new(&mut Default::default())
                .is_subtype(*offered, types, *wanted, types)
                .map_err(|error| ComposeError::Incompatible {
                    dependency: dependency.clone(),
                    export: export.clone(),
                    import: import.clone(),
                    detail: format!("{error:#}"),
                })?;
            let node = composition
                .graph
                .alias_instance_export(instance, export)
                .map_err(graph_error)?;
            composition
                .graph
                .set_instantiation_argument(root, import, node)
                .map_err(graph_error)?;
        }
    }
    composition.finish(world, root)
}

/// Renames the capability imports that are not inherited to the names of their refusals. This is a separate step, because the
/// library treats two imports of one interface in one composition as the same import.
fn deny_what_is_not_inherited(wasm: Vec<u8>, inherit: &Inherit) -> Result<Vec<u8>, ComposeError> {
    let mut composition = Composition::default();
    let (world, root) = composition.instantiate("dependency", wasm.clone())?;
    let mut denied = composition.items(world, Side::Imports);
    denied.retain(|(import, _)| deny::is_denied(import, inherit));
    if denied.is_empty() {
        return Ok(wasm);
    }
    for (import, kind) in denied {
        let node = composition
            .graph
            .import(deny::refusal_name(&import), kind)
            .map_err(graph_error)?;
        composition
            .graph
            .set_instantiation_argument(root, &import, node)
            .map_err(graph_error)?;
    }
    composition.finish(world, root)
}

#[derive(Default)]
struct Composition {
    graph: CompositionGraph,
}

enum Side {
    Imports,
    Exports,
}

impl Composition {
    fn instantiate(&mut self, name: &str, wasm: Vec<u8>) -> Result<(WorldId, NodeId), ComposeError> {
        let package = Package::from_bytes(name, None, wasm, self.graph.types_mut()).map_err(|error| {
            ComposeError::NotAComponent {
                name: name.to_owned(),
                detail: format!("{error:#}"),
            }
        })?;
        let world = package.ty();
        let package = self.graph.register_package(package).map_err(graph_error)?;
        Ok((world, self.graph.instantiate(package)))
    }

    fn items(&self, world: WorldId, side: Side) -> Vec<(String, ItemKind)> {
        let world = &self.graph.types()[world];
        let items = match side {
            Side::Imports => &world.imports,
            Side::Exports => &world.exports,
        };
        items.iter().map(|(name, kind)| (name.clone(), *kind)).collect()
    }

    /// Exports what `root` exports and encodes the composition.
    fn finish(mut self, world: WorldId, root: NodeId) -> Result<Vec<u8>, ComposeError> {
        for (export, _) in self.items(world, Side::Exports) {
            let node = self
                .graph
                .alias_instance_export(root, &export)
                .map_err(graph_error)?;
            self.graph.export(node, &export).map_err(graph_error)?;
        }
        self.graph.encode(EncodeOptions::default()).map_err(graph_error)
    }
}

fn graph_error(error: impl std::fmt::Display) -> ComposeError {
    ComposeError::Graph(format!("{error:#}"))
}
