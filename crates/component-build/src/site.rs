//! The files of the page: their names, their content, and both compressed.
//!
//! What the shell names as `/assets/app.css` is served under a name with a hash of its content, so that a browser may keep it for ever.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::Error;

/// Files by their path below the root of the site. Those in `assets/` never change under their name.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The names of the files that are made, not copied.
const STYLE: &str = "app.css";
const SCRIPT: &str = "app.js";
const MODULE: &str = "app.wasm";

/// Makes the site of the compiled page, of the files in `page/static` and of those in `page/style`, which become one style sheet
/// in the order of their names.
pub(crate) fn make(
    wasm: Vec<u8>,
    statics: &BTreeMap<String, Vec<u8>>,
    styles: &BTreeMap<String, Vec<u8>>,
) -> Result<Files, Error> {
    let bound = bind(wasm)?;
    let mut site = Site::default();
    // Each file may name those before it.
    for (name, bytes) in statics.iter().filter(|(name, _)| !is_page(name)) {
        site.asset(name, bytes.clone());
    }
    site.asset(MODULE, bound.module);
    site.asset(STYLE, styles.values().flatten().copied().collect());
    let mut script = bound.script;
    for (number, (path, text)) in bound.snippets.iter().enumerate() {
        let name = format!("snippet-{number}.js");
        script = script.replace(&format!("./snippets/{path}"), &format!("/assets/{name}"));
        site.asset(&name, text.clone().into_bytes());
    }
    let start = format!("{script}\n__wbg_init({{ module_or_path: '/assets/{MODULE}' }});\n");
    site.asset(SCRIPT, start.into_bytes());
    for (name, bytes) in statics.iter().filter(|(name, _)| is_page(name)) {
        let bytes = site.with_names(name, bytes.clone());
        site.add(name.clone(), bytes);
    }
    Ok(site.files)
}

/// Whether a file has an address that does not change: the shell, and what browsers and crawlers ask for by name.
fn is_page(name: &str) -> bool {
    [".html", ".webmanifest", ".txt"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// What a browser loads.
struct Bound {
    module: Vec<u8>,
    script: String,
    /// JavaScript of dependencies, by the path under which the script imports it from `./snippets/`.
    snippets: BTreeMap<String, String>,
}

/// Makes the module loadable.
fn bind(wasm: Vec<u8>) -> Result<Bound, Error> {
    let failed = |error: &dyn std::fmt::Display| Error::Bindgen(format!("{error:#}"));
    let mut output = Bindgen::new()
        .input_bytes("app", wasm)
        .web(true)
        .map_err(|error| failed(&error))?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(true)
        .generate_output()
        .map_err(|error| failed(&error))?;
    let inline = output.snippets().iter().flat_map(|(folder, texts)| {
        let named = texts.iter().enumerate();
        named.map(move |(number, text)| (format!("{folder}/inline{number}.js"), text.clone()))
    });
    let files = output.local_modules().clone();
    Ok(Bound {
        snippets: inline.chain(files).collect(),
        script: output.js().to_owned(),
        module: output.wasm_mut().emit_wasm(),
    })
}

#[derive(Default)]
struct Site {
    files: Files,
    /// What is named in a source, and the name that it is served under.
    names: Vec<(String, String)>,
}

impl Site {
    /// Adds a file under a name with a hash of its content.
    fn asset(&mut self, name: &str, bytes: Vec<u8>) {
        let bytes = self.with_names(name, bytes);
        let hash: String = hex(&Sha256::digest(&bytes)).chars().take(16).collect();
        let (stem, end) = name.rsplit_once('.').unwrap_or((name, ""));
        let hashed = format!("assets/{stem}-{hash}.{end}");
        self.names.push((format!("/assets/{name}"), format!("/{hashed}")));
        self.add(hashed, bytes);
    }

    /// The content of a text with the names that its files are served under.
    fn with_names(&self, name: &str, bytes: Vec<u8>) -> Vec<u8> {
        let is_text = [".html", ".webmanifest", ".css", ".js"]
            .iter()
            .any(|end| name.ends_with(end));
        match String::from_utf8(bytes) {
            Ok(text) if is_text => self
                .names
                .iter()
                .fold(text, |text, (named, served)| text.replace(named, served))
                .into_bytes(),
            Ok(text) => text.into_bytes(),
            Err(error) => error.into_bytes(),
        }
    }

    /// Adds a file, and what is smaller than it compressed.
    fn add(&mut self, path: String, bytes: Vec<u8>) {
        for (end, compressed) in [(".br", brotli(&bytes)), (".gz", gzip(&bytes))] {
            if let Some(compressed) = compressed.filter(|compressed| compressed.len() < bytes.len()) {
                self.files.insert(format!("{path}{end}"), compressed);
            }
        }
        self.files.insert(path, bytes);
    }
}

/// Brotli as small as it gets (RFC 7932). `None` cannot happen: the writer is memory.
fn brotli(bytes: &[u8]) -> Option<Vec<u8>> {
    let params = brotli::enc::BrotliEncoderParams {
        quality: 11,
        lgwin: 22,
        size_hint: bytes.len(),
        ..Default::default()
    };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut out, &params).ok()?;
    Some(out)
}

/// gzip without name and time, so that the same input is the same output.
fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut writer = GzBuilder::new().write(Vec::new(), Compression::best());
    writer.write_all(bytes).ok()?;
    writer.finish().ok()
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
