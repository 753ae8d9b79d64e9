//! Folders and their entries.

use std::fs::{DirBuilder, File};
use std::io;
use std::path::Path;

/// Creates a folder and its missing parents, and syncs each folder that got a new entry. `mode` is the Unix permission bits of
/// the created folders, ignored on other systems. An existing folder is not changed.
///
/// # Errors
///
/// A folder cannot be created or synced.
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

/// Syncs the folder that holds `path`, so that its current entries survive a power cut.
///
/// Some file systems (FUSE, SMB, 9p) cannot sync a folder, and a folder without read permission cannot be opened to do it. This
/// is ignored, as SQLite does; durability then depends on the file system.
///
/// # Errors
///
/// Any other error of the operating system, such as a failing disk.
pub fn sync_names(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    };
    // Other systems cannot open a folder; durability then depends on the file system's journal.
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
