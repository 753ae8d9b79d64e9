//! A task between the database and the contract.

use jiff::Timestamp;
use nudge_contract::event::{Change, SCHEMA_VERSION, TaskEvent};
use nudge_contract::task;
use nudge_domain::recurrence::Rule;
use nudge_domain::reminder::{Reminder, ReminderStatus, ReminderWhen};
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::{Priority, Status};
use nudge_domain::{Due, Zone};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db::{DbError, Row, Value, instant};

/// A task as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TaskRecord {
    pub(crate) id: Uuid,
    pub(crate) user_id: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) status: Status,
    pub(crate) priority: Priority,
    pub(crate) due: Option<Due>,
    pub(crate) zone: Zone,
    pub(crate) category_id: Option<Uuid>,
    pub(crate) tag_ids: Vec<Uuid>,
    pub(crate) recurrence: Option<Rule>,
    pub(crate) recurrence_from: RecurrenceFrom,
    pub(crate) reminders: Vec<Reminder>,
    pub(crate) series: Option<Series>,
    pub(crate) occurrence: u32,
    pub(crate) version: u32,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) completed_at: Option<Timestamp>,
}

/// What the occurrences of a recurring task have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series {
    pub(crate) id: Uuid,
    /// Due of the first occurrence.
    pub(crate) start: Due,
}

/// A reminder in the column `reminders`. The triggers read `id`, `remindAt` and `status`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredReminder {
    id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minutes_before: Option<u32>,
    /// What was asked for, milliseconds since 1970, where it differs from `remind_at`: the reminder was snoozed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    /// Milliseconds since 1970.
    remind_at: i64,
    status: ReminderStatus,
}

/// Columns of `task` in the order of [`TaskRecord::read`] and [`TaskRecord::values`].
pub(crate) const COLUMNS: &str = "id, user_id, title, description, status, priority, due_at, time_zone, category_id, tag_ids, \
     recurrence, recurrence_from, reminders, series_id, series_start, occurrence, version, created_at, updated_at, completed_at";

/// [`COLUMNS`] for a statement that reads other tables as well.
pub(crate) fn columns_of_task() -> String {
    let columns: Vec<String> = COLUMNS
        .split(',')
        .map(|name| format!("task.{}", name.trim()))
        .collect();
    columns.join(", ")
}

impl TaskRecord {
    /// Reads the columns [`COLUMNS`] of each row.
    pub(crate) fn all(rows: &[Row]) -> Result<Vec<Self>, DbError> {
        rows.iter().map(Self::read).collect()
    }

    /// Reads the columns [`COLUMNS`].
    pub(crate) fn read(row: &Row) -> Result<Self, DbError> {
        let zone: Zone = row.parsed(7)?;
        let due = |column| row.maybe_int(column)?.map(|at| due(at, &zone)).transpose();
        let series = match (row.maybe_text(13)?, due(14)?) {
            (Some(id), Some(start)) => Some(Series { id: uuid(id)?, start }),
            _ => None,
        };
        let reminders: Vec<StoredReminder> = json(row.text(12)?)?;
        Ok(Self {
            id: row.parsed(0)?,
            user_id: row.text(1)?.to_owned(),
            title: row.text(2)?.to_owned(),
            description: row.maybe_text(3)?.map(str::to_owned),
            status: row.parsed(4)?,
            priority: row.parsed(5)?,
            due: due(6)?,
            category_id: row.maybe_text(8)?.map(uuid).transpose()?,
            tag_ids: json(row.text(9)?)?,
            recurrence: row.maybe_text(10)?.map(|_| row.parsed(10)).transpose()?,
            recurrence_from: row.parsed(11)?,
            reminders: reminders
                .into_iter()
                .map(read_reminder)
                .collect::<Result<_, _>>()?,
            series,
            occurrence: number(row.int(15)?)?,
            version: number(row.int(16)?)?,
            created_at: row.instant(17)?,
            updated_at: row.instant(18)?,
            completed_at: row.maybe_int(19)?.map(instant).transpose()?,
            zone,
        })
    }

    /// The values of [`COLUMNS`].
    pub(crate) fn values(&self) -> Vec<Value> {
        vec![
            self.id.into(),
            self.user_id.as_str().into(),
            self.title.as_str().into(),
            self.description.as_deref().into(),
            self.status.as_str().into(),
            self.priority.as_str().into(),
            self.due.as_ref().map(Due::at).into(),
            self.zone.name().into(),
            self.category_id.into(),
            to_json(&self.tag_ids).into(),
            self.recurrence.as_ref().map(Rule::to_string).into(),
            self.recurrence_from.as_str().into(),
            to_json(&self.reminders.iter().map(stored).collect::<Vec<_>>()).into(),
            self.series.as_ref().map(|series| series.id).into(),
            self.series.as_ref().map(|series| series.start.at()).into(),
            self.occurrence.into(),
            self.version.into(),
            self.created_at.into(),
            self.updated_at.into(),
            self.completed_at.into(),
        ]
    }

