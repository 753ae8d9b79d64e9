//! What the api answers, to people and to the other services.

use jiff::Timestamp;
use nudge_domain::LocalInstant;
use nudge_domain::id::{ReminderId, TaskId};
use serde::{Deserialize, Serialize};

use crate::event::Change;
use crate::task::{Snapshot, Task};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// In the order that was asked for.
    pub items: Vec<T>,
    /// What to send as `cursor` for the next page; none when this is the last one.
    pub next_cursor: Option<String>,
}

/// One version of a task, as history and feed show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeItem {
    /// Its place: what `since`, `Last-Event-ID` and `cursor` take.
    pub id: String,
    /// What happened.
    #[serde(rename = "type")]
    pub kind: Change,
    /// Which task.
    pub task_id: TaskId,
    /// Which version it made.
    pub version: u32,
    /// When, UTC.
    pub time: Timestamp,
    /// Names of the fields that differ from the version before.
    pub changed: Vec<String>,
    /// The task at that version; as it was last, when deleted.
    pub task: Task,
}

/// Answer of the change feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Oldest first.
    pub items: Vec<ChangeItem>,
    /// What to send as `since` next time, also when there are no items.
    pub next: String,
}

/// Answer of a bulk call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkAnswer {
    /// One for each operation, in their order.
    pub results: Vec<BulkResult>,
}

/// How one operation of a bulk call ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkResult {
    /// The HTTP status it would have had alone.
    pub status: u16,
    /// The task as it is now, unless it was deleted or the operation refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// Why it was refused: RFC 9457 problem details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<serde_json::Value>,
}

/// A reminder whose time has come and that nobody has sent: an item of the answer of
/// [`OVERDUE_REMINDERS`](crate::names::route::OVERDUE_REMINDERS), and the data of a reminder's job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ArmedReminder {
    /// Which reminder.
    pub reminder_id: ReminderId,
    /// The instant it is armed for.
    pub remind_at: LocalInstant,
    /// Its task.
    pub task: Snapshot,
    /// W3C trace context, because a job's callback has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// Answer of [`OVERDUE_REMINDERS`](crate::names::route::OVERDUE_REMINDERS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OverdueReminders {
    /// Oldest first, at most 100.
    pub items: Vec<ArmedReminder>,
}

/// Answer of [`REMINDER_DELIVERY`](crate::names::route::REMINDER_DELIVERY): the last word on whether to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ReminderDelivery {
    /// Send it.
    Send {
        /// Whereto.
        email: String,
        /// IANA name of the zone its owner lives in.
        time_zone: String,
        /// The task as it is now.
        task: Box<Snapshot>,
    },
    /// It was cancelled, moved, or sent meanwhile.
    Skip {
        /// Why, for the log.
        reason: String,
    },
    /// It should be sent, but the owner has no address.
    NoAddress,
}

/// Body of [`SUCCESSOR`](crate::names::route::SUCCESSOR).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Successor {
    /// The next occurrence.
    Next {
        /// UUIDv5 of the series and the instant: asking twice is asking once.
        id: TaskId,
        /// When it is due.
        due: LocalInstant,
        /// Its number.
        occurrence: u32,
        /// `completedAt` of the completion that it follows; without it, whichever there is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        completed_at: Option<Timestamp>,
    },
    /// The series is over.
    Ended {
        /// As in [`Successor::Next`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        completed_at: Option<Timestamp>,
    },
}

impl Successor {
    /// `completedAt` of the completion that it follows.
    pub fn completed_at(&self) -> Option<Timestamp> {
        match self {
            Self::Next { completed_at, .. } | Self::Ended { completed_at } => *completed_at,
        }
    }
}

/// Answer of [`RELAY`](crate::names::route::RELAY).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RelayReport {
    /// Events that were left over and are published now.
    pub published: u32,
    /// Events that are still left over.
    pub left: u32,
}

/// An event that a consumer could not handle, as [`DEAD_LETTERS`](crate::names::route::DEAD_LETTERS) shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// What to name it by.
    pub id: String,
    /// Where it was published; none when that cannot be read from it.
    pub topic: Option<String>,
    /// App id of the consumer that refused it; none when the sidecar put it aside.
    pub consumer: Option<String>,
    /// Why.
    pub reason: String,
    /// When it came here, UTC.
    pub arrived_at: Timestamp,
    /// The event as it was delivered, or its beginning.
    pub event: String,
}

/// Answer of [`DEAD_LETTERS`](crate::names::route::DEAD_LETTERS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetters {
    /// Oldest first, at most 100.
    pub items: Vec<DeadLetter>,
    /// How many there are.
    pub count: u32,
}

/// Body of [`DEAD_LETTERS_REPLAY`](crate::names::route::DEAD_LETTERS_REPLAY) and
/// [`DEAD_LETTERS_DISCARD`](crate::names::route::DEAD_LETTERS_DISCARD): which, at most 100.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetterIds {
    /// Their ids.
    pub ids: Vec<String>,
}

/// Answer of both: what became of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLettersDone {
    /// Those that were published, or forgotten.
    pub done: Vec<String>,
    /// The others.
    pub refused: Vec<RefusedDeadLetter>,
}

/// A dead letter that stays, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedDeadLetter {
    /// Its id.
    pub id: String,
    /// Why it cannot be published.
    pub reason: String,
}
