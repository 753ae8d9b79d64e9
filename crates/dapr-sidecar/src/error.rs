//! Errors at startup.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why [`crate::Sidecars::bind`] failed. Nothing is served then.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The resources folder, or a file that a resource names, cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// The operating system's error.
        source: io::Error,
    },
    /// A file is not YAML, or a document in it does not have the form of its kind.
    #[error("{}, document {document}: not a resource this sidecar can load", file.display())]
    Yaml {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        document: usize,
        /// The parser's error, which names the field.
        source: serde_norway::Error,
    },
    /// A resource uses something that does not exist here, or contradicts another one.
    #[error("{}, {kind} {name}: {problem}", file.display())]
    Resource {
        /// The file.
        file: PathBuf,
        /// `Component`, `Subscription`, `Resiliency` or `Configuration`.
        kind: &'static str,
        /// `metadata.name`.
        name: String,
        /// The field and what is wrong with it.
        problem: String,
    },
    /// A secrets file is not a JSON object.
    #[error("{}: a secrets file is one JSON object", path.display())]
    Secrets {
        /// The file.
        path: PathBuf,
        /// The parser's error, which quotes no value.
        source: serde_json::Error,
    },
    /// Two apps have the same id.
    #[error("duplicate app id {0}")]
    AppTwice(String),
    /// The database cannot be opened.
    #[error("cannot open the database {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// SQLite's error.
        source: rusqlite::Error,
    },
    /// The database failed while the sidecars started.
    #[error("cannot prepare the database")]
    Store(#[from] crate::store::StoreError),
    /// A sidecar cannot listen on its address.
    #[error("the sidecar of {app_id} cannot listen on {addr}")]
    Listen {
        /// The sidecar's app.
        app_id: String,
        /// The requested address.
        addr: SocketAddr,
        /// The operating system's error.
        source: io::Error,
    },
}
