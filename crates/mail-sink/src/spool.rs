//! The folder of mails.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Stores mails as `<UTC time>-<sequence>.eml`, so that names sort by arrival.
#[derive(Debug)]
pub(crate) struct Spool {
    dir: PathBuf,
    sequence: AtomicU64,
}

impl Spool {
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        durable_file::create_folder(dir, 0o777)?;
        Ok(Self {
            dir: dir.to_owned(),
            sequence: AtomicU64::new(0),
        })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes one mail. When it returns, the file is on disk under its final name: nobody sees half a mail,
    /// and neither a crash nor a power cut after the sender's 250 loses one.
    pub(crate) fn store(&self, mail: &[u8], now: &jiff::Zoned) -> io::Result<PathBuf> {
        let number = self.sequence.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number:06}", now.strftime("%Y%m%dT%H%M%S%.6fZ"));
        let part = self.dir.join(format!("{name}.part"));
        let path = self.dir.join(format!("{name}.eml"));
        let mut file = durable_file::Draft::create(part, 0o666)?;
        file.write_all(mail)?;
        file.publish(&path)?;
        Ok(path)
    }

    /// The stored mails, oldest first.
    pub(crate) fn mails(&self) -> io::Result<Vec<PathBuf>> {
        let mut mails = Vec::new();
        for entry in std::fs::read_dir(&self.dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "eml") {
                mails.push(path);
            }
        }
        mails.sort();
        Ok(mails)
    }
}
