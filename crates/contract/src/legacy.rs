//! The legacy system, which Nudge replaces: its events on Kafka as plain JSON, its rows, and what both become in Nudge.
//!
//! In the legacy system ids of tasks, categories and tags are numbers. In Nudge a number becomes the UUIDv5 of [`task_id`],
//! [`category_id`] or [`tag_id`], so that an event and an imported row of one task meet. Its timestamps without an offset are in UTC.
//!
//! ```
//! use nudge_contract::legacy::{Action, LegacyChange};
//!
//! let event = br#"{"event_id":"5f0c6f0a-8f3e-4a50-9a3f-6c1d7b1f0a11","event_type":"task.deleted",
//!     "timestamp":"2026-11-21T10:00:00.123456","user_id":7,"schema_version":"1.0","task_id":42}"#;
//! let change = LegacyChange::of_event(event).expect("an event");
//! assert_eq!((change.user_id.as_str(), change.action), ("7", Action::Deleted { task: 42 }));
//! ```

mod field;
mod fields;
mod incoming;
mod outgoing;

use jiff::Timestamp;
use nudge_domain::id::{CategoryId, TagId, TaskId, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::task::Snapshot;

pub use field::LegacyField;
pub use fields::{LegacyFields, instant};
pub use incoming::{LegacyError, user};
pub use outgoing::{Outgoing, completed, reminder_sent, task_event};

/// Header of every message that Nudge writes to the topics of the legacy system. A consumer that finds it does nothing that follows
/// from the change (no email, no next occurrence), since Nudge did; the adapter ignores the message.
pub const ORIGIN_HEADER: &str = "nudge-origin";

/// First of the numbers that tasks created in Nudge get in the legacy system, far above its own and within 32 bits.
pub const FIRST_NUMBER: i64 = 1_000_000_000;

/// [`LegacyChange::event_id`] of an imported row.
pub const IMPORT: &str = "import";

/// Maximum number of users per [`SetMaster`], and in [`Masters::others`].
pub const MAX_USERS: usize = 1_000;

/// UUIDv5 of the DNS name `legacy.nudge.example`.
const NAMESPACE: Uuid = Uuid::from_u128(0xd23d_0b24_14b0_527a_992e_fe8c_1992_541a);

/// Id of the task that has this number in the legacy system.
pub fn task_id(number: i64) -> TaskId {
    derived("task", number).into()
}

/// Id of the category that has this number in the legacy system.
pub fn category_id(number: i64) -> CategoryId {
    derived("category", number).into()
}

/// Id of the tag that has this number in the legacy system.
pub fn tag_id(number: i64) -> TagId {
    derived("tag", number).into()
}

fn derived(kind: &str, number: i64) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{kind}:{number}").as_bytes())
}

/// A change that was made in the legacy system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LegacyChange {
    /// Id of the event; [`IMPORT`] for a row.
    pub event_id: String,
    /// When it was made; of a row, when the row was last changed.
    pub at: Timestamp,
    /// The owner of the task or label.
    pub user_id: UserId,
    /// What was done.
    #[serde(flatten)]
    pub action: Action,
}

/// What was done in the legacy system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Action {
    /// A task was created, or its row was read.
    Stored {
        /// Number of the task.
        task: i64,
        /// When it was created; `None` if by this change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        created_at: Option<Timestamp>,
        /// Its fields.
        fields: LegacyFields,
        /// Its reminder was sent.
        #[serde(default)]
        reminded: bool,
        /// Minutes before its due date at which the legacy system reminds of it; `None` if it does not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind_before: Option<u32>,
    },
    /// Fields of a task changed.
    Updated {
        /// Number of the task.
        task: i64,
        /// The fields that changed.
        fields: LegacyFields,
        /// As in [`Action::Stored`]. It counts if the task has no reminder.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remind_before: Option<u32>,
    },
    /// A task was completed.
    Completed {
        /// Number of the task.
        task: i64,
        /// When.
        completed_at: Timestamp,
    },
    /// A task was deleted.
    Deleted {
        /// Number of the task.
        task: i64,
    },
    /// The reminder of a task was sent.
    Reminded {
        /// Number of the task.
        task: i64,
    },
    /// The row of a category was read.
    Category {
        /// Its number.
        number: i64,
        /// Its name.
        name: String,
        /// Its colour, `#rrggbb`.
        #[serde(default)]
        color: Option<String>,
    },
    /// The row of a tag was read.
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

impl Action {
    /// Number of the task that changed; `None` for a label.
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

/// The result of applying a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "camelCase")]
pub enum Applied {
    /// It created the task or label.
    Created,
    /// It changed the task or label.
    Updated,
    /// Nudge had it already, or has something newer.
    Unchanged,
    /// Nudge does not have its task yet. It is kept, and applied when the task arrives.
    Waiting,
    /// It can never be applied.
    Refused {
        /// Why, and what to do, in the words of the legacy system.
        reason: String,
    },
}

/// Answer of [`LEGACY_TASK`](crate::names::route::LEGACY_TASK).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Numbered {
    /// Number of the task in the legacy system; assigned by this call if it had none.
    pub number: i64,
    /// Number of its category, if the category came from the legacy system.
    pub category: Option<i64>,
    /// Numbers of those of its tags that came from the legacy system.
    pub tags: Vec<i64>,
    /// The task as it is, or was before it was deleted; `None` if it was purged because its owner deleted the account.
    pub task: Option<Snapshot>,
}

/// One of the two systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Master {
    /// Nudge.
    Nudge,
    /// The legacy system.
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

/// Body of [`LEGACY_MASTERS`](crate::names::route::LEGACY_MASTERS): which system reminds users from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetMaster {
    /// The system.
    pub master: Master,
    /// The users, at most [`MAX_USERS`]; `None` for all users.
    #[serde(default)]
    pub users: Option<Vec<String>>,
}

/// Answer of [`LEGACY_MASTERS`](crate::names::route::LEGACY_MASTERS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Masters {
    /// The master of all users who are not in `others`.
    pub everybody: Master,
    /// Users whose master is the other system, at most [`MAX_USERS`].
    pub others: Vec<String>,
    /// Changes that wait for their task.
    pub waiting: u32,
}
