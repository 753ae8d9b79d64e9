//! The folder of the downloads of `scripts/get-….sh`.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

/// The folder of the downloads of `scripts/get-….sh`: `$NUDGE_CACHE`, else `~/.cache/nudge`.
///
/// # Errors
///
/// No variable names the folder.
pub fn cache() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    variable("NUDGE_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("nudge")))
        .or_else(|| Some(variable("HOME")?.join(".cache/nudge")))
        .context("neither NUDGE_CACHE nor HOME is set")
}

/// The same; none if `$NUDGE_REAL_PARTS` is `no`.
pub(crate) fn folder() -> Result<PathBuf> {
    let wanted = std::env::var_os("NUDGE_REAL_PARTS").is_none_or(|wanted| wanted != "no");
    ensure!(wanted, "NUDGE_REAL_PARTS=no leaves the real parts out");
    cache()
}
