//! Builds the WebAssembly components with cargo, for `nudge up` and for the tests.
//!
//! Cargo decides what is stale, and its lock keeps several builds at once in order. The compiler's target is added
//! with rustup when it is missing.
//!
//! ```no_run
//! let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
//! component_build::build(&root, &mut |line| eprintln!("{line}"))?;
//! # Ok::<(), component_build::Error>(())
//! ```

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The compiler's name for what the components are built for.
pub const TARGET: &str = "wasm32-wasip2";

/// The packages that become components, as in `components/`.
pub const PACKAGES: [&str; 5] =
    ["nudge-api", "nudge-notification", "nudge-email-delivery", "nudge-recurring-task", "nudge-dapr-bridge"];

/// Why there are no components.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Cargo could not be run.
    #[error("cannot run {program}: install Rust from https://rustup.rs, and start this with cargo")]
    NoProgram {
        /// What was to be run.
        program: String,
        /// Why it did not.
        source: io::Error,
    },
    /// The target is missing, and rustup could not add it.
    #[error("the compiler has no target {TARGET}: run `rustup target add {TARGET}` and look at what it says")]
    NoTarget,
    /// The components do not compile; cargo has said why.
    #[error("the components do not build: cargo's messages above say why")]
    Failed,
}

/// Builds all components for release. Cargo's own progress goes to standard error; `say` gets a line for each step that
/// may take longer.
///
/// # Errors
///
/// Without cargo or rustup, without the target, and when the components do not compile.
pub fn build(workspace: &Path, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
    ensure_target(workspace, say)?;
    let mut cargo = Command::new(cargo());
    cargo.current_dir(workspace).args(["build", "--release", "--target", TARGET]);
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    // What a surrounding `cargo run` or `cargo test` set for its own build must not leak into this one.
    for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        cargo.env_remove(name);
    }
    if run(&mut cargo)? { Ok(()) } else { Err(Error::Failed) }
}

fn ensure_target(workspace: &Path, say: &mut dyn FnMut(&str)) -> Result<(), Error> {
    if has_target(workspace)? {
        return Ok(());
    }
    say(&format!("The compiler has no target {TARGET} yet; adding it with rustup"));
    let added = run(Command::new("rustup").current_dir(workspace).args(["target", "add", TARGET]));
    match added {
        Ok(true) if has_target(workspace)? => Ok(()),
        _ => Err(Error::NoTarget),
    }
}

/// Whether the toolchain that builds the workspace has the target's standard library.
fn has_target(workspace: &Path) -> Result<bool, Error> {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let output = rustc
        .current_dir(workspace)
        .args(["--print", "target-libdir", "--target", TARGET])
        .stderr(Stdio::null())
        .output()
        .map_err(|source| Error::NoProgram { program: "rustc".to_owned(), source })?;
    let folder = String::from_utf8_lossy(&output.stdout);
    Ok(output.status.success() && PathBuf::from(folder.trim()).is_dir())
}

fn run(command: &mut Command) -> Result<bool, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command
        .stdin(Stdio::null())
        // Standard output belongs to whoever asked, for a token or a test report.
        .stdout(io::stderr())
        .status()
        .map_err(|source| Error::NoProgram { program, source })?;
    Ok(status.success())
}

/// The cargo that runs this, or the one on the path.
fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}
