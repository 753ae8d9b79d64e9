//! Compiled components, kept as files for the next start.
//!
//! A component is mapped from its file. So its code is no memory of the process's own: the kernel reads what is called, shares it
//! between processes, and takes it back when memory is short.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Files that were used by no start for so long are removed when another one is written.
const UNUSED: Duration = Duration::from_hours(30 * 24);

const EXTENSION: &str = "cwasm";

/// Compiles a component, or takes what was compiled of the same one by the same engine. Without a folder it is compiled each time.
pub(crate) fn component(engine: &Engine, wasm: &[u8], folder: Option<&Path>) -> wasmtime::Result<Component> {
    let Some(folder) = folder else {
        return Component::new(engine, wasm);
    };
    let file = folder.join(name(engine, wasm));
    if file.is_file() {
        match mapped(engine, &file) {
            Ok(component) => {
                mark_used(&file);
                return Ok(component);
            }
            Err(error) => {
                tracing::warn!(file = %file.display(), "compiled again, since what is kept cannot be read: {error:#}")
            }
        }
    }
    let compiled = engine.precompile_component(wasm)?;
    write(folder, &file, &compiled)?;
    drop(compiled);
    mapped(engine, &file)
}

/// The file's name: of everything that what is in it depends on.
fn name(engine: &Engine, wasm: &[u8]) -> String {
    let mut settings = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    let wasm = Sha256::digest(wasm);
    let wasm: String = wasm.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{wasm}-{:016x}.{EXTENSION}", settings.finish())
}

#[expect(unsafe_code, reason = "what is mapped is run")]
fn mapped(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by this function's caller, and wasmtime looks whether it is of this version and these settings.
    // Nobody changes it: a new one replaces it under its name. Whoever else can write to the folder can run code as this process,
    // as the documentation of `cache_dir` says.
    unsafe { Component::deserialize_file(engine, file) }
}

/// Appears at once and whole, or not at all.
fn write(folder: &Path, file: &Path, compiled: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    new.write_all(compiled)?;
    new.persist(file)?;
    remove_unused(folder);
    Ok(())
}

fn mark_used(file: &Path) {
    let marked = std::fs::File::options()
        .append(true)
        .open(file)
        .and_then(|file| file.set_modified(SystemTime::now()));
    // Perhaps the folder is read-only; then nothing is removed from it either.
    if let Err(error) = marked {
        tracing::debug!(file = %file.display(), %error, "not marked as used");
    }
}

fn remove_unused(folder: &Path) {
    let Ok(files) = std::fs::read_dir(folder) else {
        return;
    };
    let unused = |file: &PathBuf| {
        let used = file.metadata().and_then(|metadata| metadata.modified());
        file.extension().is_some_and(|extension| extension == EXTENSION)
            && used.is_ok_and(|used| used.elapsed().is_ok_and(|age| age > UNUSED))
    };
    for file in files.filter_map(|file| Some(file.ok()?.path())).filter(unused) {
        // Another process may be faster; on Linux those that have it mapped keep it.
        if let Err(error) = std::fs::remove_file(&file) {
            tracing::debug!(file = %file.display(), %error, "an unused file stays");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The empty component: magic, version and layer.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    fn files(folder: &Path) -> Vec<PathBuf> {
        let files = std::fs::read_dir(folder).expect("a folder");
        files.map(|file| file.expect("readable").path()).collect()
    }

    fn engine() -> Engine {
        let mut config = wasmtime::Config::new();
        config.wasm_component_model_async(true);
        Engine::new(&config).expect("an engine")
    }

    #[test]
    fn what_was_compiled_is_taken_again_and_what_is_broken_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = folder.path().join("compiled");
        let engine = engine();
        component(&engine, EMPTY, Some(&cache)).expect("compiled");
        let [file] = &files(&cache)[..] else {
            panic!("one file: {:?}", files(&cache));
        };
        let whole = std::fs::read(file).expect("readable");
        component(&engine, EMPTY, Some(&cache)).expect("mapped");
        for broken in [&whole[..whole.len() / 2], b"something else"] {
            std::fs::remove_file(file).expect("ours");
            std::fs::write(file, broken).expect("writable");
            component(&engine, EMPTY, Some(&cache)).expect("compiled again");
            assert_eq!(std::fs::read(file).expect("readable").len(), whole.len());
        }
    }

    #[test]
    fn another_engine_has_a_file_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        component(&engine(), EMPTY, Some(folder.path())).expect("compiled");
        let mut config = wasmtime::Config::new();
        config.wasm_component_model_async(true).epoch_interruption(true);
        let other = Engine::new(&config).expect("an engine");
        component(&other, EMPTY, Some(folder.path())).expect("compiled");
        assert_eq!(files(folder.path()).len(), 2);
    }

    #[test]
    fn a_file_that_nobody_used_for_a_month_goes_when_another_comes() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = folder.path().join("old.cwasm");
        let other = folder.path().join("old.txt");
        for file in [&old, &other] {
            let file = std::fs::File::create(file).expect("writable");
            let before = SystemTime::now() - UNUSED - Duration::from_mins(1);
            file.set_modified(before).expect("ours");
        }
        component(&engine(), EMPTY, Some(folder.path())).expect("compiled");
        assert!(!old.exists());
        assert!(other.exists(), "it is not ours");
    }
}
