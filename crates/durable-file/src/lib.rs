//! Files and folders that survive a power cut once a call has returned.
//!
//! A file's bytes are on disk after `fsync` of the file; its name is on disk after `fsync` of the folder that holds
//! it, and the folder's own name after `fsync` of the folder above. SQLite sees to this for its files, but for the folder they
//! are in. These functions see to the rest.
//!
//! ```
//! # fn main() -> std::io::Result<()> {
//! # let temporary = tempfile::tempdir()?;
//! # let here = temporary.path();
//! let folder = here.join("data/letters");
//! durable_file::create_folder(&folder, 0o700)?;
//! let mut draft = durable_file::Draft::create(folder.join("first.part"), 0o600)?;
//! std::io::Write::write_all(&mut draft, b"Dear reader")?;
//! draft.publish(&folder.join("first.txt"))?;
//! assert_eq!(std::fs::read(folder.join("first.txt"))?, b"Dear reader");
//! # Ok(()) }
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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

/// A file that is being written under a name of its own. Nobody who reads the final name ever sees a part of it.
#[derive(Debug)]
pub struct Draft {
    file: File,
    path: PathBuf,
}

impl Draft {
    /// Creates the file, with `mode` where the system has modes.
    ///
    /// # Errors
    ///
    /// What the operating system says; a file of that name is an error.
    pub fn create(path: PathBuf, mode: u32) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        #[cfg(not(unix))]
        let _ = mode;
        let file = options.open(&path)?;
        Ok(Self { file, path })
    }

    /// Gives the file its final name, in the same folder, and returns when bytes and name are on disk. A file of that name is replaced:
    /// after a power cut the old or the new one is there, whole.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn publish(self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, path)?;
        sync_names(path)
    }

    /// The same, unless there is a file of that name already: that one stays, is on disk, and the draft is gone.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn publish_new(self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        let linked = fs::hard_link(&self.path, path);
        let removed = fs::remove_file(&self.path);
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        removed?;
        sync_names(path)
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
