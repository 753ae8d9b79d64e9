//! Events: CloudEvents 1.0 in JSON, and the payload of each type.
//!
//! The envelope is a type of its own with nine fields: the CloudEvents SDK would add 308 kB to each component.

use jiff::Timestamp;
use nudge_domain::LocalInstant;
use nudge_domain::id::{LeaseId, ReminderId, TaskId, UserId};
use nudge_domain::instant;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::task::Snapshot;

/// `schemaVersion` of every payload in this module.
pub const SCHEMA_VERSION: u32 = 1;

/// A CloudEvent as Dapr delivers it (CloudEvents 1.0, JSON format). Unknown attributes are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloudEvent<T> {
    /// `1.0`.
    pub specversion: String,
    /// Events with the same id and source are the same event.
    pub id: String,
    /// App id of the publisher.
    pub source: String,
    /// Such as `nudge.task.created.v1`.
    pub r#type: String,
    /// Id of the task.
    #[serde(default)]
    pub subject: Option<String>,
    /// When it happened, RFC 3339.
    #[serde(default)]
    pub time: Option<String>,
    /// Name of the topic, set by Dapr.
    #[serde(default)]
    pub topic: Option<String>,
    /// The payload.
    pub data: T,
}

/// The payload of an event, and the types that carry it.
pub trait Payload: DeserializeOwned + Serialize {
    /// The event types whose `data` this is.
    const TYPES: &'static [&'static str];

    /// The event type of this payload.
    fn event_type(&self) -> &'static str;

    /// `schemaVersion` of the payload.
    fn schema_version(&self) -> u32;
}

/// Why a delivered message is not the expected event.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// Not JSON, or not an event of the expected shape.
    #[error("the event cannot be read: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Another CloudEvents version.
    #[error("specversion {0} is not 1.0")]
    SpecVersion(String),
    /// An event type that this consumer does not handle.
    #[error("event type {found} is not {expected}")]
    Type {
        /// The type of the event.
        found: String,
        /// The types that are expected.
        expected: String,
    },
    /// A version of the payload that this program does not know.
    #[error("schemaVersion {0} is not {SCHEMA_VERSION}")]
    SchemaVersion(u32),
}

impl CloudEvent<serde_json::Value> {
    /// Reads an event and checks that its type and payload are those of `T`.
    pub fn parse<T: Payload>(body: &[u8]) -> Result<CloudEvent<T>, EventError> {
        let event: Self = serde_json::from_slice(body)?;
        if event.specversion != "1.0" {
            return Err(EventError::SpecVersion(event.specversion));
        }
        if !T::TYPES.contains(&event.r#type.as_str()) {
            return Err(EventError::Type {
                found: event.r#type,
                expected: T::TYPES.join(", "),
            });
        }
        let data: T = serde_json::from_value(event.data)?;
        if data.schema_version() != SCHEMA_VERSION {
            return Err(EventError::SchemaVersion(data.schema_version()));
        }
        if data.event_type() != event.r#type {
            return Err(EventError::Type {
                found: event.r#type,
                expected: data.event_type().to_owned(),
            });
        }
        Ok(CloudEvent {
            specversion: event.specversion,
            id: event.id,
            source: event.source,
            r#type: event.r#type,
            subject: event.subject,
            time: event.time,
            topic: event.topic,
            data,
        })
    }
}

/// What happened to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It was created.
    Created,
    /// Some of its fields changed.
    Updated,
    /// It was completed.
    Completed,
    /// It is pending again.
    Reopened,
    /// It was deleted.
    Deleted,
}

impl Change {
    /// The event type that announces it.
    pub fn event_type(self) -> &'static str {
        match self {
            Self::Created => "nudge.task.created.v1",
            Self::Updated => "nudge.task.updated.v1",
            Self::Completed => "nudge.task.completed.v1",
            Self::Reopened => "nudge.task.reopened.v1",
            Self::Deleted => "nudge.task.deleted.v1",
        }
    }
}

