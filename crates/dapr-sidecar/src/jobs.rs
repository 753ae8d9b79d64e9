//! Jobs: `/v1.0-alpha1/jobs/{name}` and the callbacks `POST /job/{name}`.

pub(crate) mod api;
pub(crate) mod runner;
mod schedule;
mod table;

use tokio::sync::watch;

/// Notifies the runners that a job was created, changed or deleted.
pub(crate) struct Jobs {
    changed: watch::Sender<()>,
}

impl Jobs {
    pub(crate) fn new() -> Self {
        Self {
            changed: watch::Sender::new(()),
        }
    }
}
