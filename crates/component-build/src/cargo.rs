//! Cargo, rustc and rustup as processes.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

/// Runs `cargo build` with `args` in the workspace at `root`, into its `target/`.
pub(crate) fn build(root: &Path, args: &[&str], progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut child = command(&program, root)
        .arg("build")
        .args(args)
        .arg("--target-dir")
        .arg(root.join("target"))
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
    let command = format!("cargo build {}", args.join(" "));
    Err(Error::Build { status, command })
}

/// Adds a target unless the toolchain of the workspace has it.
pub(crate) fn ensure_target(root: &Path, target: &str, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let program = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let output = command(&program, root)
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .map_err(|source| Error::NoProgram { program, source })?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    if output.status.success() && folder.is_dir() {
        return Ok(());
    }
    progress(&format!(
        "The compiler lacks the target {target}; adding it with `rustup target add {target}`"
    ));
    let output = command("rustup", root)
        .args(["target", "add", target])
        .output()
        .map_err(|source| Error::NoProgram {
            program: "rustup".to_owned(),
            source,
        })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Error::NoTarget {
        target: target.to_owned(),
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
