//! Where `scripts/get-….sh` put what they get.

use std::path::PathBuf;

use anyhow::{Context, Result};

/// `$NUDGE_CACHE`, else `~/.cache/nudge`.
pub(crate) fn folder() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    variable("NUDGE_CACHE")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("nudge")))
        .or_else(|| Some(variable("HOME")?.join(".cache/nudge")))
        .context("neither NUDGE_CACHE nor HOME is set")
}
