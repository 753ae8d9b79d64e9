//! Converts events of the WIT package to those of the contract.
//!
//! A handler that is called through WIT and one that is called over HTTP are the same function on the contract's
//! types; this module converts between them. A string that is not a valid id or enum value is refused, as it is in JSON.

use std::fmt::Display;
use std::str::FromStr;

use nudge_contract::event::{self, SCHEMA_VERSION};
use nudge_contract::task;
use nudge_domain::reminder::ReminderStatus;
use nudge_domain::task::{Priority, Status};

use crate::events as wit;

fn drop(reason: String) -> wit::Disposition {
    wit::Disposition::Drop(reason)
}

/// Reads an id or an instant.
fn read<T: FromStr<Err: Display>>(field: &str, text: &str) -> Result<T, wit::Disposition> {
    text.parse().map_err(|error| drop(format!("{field}: {error}")))
}

fn maybe<T: FromStr<Err: Display>>(field: &str, text: Option<String>) -> Result<Option<T>, wit::Disposition> {
    text.map(|text| read(field, &text)).transpose()
}

impl TryFrom<wit::Reminder> for task::Reminder {
    type Error = wit::Disposition;

    fn try_from(reminder: wit::Reminder) -> Result<Self, Self::Error> {
        let (minutes_before, at) = match reminder.time {
            wit::ReminderTime::MinutesBefore(minutes) => (Some(minutes), None),
            wit::ReminderTime::At(instant) => (None, Some(instant)),
        };
        Ok(Self {
            id: read("reminder.id", &reminder.id)?,
            minutes_before,
            at: maybe("reminder.at", at)?,
            remind_at: read("reminder.remind-at", &reminder.remind_at)?,
            status: match reminder.status {
                wit::ReminderStatus::Scheduled => ReminderStatus::Scheduled,
                wit::ReminderStatus::Sent => ReminderStatus::Sent,
                wit::ReminderStatus::Failed => ReminderStatus::Failed,
                wit::ReminderStatus::Cancelled => ReminderStatus::Cancelled,
            },
        })
    }
}

impl TryFrom<wit::Task> for task::Snapshot {
    type Error = wit::Disposition;

    fn try_from(task: wit::Task) -> Result<Self, Self::Error> {
        Ok(Self {
            user_id: read("task.user-id", &task.user_id)?,
            series_start: maybe("task.series-start", task.series_start)?,
            task: task::Task {
                id: read("task.id", &task.id)?,
                title: task.title,
                description: task.description,
                status: match task.status {
                    wit::Status::Pending => Status::Pending,
                    wit::Status::Completed => Status::Completed,
                },
                priority: match task.priority {
                    wit::Priority::Low => Priority::Low,
                    wit::Priority::Medium => Priority::Medium,
                    wit::Priority::High => Priority::High,
                    wit::Priority::Urgent => Priority::Urgent,
                },
                due: maybe("task.due", task.due)?,
                time_zone: task.time_zone,
                category_id: maybe("task.category-id", task.category_id)?,
                tag_ids: task
                    .tag_ids
                    .iter()
                    .map(|text| read("task.tag-ids", text))
                    .collect::<Result<_, _>>()?,
                recurrence: task.recurrence,
                recurrence_from: read("task.recurrence-from", &task.recurrence_from)?,
                reminders: task
                    .reminders
                    .into_iter()
                    .map(task::Reminder::try_from)
                    .collect::<Result<_, _>>()?,
                series_id: maybe("task.series-id", task.series_id)?,
                occurrence: task.occurrence,
                version: task.version,
                created_at: read("task.created-at", &task.created_at)?,
                updated_at: read("task.updated-at", &task.updated_at)?,
                completed_at: maybe("task.completed-at", task.completed_at)?,
            },
        })
    }
}

impl TryFrom<wit::Origin> for event::Origin {
    type Error = wit::Disposition;

    fn try_from(origin: wit::Origin) -> Result<Self, Self::Error> {
        Ok(Self {
            event_id: origin.event_id,
            at: read("origin.at", &origin.at)?,
        })
    }
}

impl TryFrom<wit::TaskEvent> for event::TaskEvent {
    type Error = wit::Disposition;

    fn try_from(event: wit::TaskEvent) -> Result<Self, Self::Error> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            change: match event.change {
                wit::Change::Created => event::Change::Created,
                wit::Change::Updated => event::Change::Updated,
                wit::Change::Completed => event::Change::Completed,
                wit::Change::Reopened => event::Change::Reopened,
                wit::Change::Deleted => event::Change::Deleted,
            },
            changed: event.changed,
            task: event.task.try_into()?,
            traceparent: event.traceparent,
            origin: event.origin.map(event::Origin::try_from).transpose()?,
        })
    }
}

impl TryFrom<wit::TaskCompleted> for event::TaskEvent {
    type Error = wit::Disposition;

    fn try_from(event: wit::TaskCompleted) -> Result<Self, Self::Error> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            change: event::Change::Completed,
            changed: Vec::new(),
            task: event.task.try_into()?,
            traceparent: event.traceparent,
            // Changes from another system are not published on `task-recurrence`.
            origin: None,
        })
    }
}

impl TryFrom<wit::ReminderDue> for event::ReminderDue {
    type Error = wit::Disposition;

    fn try_from(event: wit::ReminderDue) -> Result<Self, Self::Error> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            reminder_id: read("reminder-id", &event.reminder_id)?,
            remind_at: read("remind-at", &event.remind_at)?,
            minutes_left: event.minutes_left,
            task: event.task.try_into()?,
            traceparent: event.traceparent,
        })
    }
}

impl TryFrom<wit::DeliveryOutcome> for event::DeliveryOutcome {
    type Error = wit::Disposition;

    fn try_from(event: wit::DeliveryOutcome) -> Result<Self, Self::Error> {
        Ok(Self {
            schema_version: SCHEMA_VERSION,
            reminder_id: read("reminder-id", &event.reminder_id)?,
            task_id: read("task-id", &event.task_id)?,
            remind_at: read("remind-at", &event.remind_at)?,
            failure: match event.delivery {
                wit::Delivery::Sent => None,
                wit::Delivery::Failed(reason) => Some(reason),
            },
            at: read("at", &event.at)?,
            traceparent: event.traceparent,
        })
    }
}
