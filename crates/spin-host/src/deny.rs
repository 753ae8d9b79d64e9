//! Refusal of what a dependency does not inherit.
//!
//! A capability import of a dependency outside its `inherit_configuration` is renamed by [`crate::compose`], say
//! `wasi:http/client@0.3.0` to `denied-wasi:http/client@0.3.0`, and satisfied here by functions that behave like
//! Spin 4.1's deny adapter: the interface's own error where it has one, an empty list for the environment and the files, and a
//! trap for methods of resources, which cannot have been obtained.

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType, Val};

use crate::manifest::Inherit;
use crate::state::ComponentState;

const PREFIX: &str = "denied-";

/// The interfaces of each inheritable set, without versions. This is Spin's table (`crates/capabilities`), reduced to the
/// interfaces that this host can link. Sockets are missing because this host denies them to every component.
const CAPABILITIES: &[(&str, &str)] = &[
    ("wasi:http/client", "allowed_outbound_hosts"),
    ("wasi:http/outgoing-handler", "allowed_outbound_hosts"),
    ("spin:postgres/postgres", "allowed_outbound_hosts"),
    ("wasi:cli/environment", "environment"),
    ("wasi:filesystem/preopens", "files"),
    ("spin:sqlite/sqlite", "sqlite_databases"),
    ("spin:variables/variables", "variables"),
];

/// Returns `true` if a dependency that inherits `inherit` must not access `import`.
pub(crate) fn is_denied(import: &str, inherit: &Inherit) -> bool {
    let interface = without_version(import);
    let Some((_, set)) = CAPABILITIES.iter().find(|(name, _)| *name == interface) else {
        return false;
    };
    match inherit {
        Inherit::All(all) => !all,
        Inherit::Only(sets) => !sets.iter().any(|inherited| inherited == set),
    }
}

/// The name under which a denied interface is imported.
pub(crate) fn refusal_name(import: &str) -> String {
    format!("{PREFIX}{import}")
}

fn without_version(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _)| name)
}

/// Defines every refusal that `component` imports.
pub(crate) fn link(linker: &mut Linker<ComponentState>, component: &Component) -> wasmtime::Result<()> {
    let engine = component.engine();
    // An interface lists its own resources and those it uses; the latter come from an earlier import.
    let mut known = Vec::new();
    for (name, item) in component.component_type().imports(engine) {
        let ComponentItem::ComponentInstance(interface) = item.ty else {
            continue;
        };
        let mut functions = Vec::new();
        let mut resources = Vec::new();
        for (export, item) in interface.exports(engine) {
            match item.ty {
                ComponentItem::ComponentFunc(function) => functions.push((export, function)),
                ComponentItem::Resource(resource) if !known.contains(&resource) => {
                    known.push(resource);
                    resources.push(export);
                }
                _ => {}
            }
        }
        let Some(original) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let mut instance = linker.instance(name)?;
        for resource in resources {
            instance.resource(resource, ResourceType::host::<Denied>(), |_, _| Ok(()))?;
        }
        for (export, function) in functions {
            refuse(&mut instance, original, export, &function)?;
        }
    }
    Ok(())
}

/// The representation of a denied interface's own resources. It is never constructed.
struct Denied;

fn refuse(
    instance: &mut LinkerInstance<'_, ComponentState>,
    interface: &str,
    function: &str,
    ty: &ComponentFunc,
) -> wasmtime::Result<()> {
    let interface = without_version(interface).to_owned();
    let name = function.to_owned();
    if ty.async_() {
        instance.func_new_concurrent(function, move |_, _, params, results| {
            let answer = answer(&interface, &name, params);
            Box::pin(async move { give(answer, results) })
        })
    } else {
        instance.func_new(function, move |_, _, params, results| {
            give(answer(&interface, &name, params), results)
        })
    }
}

fn give(answer: wasmtime::Result<Val>, results: &mut [Val]) -> wasmtime::Result<()> {
    if let Some(result) = results.first_mut() {
        *result = answer?;
    }
    Ok(())
}

fn answer(interface: &str, function: &str, params: &[Val]) -> wasmtime::Result<Val> {
    let not_permitted = || Val::String(format!("{interface:?} is not permitted"));
    let error = |case: &str, payload: Option<Val>| {
        Val::Result(Err(Some(Box::new(Val::Variant(
            case.to_owned(),
            payload.map(Box::new),
        )))))
    };
    Ok(match (interface, function) {
        ("wasi:http/client", "send") | ("wasi:http/outgoing-handler", "handle") => error(
            "internal-error",
            Some(Val::Option(Some(Box::new(not_permitted())))),
        ),
        ("spin:variables/variables", "get") => error("undefined", params.first().cloned()),
        ("spin:sqlite/sqlite", "[static]connection.open" | "[static]connection.open-async") => {
            error("access-denied", None)
        }
        (
            "spin:postgres/postgres",
            "[static]connection.open"
            | "[static]connection.open-async"
            | "[method]connection-builder.build"
            | "[method]connection-builder.build-async",
        ) => error("other", Some(not_permitted())),
        ("wasi:cli/environment", "get-environment" | "get-arguments")
        | ("wasi:filesystem/preopens", "get-directories") => Val::List(Vec::new()),
        ("wasi:cli/environment", "initial-cwd" | "get-initial-cwd") => Val::Option(None),
        _ => return Err(wasmtime::format_err!("{interface} {function} is not permitted")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_that_is_not_inherited_is_denied_in_every_version() {
        let only = Inherit::Only(vec!["allowed_outbound_hosts".into()]);
        assert!(!is_denied("wasi:http/client@0.3.0", &only));
        assert!(is_denied("spin:sqlite/sqlite@3.1.0", &only));
        assert!(is_denied("wasi:cli/environment@0.2.3", &only));
        assert!(is_denied("wasi:http/client@0.3.0", &Inherit::All(false)));
        assert!(!is_denied("wasi:http/client@0.3.0", &Inherit::All(true)));
    }

    #[test]
    fn an_interface_that_is_not_a_capability_is_never_denied() {
        for import in [
            "wasi:http/types@0.3.0",
            "wasi:clocks/system-clock@0.3.0",
            "wasi:cli/stdout@0.2.3",
        ] {
            assert!(!is_denied(import, &Inherit::All(false)), "{import}");
        }
    }
}
