//! What can go wrong.

use std::path::PathBuf;
use std::process::ExitStatus;

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
    /// A standard library is missing, and rustup did not install it.
    #[error("Rust's target {target} is missing: run `rustup target add {target}` ({status}): {output}")]
    NoTarget {
        /// The target triple.
        target: String,
        /// The exit status of rustup.
        status: ExitStatus,
        /// The output of rustup.
        output: String,
    },
    /// A component or the page does not compile.
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
    /// A file of the page cannot be read or written.
    #[error("{path} cannot be read or written: {source}", path = .path.display())]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The page's module cannot be made loadable.
    #[error("wasm-bindgen cannot use the page's module: {0}")]
    Bindgen(String),
}

/// Names the file that an error of the operating system is about.
pub(crate) fn at(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.into();
    move |source| Error::File { path, source }
}
