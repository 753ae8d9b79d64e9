//! Builds the page and the components of `spin.toml` with cargo, so that neither a program nor a test runs against a stale one.
//!
//! ```no_run
//! # fn run() -> Result<(), nudge_component_build::Error> {
//! nudge_component_build::build(".".as_ref(), &mut |line| eprintln!("{line}"))?;
//! # Ok(()) }
//! ```

mod cargo;
mod error;
mod page;
mod site;

use std::path::Path;

pub use error::Error;

/// The target triple that components are built for.
pub const TARGET: &str = "wasm32-wasip2";

/// The target triple that the page is built for.
pub const PAGE_TARGET: &str = "wasm32-unknown-unknown";

/// The packages in `components/` that become a `.wasm`.
pub const PACKAGES: [&str; 7] = [
    "nudge-api",
    "nudge-web",
    "nudge-notification",
    "nudge-email-delivery",
    "nudge-recurring-task",
    "nudge-legacy-adapter",
    "nudge-dapr-bridge",
];

/// Builds the page, and every component of the workspace at `root` into `target/wasm32-wasip2/release`, where `spin.toml` looks for
/// them. Adds missing targets with rustup. `progress` is called with each line of cargo's and rustup's output.
///
/// Processes that build at the same time wait for each other.
///
/// # Errors
///
/// Rust or a target is missing, or something does not compile.
pub fn build(root: &Path, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    // nudge-web contains the page.
    build_page(root, progress)?;
    cargo::ensure_target(root, TARGET, progress)?;
    let mut args = vec!["--release", "--target", TARGET];
    for package in PACKAGES {
        args.extend(["-p", package]);
    }
    cargo::build(root, &args, progress)
}

/// Builds the page of the workspace at `root` into `target/site`, where nudge-web takes its files from. If nothing has changed, this
/// takes less than a second.
///
/// # Errors
///
/// As [`build`].
pub fn build_page(root: &Path, progress: &mut dyn FnMut(&str)) -> Result<(), Error> {
    cargo::ensure_target(root, PAGE_TARGET, progress)?;
    cargo::build(
        root,
        &["--profile", "page", "--target", PAGE_TARGET, "-p", "nudge-page"],
        progress,
    )?;
    page::pack(root, progress)
}
