//! A task as the API shows it and as events carry it.

use jiff::Timestamp;
use nudge_domain::LocalInstant;
use nudge_domain::id::{CategoryId, ReminderId, SeriesId, TagId, TaskId, UserId};
use nudge_domain::instant;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::{Priority, Status};
use serde::{Deserialize, Serialize};

/// A task at one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// UUIDv7, or UUIDv5 for an occurrence that Nudge made.
    pub id: TaskId,
    /// 1 to 200 characters.
    pub title: String,
    /// Up to 10,000 characters.
    pub description: Option<String>,
    /// `pending` or `completed`.
    pub status: Status,
    /// `low`, `medium`, `high` or `urgent`.
    pub priority: Priority,
    /// When it is due, with the zone's offset.
    pub due: Option<LocalInstant>,
    /// IANA name of the zone it is due in.
    pub time_zone: String,
    /// How many minutes it takes, as its owner estimates: up to 40,320.
    #[serde(default)]
    pub estimate_minutes: Option<u32>,
    /// The user's category.
    pub category_id: Option<CategoryId>,
    /// The user's tags, at most 10, in the order they were given.
    pub tag_ids: Vec<TagId>,
    /// RFC 5545 RRULE in canonical form.
    pub recurrence: Option<String>,
    /// `due` or `completion`.
    pub recurrence_from: RecurrenceFrom,
    /// At most 5.
    pub reminders: Vec<Reminder>,
    /// Shared by all occurrences of one recurring task.
    pub series_id: Option<SeriesId>,
    /// Number of the occurrence in its series, from 1.
    pub occurrence: u32,
    /// One more with every change, from 1.
    pub version: u32,
    /// When it was created, UTC.
    #[serde(deserialize_with = "instant::read")]
    pub created_at: Timestamp,
    /// When it was last changed, UTC.
    #[serde(deserialize_with = "instant::read")]
    pub updated_at: Timestamp,
    /// When it was completed, UTC.
    #[serde(default, deserialize_with = "instant::read_some")]
    pub completed_at: Option<Timestamp>,
}

/// A reminder of a task. Exactly one of `minutes_before` and `at` is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reminder {
    /// UUIDv7, or UUIDv5 for one that Nudge copied to the next occurrence.
    pub id: ReminderId,
    /// Minutes before the due instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_before: Option<u32>,
    /// A fixed instant, with the zone's offset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<LocalInstant>,
    /// When it is to be sent, with the zone's offset.
    pub remind_at: LocalInstant,
    /// `scheduled`, `sent`, `failed` or `cancelled`.
    pub status: ReminderStatus,
}

/// A task as events carry it: with its owner and the start of its series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Subject of the owner's token.
    pub user_id: UserId,
    /// Due instant of the first occurrence (the rule's DTSTART), with the zone's offset.
    pub series_start: Option<LocalInstant>,
    /// The task.
    #[serde(flatten)]
    pub task: Task,
}
