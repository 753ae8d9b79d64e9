//! Why sidecars do not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What stopped [`crate::Sidecars::bind`]. Nothing is served in that case.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The resources folder, or a file that a resource names, cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file is not YAML, or a document in it has not the shape of its kind.
    #[error("{}, document {document}: not a resource this sidecar can load", file.display())]
    Yaml {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        document: usize,
        /// What the parser said; it names the field.
        source: serde_norway::Error,
    },
    /// A resource asks for something that does not exist here, or contradicts another one.
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
        /// What the parser said. It quotes no value.
        source: serde_json::Error,
    },
    /// Two apps have one id.
    #[error("app id {0} is given twice")]
    AppTwice(String),
    /// The database cannot be opened.
    #[error("cannot open the database {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The database stopped answering while the sidecars started.
    #[error("cannot prepare the database")]
    Store(#[from] crate::store::StoreError),
    /// An app's sidecar address cannot be listened on.
    #[error("the sidecar of {app_id} cannot listen on {addr}")]
    Listen {
        /// Whose sidecar.
        app_id: String,
        /// The address asked for.
        addr: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
}
