//! Files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::folder::sync_names;

/// A file that is being written under a name of its own. A reader of the final name never sees a partial file.
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
