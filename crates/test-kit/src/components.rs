//! Components built from the current source when a test first needs them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Builds the components, once per process, and returns the root of the workspace, where `spin.toml` is.
///
/// # Panics
///
/// If they do not build.
#[expect(clippy::panic, reason = "a test without components has failed")]
pub fn built() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .skip(2)
            .take(1)
            .collect();
        if let Err(error) = nudge_component_build::build(&root, &mut |line| eprintln!("{line}")) {
            panic!("{error}");
        }
        root
    })
}
