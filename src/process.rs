//! What the operating system allows this process.

/// The number of files and connections that the process asks for, if the operating system limits it to fewer by default.
#[cfg(unix)]
const OPEN_FILES: u64 = 65_536;

/// Makes files that are created from now on readable only by their owner: SQLite creates databases with the mode that the process's mask
/// leaves. Then raises the soft limit of open files, as Go's runtime does for daprd: with the usual 1,024, connections of clients
/// could take up the files that the sidecars and databases need.
#[cfg(unix)]
pub(crate) fn prepare() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let mut limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.unwrap_or(OPEN_FILES).min(OPEN_FILES);
    if limit.current.is_some_and(|current| current < wanted) {
        limit.current = Some(wanted);
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of open files cannot be raised");
        }
    }
}

/// Other systems have neither a mask nor such a limit.
#[cfg(not(unix))]
pub(crate) fn prepare() {}
