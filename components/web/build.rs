//! Lists the files of the page for `include_bytes!`: what `crates/component-build` left in `target/site`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=NUDGE_PAGE_DIR");
    let out = PathBuf::from(env::var("OUT_DIR").map_err(|error| error.to_string())?).join("site.rs");
    // Unit tests and lints of a native build need no page.
    let wasm = env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    let files = if wasm { list()? } else { BTreeMap::new() };
    let mut text = String::from("&[\n");
    for (path, file) in &files {
        let bytes = fs::read(file).map_err(|error| format!("{file}: {error}"))?;
        let tag = fingerprint(&bytes);
        // Formatting into a string does not fail.
        let _ = writeln!(text, r#"({path:?}, "\"{tag:016x}\"", include_bytes!({file:?})),"#);
    }
    text.push(']');
    fs::write(&out, text).map_err(|error| format!("{}: {error}", out.display()))
}

/// Path below the root of the site, and the file.
fn list() -> Result<BTreeMap<String, String>, String> {
    let folder = env::var_os("NUDGE_PAGE_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/site"),
        PathBuf::from,
    );
    let current = folder.join("current");
    println!("cargo::rerun-if-changed={}", current.display());
    let name = fs::read_to_string(&current).map_err(|error| {
        format!(
            "the page is not built ({}: {error}): run `cargo run -p nudge-component-build -- page` first",
            current.display()
        )
    })?;
    let site = folder.join(name);
    let mut files = BTreeMap::new();
    let mut folders = vec![site.clone()];
    while let Some(folder) = folders.pop() {
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(&site).map_err(|error| error.to_string())?;
            files.insert(below.display().to_string(), path.display().to_string());
        }
    }
    Ok(files)
}

/// FNV-1a, 64 bits.
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