    /// The task as the API shows it.
    pub(crate) fn view(&self) -> task::Task {
        task::Task {
            id: self.id,
            title: self.title.clone(),
            description: self.description.clone(),
            status: self.status,
            priority: self.priority,
            due: self.due.as_ref().map(Due::to_string),
            time_zone: self.zone.name().to_owned(),
            category_id: self.category_id,
            tag_ids: self.tag_ids.clone(),
            recurrence: self.recurrence.as_ref().map(Rule::to_string),
            recurrence_from: self.recurrence_from,
            reminders: self
                .reminders
                .iter()
                .map(|reminder| self.view_reminder(reminder))
                .collect(),
            series_id: self.series.as_ref().map(|series| series.id),
            occurrence: self.occurrence,
            version: self.version,
            created_at: self.created_at.to_string(),
            updated_at: self.updated_at.to_string(),
            completed_at: self.completed_at.map(|at| at.to_string()),
        }
    }

    fn view_reminder(&self, reminder: &Reminder) -> task::Reminder {
        let remind_at = self.local(reminder.remind_at);
        let (minutes_before, at) = match reminder.when {
            ReminderWhen::MinutesBefore(minutes) => (Some(minutes), None),
            ReminderWhen::At(at) => (None, Some(self.local(at))),
        };
        task::Reminder {
            id: reminder.id.into(),
            minutes_before,
            at,
            remind_at,
            status: reminder.status,
        }
    }

    /// An instant with the offset of the task's zone.
    pub(crate) fn local(&self, at: Timestamp) -> String {
        Due::new(at, self.zone.clone()).map_or_else(|_| at.to_string(), |due| due.to_string())
    }

    /// The task as events carry it.
    pub(crate) fn snapshot(&self) -> task::Snapshot {
        task::Snapshot {
            user_id: self.user_id.clone(),
            series_start: self.series.as_ref().map(|series| series.start.to_string()),
            task: self.view(),
        }
    }

    /// The event that announces this version.
    pub(crate) fn event(
        &self,
        change: Change,
        before: Option<&Self>,
        traceparent: Option<String>,
    ) -> TaskEvent {
        TaskEvent {
            schema_version: SCHEMA_VERSION,
            change,
            changed: before
                .map(|before| changed(&before.view(), &self.view()))
                .unwrap_or_default(),
            task: self.snapshot(),
            traceparent,
            origin: None,
        }
    }
}

/// Names of the fields that differ, as the API names them. What changes with every version is left out.
fn changed(before: &task::Task, after: &task::Task) -> Vec<String> {
    let (Ok(serde_json::Value::Object(before)), Ok(serde_json::Value::Object(after))) =
        (serde_json::to_value(before), serde_json::to_value(after))
    else {
        return Vec::new();
    };
    after
        .into_iter()
        .filter(|(name, value)| before.get(name) != Some(value) && name != "version" && name != "updatedAt")
        .map(|(name, _)| name)
        .collect()
}

fn stored(reminder: &Reminder) -> StoredReminder {
    let (minutes_before, at) = match reminder.when {
        ReminderWhen::MinutesBefore(minutes) => (Some(minutes), None),
        ReminderWhen::At(at) => (None, Some(at).filter(|at| *at != reminder.remind_at)),
    };
    StoredReminder {
        id: reminder.id.into(),
        minutes_before,
        at: at.map(Timestamp::as_millisecond),
        remind_at: reminder.remind_at.as_millisecond(),
        status: reminder.status,
    }
}

fn read_reminder(stored: StoredReminder) -> Result<Reminder, DbError> {
    let remind_at = instant(stored.remind_at)?;
    let when = match (stored.minutes_before, stored.at) {
        (Some(minutes), _) => ReminderWhen::MinutesBefore(minutes),
        (None, Some(at)) => ReminderWhen::At(instant(at)?),
        (None, None) => ReminderWhen::At(remind_at),
    };
    Ok(Reminder {
        id: stored.id.into(),
        when,
        remind_at,
        status: stored.status,
    })
}

fn due(milliseconds: i64, zone: &Zone) -> Result<Due, DbError> {
    Due::new(instant(milliseconds)?, zone.clone()).map_err(|error| DbError::Unreadable(error.to_string()))
}

fn uuid(text: &str) -> Result<Uuid, DbError> {
    text.parse()
        .map_err(|error| DbError::Unreadable(format!("{text} is no UUID: {error}")))
}

fn number(value: i64) -> Result<u32, DbError> {
    u32::try_from(value).map_err(|error| DbError::Unreadable(format!("{value}: {error}")))
}

fn json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|error| DbError::Unreadable(format!("JSON: {error}")))
}

/// JSON of texts and numbers; nothing in them can fail to be JSON.
fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
