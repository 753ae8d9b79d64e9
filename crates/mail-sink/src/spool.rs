//! The folder of emails.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

/// Stores emails as `<UTC time>-<sequence>.eml`, so that names sort by arrival. Only the owner of the process can read them.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    sequence: AtomicU64,
}

impl Spool {
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        durable_file::create_folder(dir, 0o700)?;
        Ok(Self {
            dir: dir.to_owned(),
            sequence: AtomicU64::new(0),
        })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes one email. When it returns, the file is on disk under its final name: a reader never sees part of an email,
    /// and neither a crash nor a power cut after the 250 reply loses one.
    pub(crate) fn store(&self, email: &[u8], now: Timestamp) -> io::Result<PathBuf> {
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number:06}", now.strftime("%Y%m%dT%H%M%S%.6fZ"));
        let part = self.dir.join(format!("{name}.part"));
        let path = self.dir.join(format!("{name}.eml"));
        let mut file = durable_file::Draft::create(part, 0o600)?;
        file.write_all(email)?;
        file.publish(&path)?;
        Ok(path)
    }
}

/// The files of the emails that a sink has stored in `dir`, oldest first.
pub fn emails_in(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut emails = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            emails.push(path);
        }
    }
    emails.sort();
    Ok(emails)
}
