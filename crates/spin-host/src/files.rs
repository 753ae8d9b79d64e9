//! The `files` of a component: copied into one folder, which the guest sees read-only as `/`.

use std::io;
use std::path::{Component, Path, PathBuf};

use crate::manifest::Files;

/// Why the files of a component cannot be provided.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// A file or folder cannot be read or copied.
    #[error("{}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// An entry is neither the name of a file nor a glob pattern that matches.
    #[error("{pattern:?} is neither a file nor a glob pattern that matches")]
    Pattern {
        /// The entry.
        pattern: String,
    },
    /// A path leads outside the application's folder or the guest's.
    #[error("{path:?} leads outside its folder")]
    Outside {
        /// The path.
        path: String,
    },
}

/// Copies `files` into a new temporary folder, which lives as long as the returned value. `None` if there are none.
pub(crate) fn assemble(folder: &Path, files: &[Files]) -> Result<Option<tempfile::TempDir>, FilesError> {
    if files.is_empty() {
        return Ok(None);
    }
    let target = tempfile::tempdir().map_err(|source| FilesError::Io {
        path: std::env::temp_dir(),
        source,
    })?;
    for entry in files {
        match entry {
            Files::Pattern(pattern) => copy_pattern(folder, pattern, target.path())?,
            Files::Placement { source, destination } => {
                let destination = destination.trim_start_matches('/');
                inside(Path::new(destination))?;
                inside(source)?;
                copy(&folder.join(source), &target.path().join(destination))?;
            }
        }
    }
    Ok(Some(target))
}

fn copy_pattern(folder: &Path, pattern: &str, target: &Path) -> Result<(), FilesError> {
    inside(Path::new(pattern))?;
    let path = folder.join(pattern);
    if path.exists() {
        return copy(&path, &target.join(pattern));
    }
    let no_match = || FilesError::Pattern {
        pattern: pattern.to_owned(),
    };
    let paths = glob::glob(&path.to_string_lossy()).map_err(|_| no_match())?;
    let mut any = false;
    for path in paths {
        let path = path.map_err(|error| FilesError::Io {
            path: error.path().to_owned(),
            source: error.into(),
        })?;
        let relative = path.strip_prefix(folder).map_err(|_| no_match())?;
        if path.is_file() {
            copy(&path, &target.join(relative))?;
        }
        any = true;
    }
    if any { Ok(()) } else { Err(no_match()) }
}

/// Copies a file, or a folder with its content.
fn copy(from: &Path, to: &Path) -> Result<(), FilesError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| FilesError::Io { path, source }
    };
    if from.is_dir() {
        std::fs::create_dir_all(to).map_err(at(to))?;
        for entry in std::fs::read_dir(from).map_err(at(from))? {
            let entry = entry.map_err(at(from))?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        std::fs::create_dir_all(parent).map_err(at(parent))?;
    }
    std::fs::copy(from, to).map_err(at(from))?;
    Ok(())
}

fn inside(path: &Path) -> Result<(), FilesError> {
    let outside = |part| {
        matches!(
            part,
            Component::ParentDir | Component::RootDir | Component::Prefix(_)
        )
    };
    if path.components().any(outside) {
        return Err(FilesError::Outside {
            path: path.display().to_string(),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir_all(folder.path().join("web/css")).expect("writable");
        for file in ["web/index.html", "web/css/a.css", "notes.txt"] {
            std::fs::write(folder.path().join(file), file).expect("writable");
        }
        folder
    }

    fn check(files: &[Files]) -> Vec<String> {
        let folder = tree();
        let target = assemble(folder.path(), files)
            .expect("files that exist")
            .expect("a folder");
        let mut found: Vec<String> = glob::glob(&target.path().join("**/*").to_string_lossy())
            .expect("a pattern")
            .filter_map(Result::ok)
            .filter(|path| path.is_file())
            .map(|path| {
                path.strip_prefix(target.path())
                    .expect("below")
                    .display()
                    .to_string()
            })
            .collect();
        found.sort();
        found
    }

    #[test]
    fn a_placement_gives_a_folder_another_name() {
        let files = [Files::Placement {
            source: "web".into(),
            destination: "/".into(),
        }];
        assert_eq!(check(&files), ["css/a.css", "index.html"]);
    }

    #[test]
    fn a_pattern_keeps_the_relative_paths() {
        assert_eq!(check(&[Files::Pattern("web/**/*.css".into())]), ["web/css/a.css"]);
        assert_eq!(check(&[Files::Pattern("notes.txt".into())]), ["notes.txt"]);
    }

    #[test]
    fn a_path_that_leads_outside_and_a_pattern_without_a_match_are_refused() {
        let folder = tree();
        for pattern in ["../x", "/etc/passwd", "nothing/*"] {
            assert!(
                assemble(folder.path(), &[Files::Pattern(pattern.into())]).is_err(),
                "{pattern}"
            );
        }
    }
}
