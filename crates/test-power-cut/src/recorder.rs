//! Records the file operations of SQLite in a folder, in order.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One operation on a file, or on the names in the folder. Files have numbers, since a name may be reused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A name was given to a new, empty file.
    Create {
        /// The name in the folder.
        name: String,
        /// The number of the file.
        file: usize,
    },
    /// A name was removed.
    Delete {
        /// The name in the folder.
        name: String,
    },
    /// Bytes were written.
    Write {
        /// The number of the file.
        file: usize,
        /// The offset of the bytes.
        offset: usize,
        /// The bytes.
        bytes: Arc<[u8]>,
    },
    /// A file was made shorter or longer.
    Resize {
        /// The number of the file.
        file: usize,
        /// Its bytes from now on.
        length: usize,
    },
    /// All previous operations on a file are on disk. Recorded when the sync has returned.
    Sync {
        /// The number of the file.
        file: usize,
    },
    /// The names so far are on disk.
    SyncNames,
}

/// All events, oldest first.
pub type Record = Vec<Event>;

/// How often something was written to the file of that name. For a database with a write-ahead log: whether it came to a checkpoint.
#[must_use]
pub fn writes_to(record: &[Event], name: &str) -> usize {
    let named = |event: &&Event| matches!(event, Event::Create { name: created, .. } if created == name);
    let Some(Event::Create { file, .. }) = record.iter().rev().find(named) else {
        return 0;
    };
    let written = |event: &&Event| matches!(event, Event::Write { file: written, .. } if written == file);
    record.iter().filter(written).count()
}

/// Records what SQLite does below a folder, until it is dropped.
#[derive(Debug)]
pub struct Recorder(Arc<Log>);

/// The events of one folder.
#[derive(Debug)]
pub(crate) struct Log {
    folder: PathBuf,
    kept: Mutex<Kept>,
    /// The number of next syncs that fail.
    failing: AtomicUsize,
}

#[derive(Debug, Default)]
struct Kept {
    record: Record,
    /// The file behind each name, and how many numbers are given out.
    names: BTreeMap<String, usize>,
    files: usize,
}

impl Kept {
    fn create(&mut self, name: &str) -> usize {
        let (name, file) = (name.to_owned(), self.files);
        self.files += 1;
        self.names.insert(name.clone(), file);
        self.record.push(Event::Create { name, file });
        file
    }
}

/// The folders that are recorded.
static LOGS: Mutex<Vec<Arc<Log>>> = Mutex::new(Vec::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// Starts recording for connections that are opened from now on to databases in `folder`. Existing files count as
    /// synced.
    ///
    /// # Panics
    ///
    /// If the folder cannot be read, or SQLite does not take the layer.
    #[must_use]
    pub fn start(folder: &Path) -> Self {
        crate::vfs::register();
        #[expect(clippy::expect_used, reason = "for tests alone")]
        let log = Arc::new(Log::of_folder(folder).expect("the folder can be read"));
        locked(&LOGS).push(log.clone());
        Self(log)
    }

    /// How much has happened so far: what is answered now was promised before the event with this number.
    #[must_use]
    pub fn moment(&self) -> usize {
        locked(&self.0.kept).record.len()
    }

    /// Makes a number of the next syncs fail, as on a failing disk. They sync nothing.
    pub fn fail_syncs(&self, count: usize) {
        self.0.failing.store(count, Ordering::SeqCst);
    }

    /// The events so far.
    #[must_use]
    pub fn record(&self) -> Record {
        locked(&self.0.kept).record.clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        locked(&LOGS).retain(|log| !Arc::ptr_eq(log, &self.0));
    }
}

impl Log {
    /// The log of the folder that a file is in, and the file's name there.
    pub(crate) fn of(path: &Path) -> Option<(Arc<Self>, String)> {
        let folder = path.parent()?.canonicalize().ok()?;
        let name = path.file_name()?.to_str()?.to_owned();
        let log = locked(&LOGS).iter().find(|log| log.folder == folder)?.clone();
        Some((log, name))
    }

    /// With what is in the folder now, but for what SQLite makes anew.
    fn of_folder(folder: &Path) -> io::Result<Self> {
        let folder = folder.canonicalize()?;
        let mut kept = Kept::default();
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if !path.is_file() || name.ends_with("-shm") {
                continue;
            }
            let file = kept.create(name);
            let bytes = std::fs::read(&path)?.into();
            let offset = 0;
            kept.record.push(Event::Write { file, offset, bytes });
            kept.record.push(Event::Sync { file });
        }
        kept.record.push(Event::SyncNames);
        Ok(Self {
            folder,
            kept: Mutex::new(kept),
            failing: AtomicUsize::new(0),
        })
    }

    /// The number of the file of that name, which has been opened.
    pub(crate) fn open(&self, name: &str) -> usize {
        let mut kept = locked(&self.kept);
        let known = kept.names.get(name).copied();
        known.unwrap_or_else(|| kept.create(name))
    }

    pub(crate) fn delete(&self, name: &str, synced: bool) {
        let mut kept = locked(&self.kept);
        kept.names.remove(name);
        let name = name.to_owned();
        kept.record.push(Event::Delete { name });
        if synced {
            kept.record.push(Event::SyncNames);
        }
    }

    /// Whether a sync is to fail, which then counts.
    pub(crate) fn fails(&self) -> bool {
        let less = |count: usize| count.checked_sub(1);
        self.failing
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok()
    }

    pub(crate) fn note(&self, event: Event) {
        locked(&self.kept).record.push(event);
    }
}