/// `nudge.task.*.v1`, on `task-events`; the completed one also on `task-recurrence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskEvent {
    /// 1.
    pub schema_version: u32,
    /// What happened.
    pub change: Change,
    /// Names of the fields that differ from the version before.
    pub changed: Vec<String>,
    /// The task after the change; if it was deleted, its last state.
    pub task: Snapshot,
    /// Who made the change. None in events of versions that did not say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ChangedBy>,
    /// W3C trace context of the request that caused it. Dapr's own is that of the publish call, which may serve many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What became of reminders, if that is what the version is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<Delivery>,
    /// Where the change was made, if not in Nudge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ChangedBy {
    /// The user, with a token of their own.
    User,
    /// A program with a token that the user made for it.
    Agent {
        /// Its id among the user's agents.
        agent_id: Uuid,
        /// What the user called it at the time of the change.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Nudge itself: a reminder was sent, the next occurrence was created.
    Nudge,
    /// The user, by a link in a message that Nudge sent.
    Link,
    /// The system that Nudge replaces.
    Import,
    /// A kind that this version does not know.
    #[serde(other)]
    Other,
}

/// What became of a reminder that was due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Which reminder.
    pub reminder_id: ReminderId,
    /// The instant it was due.
    pub remind_at: LocalInstant,
    /// What became of it.
    pub kind: DeliveryKind,
    /// When the mail server accepted the message, the reminder was given up, or it was moved. UTC.
    #[serde(deserialize_with = "instant::read")]
    pub at: Timestamp,
    /// Why it failed, worded for its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Until when it was moved.
    #[serde(
        default,
        deserialize_with = "instant::read_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub until: Option<Timestamp>,
    /// When it was leased for this delivery.
    #[serde(
        default,
        deserialize_with = "instant::read_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub leased_at: Option<Timestamp>,
    /// When its event was handed to the broker.
    #[serde(
        default,
        deserialize_with = "instant::read_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub handed_over_at: Option<Timestamp>,
    /// Attempts before the last one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// Id of the trace of the delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace_id: Option<String>,
}

/// What became of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryKind {
    /// The mail server accepted the message.
    Sent,
    /// It is given up.
    Failed,
    /// It was due in its owner's quiet hours, and moved to their end.
    HeldBack,
    /// A kind that this version does not know.
    #[serde(other)]
    Other,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A change that was made in the legacy system and is only repeated by Nudge. That system does what follows from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Origin {
    /// Id of the event in the legacy system.
    pub event_id: String,
    /// When the change was made.
    #[serde(deserialize_with = "instant::read")]
    pub at: Timestamp,
}

impl TaskEvent {
    /// Id of the event: that of the task and its version, so that an event that is published again has the same id.
    pub fn id(&self) -> String {
        format!("{}:{}", self.task.task.id, self.task.task.version)
    }

    /// Id of the trace of `traceparent`: 32 hexadecimal digits.
    pub fn trace_id(&self) -> Option<&str> {
        trace_id(self.traceparent.as_deref()?)
    }
}

/// Id of the trace of a `traceparent`, its second part (W3C trace context, section 3.2.2.3): 32 hexadecimal digits.
pub fn trace_id(traceparent: &str) -> Option<&str> {
    let id = traceparent.split('-').nth(1)?;
    (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(id)
}

impl Payload for TaskEvent {
    const TYPES: &'static [&'static str] = &[
        "nudge.task.created.v1",
        "nudge.task.updated.v1",
        "nudge.task.completed.v1",
        "nudge.task.reopened.v1",
        "nudge.task.deleted.v1",
    ];

    fn event_type(&self) -> &'static str {
        self.change.event_type()
    }

    fn schema_version(&self) -> u32 {
        self.schema_version
    }
}

/// `nudge.task.changed.v1`, on `task-updates`: that something changed, for clients that then fetch it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskUpdate {
    /// 1.
    pub schema_version: u32,
    /// Whose task.
    pub user_id: UserId,
    /// Id of the task.
    pub task_id: TaskId,
    /// Its current version.
    pub version: u32,
    /// What happened.
    pub change: Change,
}

