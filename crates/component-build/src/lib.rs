//! Builds the components of `spin.toml` with cargo, so that neither a program nor a test runs against a stale one.
//!
//! ```no_run
//! # fn run() -> Result<(), nudge_component_build::Error> {
//! nudge_component_build::build(".".as_ref(), &mut |line| eprintln!("{line}"))?;
//! # Ok(()) }
//! ```

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// The target triple that components are built for.
pub const TARGET: &str = "wasm32-wasip2";

/// The packages in `components/` that become a `.wasm`.
pub const PACKAGES: [&str; 6] = [
    "nudge-api",
    "nudge-notification",
    "nudge-email-delivery",
    "nudge-recurring-task",
    "nudge-legacy-adapter",
    "nudge-dapr-bridge",
];

/// Why the components could not be built. Each message says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program is missing.
    #[error("`{program}` does not start: install Rust with rustup, https://rustup.rs")]
    NoProgram {
        /// The name of the program.
        program: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The standard library for components is missing, and rustup did not install it.
    #[error("Rust's target {TARGET} is missing: run `rustup target add {TARGET}` ({status}): {output}")]
    NoTarget {
        /// The exit status of rustup.
        status: ExitStatus,
        /// The output of rustup.
        output: String,
    },
    /// A component does not compile.
    #[error("the components do not build ({status}): see cargo's messages, or run `{command}`")]
    Build {
        /// The exit status of cargo.
        status: ExitStatus,
        /// The command that was run.
        command: String,
    },
    /// Cargo's messages cannot be read.
    #[error("cargo's messages cannot be read")]
    Messages(#[source] std::io::Error),
}

/// Builds every component of the workspace at `root` into `target/wasm32-wasip2/release`, where `spin.toml` looks for
/// them. Adds the target with rustup if it is missing. `progress` is called with each line of cargo's and
/// rustup's output.
///
/// Processes that build at the same time wait for each other on cargo's own lock.
///
/// # Errors
///
/// Rust or the target is missing, or a component does not compile.
pub fn build(root: &Path, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    ensure_target(root, progress)?;
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut cargo = command(&program, root);
    cargo
        .args(["build", "--release", "--target", TARGET, "--target-dir"])
        .arg(root.join("target"));
    for package in PACKAGES {
        cargo.args(["-p", package]);
    }
    let mut child = cargo
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|source| Error::NoProgram { program, source })?;
    if let Some(messages) = child.stderr.take() {
        for line in BufReader::new(messages).lines() {
            progress(&line.map_err(Error::Messages)?);
        }
    }
    let status = child.wait().map_err(Error::Messages)?;
    if status.success() {
        return Ok(());
    }
    let command = format!(
        "cargo build --release --target {TARGET} -p {}",
        PACKAGES.join(" -p ")
    );
    Err(Error::Build { status, command })
}

/// Adds the target unless the toolchain of the workspace has it.
fn ensure_target(root: &Path, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let program = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = command(&program, root)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .map_err(|source| Error::NoProgram { program, source })?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && folder.is_dir() {
        return Ok(());
    }
    progress(&format!(
        "The compiler lacks the target {TARGET}; adding it with `rustup target add {TARGET}`"
    ));
    let output = command("rustup", root)
        .args(["target", "add", TARGET])
        .output()
        .map_err(|source| Error::NoProgram {
            program: "rustup".to_owned(),
            source,
        })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::NoTarget {
        status: output.status,
        output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// A command in the workspace, without the environment that an outer cargo sets for a native build.
fn command(program: &str, root: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root);
    for name in [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC_WORKSPACE_WRAPPER",
    ] {
        command.env_remove(name);
    }
    command
}
