//! Files that appear complete or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::folder::sync_names;

/// A file that is being written under a temporary name. A reader of the final name never sees a partial file.
#[derive(Debug)]
pub struct Draft {
    file: File,
    path: PathBuf,
}

impl Draft {
    /// Creates the file. `mode` is its Unix permission bits, ignored on other systems.
    ///
    /// # Errors
    ///
    /// The file exists already, or cannot be created.
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

    /// Renames the file to its final name in the same folder, and returns once content and name are on disk. An existing file of
    /// that name is replaced: after a power cut either the old or the new one is there, complete.
    ///
    /// # Errors
    ///
    /// The file cannot be synced or renamed, or the folder cannot be synced.
    pub fn publish(self, path: &Path) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, path)?;
        sync_names(path)
    }

    /// Like [`publish`](Self::publish), but keeps an existing file of that name: the draft is then discarded, and the existing file
    /// is on disk.
    ///
    /// # Errors
    ///
    /// The file cannot be synced, linked or removed, or the folder cannot be synced.
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
