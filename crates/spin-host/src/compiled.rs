//! Compiled components, kept as files for the next start.
//!
//! A component is mapped from its file, so its code does not count as memory of the process: the kernel loads the pages that are
//! used, shares them between processes, and evicts them when memory is short.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

/// Files that have not been used for this long are removed when another one is written.
const UNUSED: Duration = Duration::from_hours(30 * 24);

const EXTENSION: &str = "cwasm";

/// Compiles a component, or loads it if the same engine has compiled it before. Without a folder it is compiled each time.
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
                tracing::warn!(file = %file.display(), "compiled again, because the cached file cannot be read: {error:#}")
            }
        }
    }
    let compiled = engine.precompile_component(wasm)?;
    write(folder, &file, &compiled)?;
    drop(compiled);
    mapped(engine, &file)
}

/// The file's name, derived from everything that its content depends on.
fn name(engine: &Engine, wasm: &[u8]) -> String {
    let mut settings = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut settings);
    let wasm = Sha256::digest(wasm);
    let wasm: String = wasm.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{wasm}-{:016x}.{EXTENSION}", settings.finish())
}

#[expect(unsafe_code, reason = "the mapped code is executed")]
fn mapped(engine: &Engine, file: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by this function's caller, and wasmtime checks that version and settings match. It is never
    // changed in place: a new file replaces it. Anyone who can write to the folder can run code as this process, as the
    // documentation of `cache_dir` states.
    unsafe { Component::deserialize_file(engine, file) }
}

/// Writes the file atomically: it appears complete or not at all.
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
    // The folder may be read-only; then nothing is removed from it either.
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
        // Another process may have removed it; on Linux, processes that have mapped it keep it.
        if let Err(error) = std::fs::remove_file(&file) {
            tracing::debug!(file = %file.display(), %error, "unused file not removed");
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
    fn a_compiled_component_is_reused_and_a_broken_file_is_replaced() {
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
    fn another_engine_has_its_own_file() {
        let folder = tempfile::tempdir().expect("a folder");
        component(&engine(), EMPTY, Some(folder.path())).expect("compiled");
        let mut config = wasmtime::Config::new();
        config.wasm_component_model_async(true).epoch_interruption(true);
        let other = Engine::new(&config).expect("an engine");
        component(&other, EMPTY, Some(folder.path())).expect("compiled");
        assert_eq!(files(folder.path()).len(), 2);
    }

    #[test]
    fn a_file_that_was_unused_for_a_month_is_removed_when_another_is_written() {
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
