//! From the compiled page and the files beside it to the files that nudge-web serves.
//!
//! ```text
//! target/site/current       the name of the folder that counts: a fingerprint of all input
//! target/site/{name}/       index.html, manifest.webmanifest, assets/…; each also as .br and .gz
//! ```
//!
//! A folder is written once and never changed, and `current` is replaced by renaming. So a build of nudge-web in another process
//! never sees a half-written page.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::at;
use crate::{Error, PAGE_TARGET, site};

/// Changes with the rules by which files are made, so that the same input is packed again.
const FORMAT: &str = "1";

/// Packs the page of the workspace at `root`, unless that is done.
pub(crate) fn pack(root: &Path, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let out = root.join("target/site");
    fs::create_dir_all(&out).map_err(at(&out))?;
    // Held until this returns.
    let lock_path = out.join("lock");
    let lock = File::create(&lock_path).map_err(at(&lock_path))?;
    lock.lock().map_err(at(&lock_path))?;

    let wasm_path = root.join("target").join(PAGE_TARGET).join("page/nudge-page.wasm");
    let wasm = fs::read(&wasm_path).map_err(at(&wasm_path))?;
    let statics = read_all(&root.join("page/static"))?;
    let styles = read_all(&root.join("page/style"))?;
    let name = fingerprint(&wasm, [&statics, &styles]);
    let current = out.join("current");
    if fs::read_to_string(&current).is_ok_and(|known| known == name) && out.join(&name).is_dir() {
        return Ok(());
    }
    progress("   Packing the page");
    let folder = out.join(&name);
    // Whatever a build left that ended early.
    remove(&folder)?;
    for (path, bytes) in site::make(wasm, &statics, &styles)? {
        write(&folder.join(path), &bytes)?;
    }
    let next = out.join("current.next");
    write(&next, name.as_bytes())?;
    let before = fs::read_to_string(&current).unwrap_or_default();
    fs::rename(&next, &current).map_err(at(&current))?;
    // A build that runs may still read the one before.
    for entry in fs::read_dir(&out).map_err(at(&out))? {
        let entry = entry.map_err(at(&out))?;
        let keep = [&name, &before]
            .iter()
            .any(|keep| entry.file_name() == keep.as_str());
        if entry.path().is_dir() && !keep {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// All files of a folder, without its subfolders, by name.
fn read_all(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(at(folder))? {
        let path = entry.map_err(at(folder))?.path();
        if path.is_file()
            && let Some(name) = path.file_name().and_then(|name| name.to_str())
        {
            files.insert(name.to_owned(), fs::read(&path).map_err(at(&path))?);
        }
    }
    Ok(files)
}

/// A name for what is made of this input by this version of the rules.
fn fingerprint(wasm: &[u8], folders: [&BTreeMap<String, Vec<u8>>; 2]) -> String {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    add(FORMAT.as_bytes());
    add(wasm);
    for folder in folders {
        for (name, bytes) in folder {
            add(name.as_bytes());
            add(bytes);
        }
        add(b"");
    }
    site::hex(&hash.finalize())
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let parent: PathBuf = path.parent().map(Path::to_owned).unwrap_or_default();
    fs::create_dir_all(&parent).map_err(at(&parent))?;
    let mut file = File::create(path).map_err(at(path))?;
    file.write_all(bytes).map_err(at(path))
}

fn remove(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(at(folder)(error)),
        _ => Ok(()),
    }
}
