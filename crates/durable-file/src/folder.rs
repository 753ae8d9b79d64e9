//! Folders, and the names in them.

use std::fs::{DirBuilder, File};
use std::io;
use std::path::Path;

/// Makes a folder and those above it that are missing, with `mode` where the system has modes, and syncs each folder that got
/// a new name. A folder that is there already is left as it is.
///
/// # Errors
///
/// What the operating system says.
pub fn create_folder(path: &Path, mode: u32) -> io::Result<()> {
    let missing = path
        .ancestors()
        .filter(|folder| !folder.as_os_str().is_empty())
        .take_while(|folder| !folder.is_dir());
    let missing: Vec<&Path> = missing.collect();
    for folder in missing.into_iter().rev() {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
        #[cfg(not(unix))]
        let _ = mode;
        match builder.create(folder) {
            Ok(()) => {}
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
            Err(error) => return Err(error),
        }
        sync_names(folder)?;
    }
    Ok(())
}

/// Syncs the folder that holds `path`: which names are in it survives a power cut from now on.
///
/// # Errors
///
/// What the operating system says.
pub fn sync_names(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    // Elsewhere a folder cannot be opened; the file system's journal has to do.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
