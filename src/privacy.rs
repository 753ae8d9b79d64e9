//! Who else on this machine can read what Nudge stores.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};

/// Takes away the access of the group and of others to a folder and everything in it. Symbolic links are not followed. Returns `true`
/// if there was any. On systems without Unix modes it does nothing.
///
/// # Errors
///
/// The folder cannot be read, or a mode cannot be changed, for example because another user owns the file.
pub(crate) fn restrict(folder: &Path) -> Result<bool> {
    let mut changed = restrict_one(folder)?;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot read the folder {}", folder.display()))?;
        for entry in entries {
            let path = entry
                .with_context(|| format!("cannot read the folder {}", folder.display()))?
                .path();
            changed |= restrict_one(&path)?;
            if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_dir()) {
                folders.push(path);
            }
        }
    }
    Ok(changed)
}

#[cfg(unix)]
fn restrict_one(path: &Path) -> Result<bool> {
    use std::os::unix::fs::PermissionsExt;

    let changed = fs::symlink_metadata(path).and_then(|metadata| {
        let mode = metadata.permissions().mode();
        if metadata.is_symlink() || mode & 0o077 == 0 {
            return Ok(false);
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700))?;
        Ok(true)
    });
    match changed {
        // A program that runs on the folder deletes files, for example the journal of a database.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        changed => changed
            .with_context(|| format!("cannot take away the access of other users to {}", path.display())),
    }
}

#[cfg(not(unix))]
fn restrict_one(_: &Path) -> Result<bool> {
    Ok(false)
}
