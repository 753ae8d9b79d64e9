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
/// Some file systems (FUSE, SMB, 9p) cannot sync a folder, and a folder that may not be read cannot be opened for it. There the
/// file system has to do, as it has for SQLite, which ignores this as well.
///
/// # Errors
///
/// What else the operating system says, such as a disk that fails.
pub fn sync_names(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    // Elsewhere a folder cannot be opened; the file system's journal has to do.
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        Err(error) if cannot_be_synced(&error) => Ok(()),
        result => result,
    }
}

fn cannot_be_synced(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported | io::ErrorKind::PermissionDenied
    )
}
