//! A real file system whose power can be cut.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Larger than what a test writes.
const BYTES: u64 = 160 * 1024 * 1024;

/// An ext4 of its own on a loop device, that writes nothing by itself before something is synced. Unmounted when it is dropped.
#[derive(Debug)]
pub struct FileSystem {
    folder: tempfile::TempDir,
}

impl FileSystem {
    /// Why this machine cannot have one: it takes Linux, root and a free loop device. `None` if it can.
    #[must_use]
    pub fn missing() -> Option<String> {
        static MISSING: OnceLock<Option<String>> = OnceLock::new();
        MISSING
            .get_or_init(|| {
                Self::create()
                    .err()
                    .map(|error| format!("no file system on a loop device: {error}"))
            })
            .clone()
    }

    /// An empty one.
    ///
    /// # Errors
    ///
    /// The machine cannot have one.
    pub fn create() -> io::Result<Self> {
        let this = Self::unmounted()?;
        std::fs::File::create_new(this.device())?.set_len(BYTES)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(this.device()))?;
        this.mount()?;
        Ok(this)
    }

    fn unmounted() -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::create_dir(folder.path().join("mounted"))?;
        Ok(Self { folder })
    }

    fn device(&self) -> PathBuf {
        self.folder.path().join("device")
    }

    fn mount(&self) -> io::Result<()> {
        // The journal is written when something is synced, and else once in an hour; so is a file's contents, after half a minute.
        run(Command::new("mount")
            .args(["-o", "loop,commit=3600"])
            .arg(self.device())
            .arg(self.path()))
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("mounted")
    }

    /// The file system as it would be found had the power failed now: what the device has got so far, and nothing of what the kernel
    /// still keeps. Nothing should write meanwhile.
    ///
    /// # Errors
    ///
    /// The machine cannot have another one.
    pub fn cut(&self) -> io::Result<Self> {
        let after = Self::unmounted()?;
        std::fs::copy(self.device(), after.device())?;
        after.mount()?;
        Ok(after)
    }
}

impl Drop for FileSystem {
    fn drop(&mut self) {
        // A process that has a file open keeps it until then.
        let _ = run(Command::new("umount").arg("--lazy").arg(self.path()));
    }
}

/// Stops a process and waits until none of its threads does anything, not even in the kernel.
///
/// # Errors
///
/// There is no such process.
pub fn freeze(process: u32) -> io::Result<()> {
    run(Command::new("kill").args(["-STOP", &process.to_string()]))?;
    let threads = Path::new("/proc").join(process.to_string()).join("task");
    while !all_stopped(&threads)? {
        std::thread::yield_now();
    }
    Ok(())
}

fn all_stopped(threads: &Path) -> io::Result<bool> {
    for thread in std::fs::read_dir(threads)? {
        let status = match std::fs::read_to_string(thread?.path().join("stat")) {
            // It ended in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            status => status?,
        };
        // The state is behind the name, which is in parentheses and may have any letter.
        let state = status.rsplit(')').next().unwrap_or_default();
        if !state.trim_start().starts_with(['T', 't']) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn run(command: &mut Command) -> io::Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let explain = |error: &dyn std::fmt::Display| io::Error::other(format!("{name}: {error}"));
    let output = command.output().map_err(|error| explain(&error))?;
    if output.status.success() {
        Ok(())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(explain(&said.lines().next().unwrap_or("it fails")))
    }
}
