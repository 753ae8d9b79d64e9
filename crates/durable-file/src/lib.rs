//! Files and folders that survive a power cut once a call has returned.
//!
//! A file's bytes are on disk after `fsync` of the file; its name is on disk after `fsync` of the folder that holds
//! it, and the folder's own name after `fsync` of the parent folder. SQLite does this for its files, but not for the folder that
//! holds them. These functions do the rest.
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

mod draft;
mod folder;

pub use draft::Draft;
pub use folder::{create_folder, sync_names};