impl Payload for TaskUpdate {
    const TYPES: &'static [&'static str] = &["nudge.task.changed.v1"];

    fn event_type(&self) -> &'static str {
        "nudge.task.changed.v1"
    }

    fn schema_version(&self) -> u32 {
        self.schema_version
    }
}

/// `nudge.reminder.due.v1`, on `task-reminders`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReminderDue {
    /// 1.
    pub schema_version: u32,
    /// Id of the reminder.
    pub reminder_id: ReminderId,
    /// The instant it was armed for. If the reminder was moved since, this event is obsolete.
    pub remind_at: LocalInstant,
    /// The lease that this event belongs to. When the reminder is leased again, the event is obsolete. None from older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<LeaseId>,
    /// When the publisher handed this event to the broker, UTC. None from older versions.
    #[serde(
        default,
        deserialize_with = "instant::read_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub handed_over_at: Option<Timestamp>,
    /// Whole minutes from publishing until the task is due; negative when overdue; none without a due date.
    pub minutes_left: Option<i64>,
    /// The task as the publisher knew it.
    pub task: Snapshot,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Payload for ReminderDue {
    const TYPES: &'static [&'static str] = &["nudge.reminder.due.v1"];

    fn event_type(&self) -> &'static str {
        "nudge.reminder.due.v1"
    }

    fn schema_version(&self) -> u32 {
        self.schema_version
    }
}

/// `nudge.reminder.sent.v1` and `nudge.reminder.failed.v1`, on `reminder-outcomes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryOutcome {
    /// 1.
    pub schema_version: u32,
    /// Id of the reminder.
    pub reminder_id: ReminderId,
    /// Id of the task.
    pub task_id: TaskId,
    /// The instant it was armed for.
    pub remind_at: LocalInstant,
    /// Why it failed, worded for its owner; none when it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// When it ended, UTC: the mail server accepted the message, or it was given up.
    #[serde(deserialize_with = "instant::read")]
    pub at: Timestamp,
    /// The lease of the event that it is the outcome of. None from older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<LeaseId>,
    /// When that event was handed to the broker.
    #[serde(
        default,
        deserialize_with = "instant::read_some",
        skip_serializing_if = "Option::is_none"
    )]
    pub handed_over_at: Option<Timestamp>,
    /// Attempts before the last one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub attempts: u32,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Payload for DeliveryOutcome {
    const TYPES: &'static [&'static str] = &["nudge.reminder.sent.v1", "nudge.reminder.failed.v1"];

    fn event_type(&self) -> &'static str {
        if self.failure.is_none() {
            "nudge.reminder.sent.v1"
        } else {
            "nudge.reminder.failed.v1"
        }
    }

    fn schema_version(&self) -> u32 {
        self.schema_version
    }
}

/// `nudge.notice.requested.v1`, on `account-notices`: a message about an account is to be sent. It says neither where to nor what:
/// the api is asked for both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NoticeRequested {
    /// 1.
    pub schema_version: u32,
    /// Id of the notice.
    pub notice_id: Uuid,
    /// Whose account it is about.
    pub user_id: UserId,
}

impl Payload for NoticeRequested {
    const TYPES: &'static [&'static str] = &["nudge.notice.requested.v1"];

    fn event_type(&self) -> &'static str {
        "nudge.notice.requested.v1"
    }

    fn schema_version(&self) -> u32 {
        self.schema_version
    }
}

/// `nudge.event.rejected.v1`, on `dead-letter`: an event that a consumer can never handle, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedEvent {
    /// 1.
    pub schema_version: u32,
    /// App id of the consumer.
    pub consumer: String,
    /// Why.
    pub reason: String,
    /// What was delivered, as text, truncated to 64 KiB.
    pub event: String,
}

impl Payload for RejectedEvent {
    const TYPES: &'static [&'static str] = &["nudge.event.rejected.v1"];

    fn event_type(&self) -> &'static str {
        "nudge.event.rejected.v1"
    }

    fn schema_version(&self) -> u32 {
        self.schema_version
    }
}
