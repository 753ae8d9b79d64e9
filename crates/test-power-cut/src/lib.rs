//! A layer below SQLite that knows what a power cut leaves of its files.
//!
//! [`Recorder::start`] puts itself below every SQLite connection of the process that is opened from then on (a VFS,
//! <https://sqlite.org/vfs.html>) and records what is written below one folder, and what is synced. Nothing else
//! changes: everything is done on the real files, too. A test that gets a response notes the [`Recorder::moment`]. Afterwards
//! a [`Disk`] goes through the record and makes the files as they would be had the power failed at any moment: what was
//! synced is there, and of the rest nothing, all, or pieces of 512 bytes.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use test_power_cut::{Disk, Recorder, Unsynced};
//!
//! let folder = tempfile::tempdir()?;
//! let recorder = Recorder::start(folder.path());
//! let database = rusqlite::Connection::open(folder.path().join("db"))?;
//! database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (a); INSERT INTO t VALUES (1)")?;
//! let answered = recorder.moment();
//!
//! let record = recorder.record();
//! let disk = Disk::at(&record, answered);
//! let after = tempfile::tempdir()?;
//! disk.cut(Unsynced::Lost).write_to(after.path())?;
//! let database = rusqlite::Connection::open(after.path().join("db"))?;
//! assert_eq!(database.query_row("SELECT a FROM t", [], |row| row.get::<_, i64>(0))?, 1);
//! # Ok(()) }
//! ```
//!
//! [`FileSystem`] is for files that are not SQLite's, where the machine can have one.

mod cuts;
mod disk;
mod file_system;
mod recorder;
mod vfs;

pub use cuts::each_cut;
pub use disk::{Disk, Image, Unsynced};
pub use file_system::{FileSystem, freeze};
pub use recorder::{Event, Record, Recorder, writes_to};
