//! The system that Nudge replaces: its events on Kafka as plain JSON, its rows, and what both become here.
//!
//! There, ids of tasks, categories and tags are numbers; here a number becomes the UUIDv5 of [`task_id`] and its neighbours, so
//! that an event and an imported row of one task meet. Naive timestamps there are in UTC.
//!
//! ```
//! use nudge_contract::legacy::{LegacyChange, What};
//!
//! let event = br#"{"event_id":"5f0c6f0a-8f3e-4a50-9a3f-6c1d7b1f0a11","event_type":"task.deleted",
//!     "timestamp":"2026-11-21T10:00:00.123456","user_id":7,"schema_version":"1.0","task_id":42}"#;
//! let change = LegacyChange::of_event(event).expect("an event");
//! assert_eq!((change.user_id.as_str(), change.what), ("7", What::Deleted { task: 42 }));
//! ```

mod fields;
mod incoming;
mod outgoing;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::task::Snapshot;

pub use fields::{instant, task_fields};
pub use incoming::LegacyError;
pub use outgoing::{Outgoing, completed, reminder_sent, task_event};

/// Header of every message that Nudge writes to the other system's topics. Who finds it there does nothing that follows from the
/// change (no mail, no next occurrence), since Nudge did; and the adapter passes over it.
pub const ORIGIN_HEADER: &str = "nudge-origin";

/// First of the numbers that tasks made in Nudge get in the other system, far above its own and within 32 bits.
pub const FIRST_NUMBER: i64 = 1_000_000_000;

/// [`LegacyChange::event_id`] of a row that was imported.
pub const IMPORT: &str = "import";

/// Most users of one [`SetMaster`], and of [`Masters::others`].
pub const MOST_USERS: usize = 1_000;

/// UUIDv5 of the DNS name `legacy.nudge.example`.
const NAMESPACE: Uuid = Uuid::from_u128(0xd23d_0b24_14b0_527a_992e_fe8c_1992_541a);

/// The task that has this number there.
pub fn task_id(number: i64) -> Uuid {
    derived("task", number)
}

/// The category that has this number there.
pub fn category_id(number: i64) -> Uuid {
    derived("category", number)
}

/// The tag that has this number there.
pub fn tag_id(number: i64) -> Uuid {
    derived("tag", number)
}

fn derived(kind: &str, number: i64) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind}:{number}").as_bytes())
}

/// Something that was done there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LegacyChange {
    /// Id of the event; [`IMPORT`] for a row.
    pub event_id: String,
    /// When it was done, UTC; when the row was last changed.
    pub at: String,
    /// Whose it is.
    pub user_id: String,
    /// What was done.
    #[serde(flatten)]
    pub what: What,
}

/// What was done there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum What {
    /// A task is new, or a row of it was read.
    Stored {
        /// Number of the task.
        task: i64,
        /// When it was created, UTC; none: with this change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_at: Option<String>,
        /// Its fields: see [`task_fields`].
        fields: Map<String, Value>,
        /// Its reminder was sent.
        #[serde(default)]
        reminded: bool,
        /// Minutes before its due date at which it is to be reminded of; none: not at all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind_before: Option<u32>,
    },
    /// Fields of a task changed.
    Updated {
        /// Number of the task.
        task: i64,
        /// Those that changed: see [`task_fields`].
        fields: Map<String, Value>,
        /// As in [`What::Stored`], if the task has no reminder.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind_before: Option<u32>,
    },
    /// A task is done.
    Completed {
        /// Number of the task.
        task: i64,
        /// When, UTC.
        completed_at: String,
    },
    /// A task is gone.
    Deleted {
        /// Number of the task.
        task: i64,
    },
    /// The reminder of a task was sent.
    Reminded {
        /// Number of the task.
        task: i64,
    },
    /// A category is there.
    Category {
        /// Its number.
        number: i64,
        /// Its name.
        name: String,
        /// Its colour, `#rrggbb`.
        #[serde(default)]
        color: Option<String>,
    },
    /// A tag is there.
    Tag {
        /// Its number.
        number: i64,
        /// Its name.
        name: String,
        /// Its colour, `#rrggbb`.
        #[serde(default)]
        color: Option<String>,
    },
}

impl What {
    /// Number of the task that it is about.
    pub fn task(&self) -> Option<i64> {
        match self {
            Self::Stored { task, .. }
            | Self::Updated { task, .. }
            | Self::Completed { task, .. }
            | Self::Deleted { task }
            | Self::Reminded { task } => Some(*task),
            Self::Category { .. } | Self::Tag { .. } => None,
        }
    }
}

/// Body of [`LEGACY_CHANGES`](crate::names::route::LEGACY_CHANGES).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LegacyChanges {
    /// In the order in which they are to be applied.
    pub changes: Vec<LegacyChange>,
}

/// Answer of [`LEGACY_CHANGES`](crate::names::route::LEGACY_CHANGES).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LegacyResults {
    /// One for each change.
    pub results: Vec<Applied>,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Applied {
    /// The thing is new here.
    Created,
    /// It was changed here.
    Updated,
    /// It was so already, or is newer here.
    Unchanged,
    /// Its task is not here yet; it is kept, and applied when the task comes.
    Waiting,
    /// It cannot be here, whatever is tried.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
}

/// Answer of [`LEGACY_TASK`](crate::names::route::LEGACY_TASK).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Numbered {
    /// Number of the task there; handed out now if it had none.
    pub number: i64,
    /// Number of its category there, if the category came from there.
    pub category: Option<i64>,
    /// Numbers of its tags there, of those that came from there.
    pub tags: Vec<i64>,
    /// The task as it is now, or was last; none when its owner left and it was purged.
    pub task: Option<Snapshot>,
}

/// One of the two systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Master {
    /// Nudge.
    Nudge,
    /// The one that it replaces.
    Legacy,
}

impl Master {
    /// `nudge` or `legacy`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nudge => "nudge",
            Self::Legacy => "legacy",
        }
    }
}

/// Body of [`LEGACY_MASTERS`](crate::names::route::LEGACY_MASTERS): who reminds whom from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetMaster {
    /// Which system.
    pub master: Master,
    /// Whom, at most [`MOST_USERS`]; none: everybody.
    #[serde(default)]
    pub users: Option<Vec<String>>,
}

/// Answer of [`LEGACY_MASTERS`](crate::names::route::LEGACY_MASTERS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Masters {
    /// Of everybody who is not named.
    pub everybody: Master,
    /// Users whose master is the other one, at most [`MOST_USERS`].
    pub others: Vec<String>,
    /// Changes that wait for their task.
    pub waiting: u32,
}
