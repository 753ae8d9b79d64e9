//! The record kept between two events of a task: the version that was handled last, and its jobs.

use std::collections::BTreeMap;

use nudge_component::dapr::state::{self, Outcome, Precondition, PutOperation};
use nudge_component::dapr::types::Error;
use nudge_contract::names::component::STATE_STORE;
use nudge_domain::LocalInstant;
use nudge_domain::id::{ReminderId, TaskId};
use serde::{Deserialize, Serialize};

/// How long the record of a task without reminders is kept: longer than any event can be delayed.
const KEPT_SECONDS: u32 = 7 * 24 * 60 * 60;

/// The record of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Armed {
    /// The version of the task that was handled last.
    pub(crate) version: u32,
    /// Reminders that have a job, and the instant at which it fires.
    pub(crate) jobs: BTreeMap<ReminderId, LocalInstant>,
}

/// A record and its ETag.
pub(crate) struct Stored {
    pub(crate) armed: Armed,
    etag: String,
}

fn key(task: TaskId) -> String {
    format!("armed-{task}")
}

/// Reads the record of a task. One that cannot be read is treated as missing: the next write replaces it.
pub(crate) async fn load(task: TaskId) -> Result<Option<Stored>, Error> {
    let entry = state::get(STATE_STORE.to_owned(), key(task)).await?;
    Ok(entry.map(|entry| {
        let armed = serde_json::from_str(&entry.value).unwrap_or_else(|error| {
            tracing::error!(%task, "the record of armed reminders cannot be read and is replaced: {error}");
            Armed {
                version: 0,
                jobs: BTreeMap::new(),
            }
        });
        Stored {
            armed,
            etag: entry.etag,
        }
    }))
}

/// Writes the record unless it has changed since `previous` was read.
pub(crate) async fn save(task: TaskId, armed: &Armed, previous: Option<&Stored>) -> Result<Outcome, Error> {
    let precondition = match previous {
        Some(stored) => Precondition::Unchanged(stored.etag.clone()),
        None => Precondition::Absent,
    };
    // Writing a map of ids and instants as JSON cannot fail.
    let value = serde_json::to_string(armed).unwrap_or_default();
    let ttl_seconds = armed.jobs.is_empty().then_some(KEPT_SECONDS);
    state::put(
        STATE_STORE.to_owned(),
        PutOperation {
            key: key(task),
            value,
            precondition,
            ttl_seconds,
        },
    )
    .await
}
