//! The trail of a task: what happened to it and its reminders.

use jiff::Timestamp;
use nudge_domain::id::ReminderId;
use nudge_domain::instant;
use serde::{Deserialize, Serialize};

use crate::event::{Change, ChangedBy};

/// A step in the trail of a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailItem {
    /// When, UTC.
    #[serde(deserialize_with = "instant::read")]
    pub time: Timestamp,
    /// What happened.
    pub kind: TrailKind,
    /// Who made the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ChangedBy>,
    /// What kind of change it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Names of the fields that it changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The version that it made, or that was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Which reminder it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder_id: Option<ReminderId>,
    /// Id of the trace that it belongs to, 32 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
    /// When a reminder that was held back is tried again, UTC.
    #[serde(
        default,
        deserialize_with = "instant::read_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub until: Option<Timestamp>,
    /// Why, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Seconds between the instant the reminder was due and this step, to the millisecond.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late_by_seconds: Option<f64>,
}

/// What happened in a step of a trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrailKind {
    /// Old versions of the task were deleted, and their steps with them.
    VersionsDeleted,
    /// The task changed.
    Changed,
    /// The event of a version was published.
    Published,
    /// The event of a version waits to be published.
    Unpublished,
    /// A reminder was due.
    ReminderDue,
    /// A reminder was leased, to be sent.
    Leased,
    /// The event of a due reminder was handed to the broker.
    HandedOver,
    /// The mail server accepted the email.
    Sent,
    /// A reminder was given up.
    Failed,
    /// A reminder was not sent for now, and is tried again.
    HeldBack,
    /// A step that this version does not know.
    #[serde(other)]
    Other,
}
