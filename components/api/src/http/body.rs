//! Bodies of requests, read into commands. What cannot be read is carried in the command, so that one answer names everything
//! that is wrong.

use jiff::Timestamp;
use nudge_contract::agent::Scope;
use nudge_domain::quiet_hours::TimeOfDay;
use nudge_domain::reminder::{MAX_MINUTES_BEFORE, MAX_REMINDERS};
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::{
    AgentName, Color, Description, MAX_TAGS, MoveDue, NewTask, Patch, Priority, ReminderItem, ReminderTime,
    Snooze, Status, TaskFields, TaskPatch, refused_estimate,
};
use nudge_domain::{MailAddress, QuietHours, Zone};
use serde_json::{Map, Value};

use crate::agents::NewAgent;
use crate::input::fields::Fields;
use crate::profile::ProfilePatch;
use crate::tasks::labels::LabelPatch;

/// `POST /api/v1/tasks`
pub(crate) fn new_task(body: Map<String, Value>) -> NewTask {
    let mut fields = Fields::new(body);
    let read = task_fields(&mut fields);
    NewTask {
        fields: TaskFields {
            unreadable: fields.into_mistakes(),
            ..read
        },
    }
}

/// `PATCH /api/v1/tasks/{id}`
pub(crate) fn task_patch(body: Map<String, Value>) -> TaskPatch {
    let mut fields = Fields::new(body);
    let status = fields.parsed::<Status>("status", |error| error.code());
    let read = task_fields(&mut fields);
    TaskPatch {
        fields: TaskFields {
            unreadable: fields.into_mistakes(),
            ..read
        },
        status,
    }
}

fn task_fields(fields: &mut Fields) -> TaskFields {
    TaskFields {
        title: fields.text("title"),
        description: fields.parsed::<Description>("description", |error| error.code()),
        priority: fields.parsed::<Priority>("priority", |error| error.code()),
        estimate_minutes: estimate(fields),
        category: fields.id("categoryId"),
        tags: fields.ids("tagIds", MAX_TAGS),
        zone: fields.parsed::<Zone>("timeZone", |error| error.code()),
        due: fields.text("due"),
        recurrence: fields.text("recurrence"),
        recurrence_from: fields.parsed::<RecurrenceFrom>("recurrenceFrom", |error| error.code()),
        reminders: reminders(fields),
        unreadable: Vec::new(),
    }
}

fn estimate(fields: &mut Fields) -> Patch<u32> {
    let minutes = fields.number("estimateMinutes");
    if let Some((code, message)) = refused_estimate(&minutes) {
        fields.error("estimateMinutes", code, message);
    }
    minutes
}

fn reminders(fields: &mut Fields) -> Patch<Vec<ReminderItem>> {
    fields.list("reminders").map(|items| {
        let too_many = items.len() > MAX_REMINDERS;
        let item = |(index, item)| match item {
            // A list that is too long is refused as a whole.
            _ if too_many => ReminderItem::Unreadable,
            Value::Object(object) => reminder(index, object),
            _ => {
                let message = "must be an object with minutesBefore or at";
                fields.error(&format!("reminders[{index}]"), "wrong_type", message);
                ReminderItem::Unreadable
            }
        };
        items.into_iter().enumerate().map(item).collect()
    })
}

fn reminder(index: usize, object: Map<String, Value>) -> ReminderItem {
    let mut inner = Fields::within(format!("reminders[{index}]."), object);
    let id = inner.id("id");
    // What a client got may be sent back as it is.
    let _ = (inner.json("remindAt"), inner.json("status"));
    let read = time_fields(&mut inner);
    let time = ReminderTime {
        unreadable: inner.into_mistakes(),
        ..read
    };
    ReminderItem::Read { id, time }
}

fn time_fields(fields: &mut Fields) -> ReminderTime {
    ReminderTime {
        minutes_before: fields.number("minutesBefore"),
        at: fields.text("at"),
        unreadable: Vec::new(),
    }
}

/// `POST /api/v1/tasks/{id}/reminders` and `PATCH /api/v1/tasks/{id}/reminders/{reminder}`
pub(crate) fn reminder_time(body: Map<String, Value>) -> ReminderTime {
    let mut fields = Fields::new(body);
    let read = time_fields(&mut fields);
    ReminderTime {
        unreadable: fields.into_mistakes(),
        ..read
    }
}

/// `POST /api/v1/tasks/{id}/reminders/{reminder}/snooze`
pub(crate) fn snooze(body: Map<String, Value>) -> Snooze {
    let mut fields = Fields::new(body);
    let (minutes, until) = (fields.number("minutes"), fields.text("until"));
    Snooze {
        minutes,
        until,
        unreadable: fields.into_mistakes(),
    }
}

/// `POST /api/v1/tasks/{id}/move`
pub(crate) fn move_due(body: Map<String, Value>) -> MoveDue {
    let mut fields = Fields::new(body);
    let (due, by) = (fields.text("due"), fields.text("by"));
    MoveDue {
        due,
        by,
        unreadable: fields.into_mistakes(),
    }
}

/// `POST /api/v1/categories`, `PATCH /api/v1/categories/{id}`, and the same for tags.
pub(crate) fn label(body: Map<String, Value>) -> LabelPatch {
    let mut fields = Fields::new(body);
    let name = fields.text("name");
    let color = fields.parsed::<Color>("color", |error| error.code());
    LabelPatch {
        name,
        color,
        unreadable: fields.into_mistakes(),
    }
}

/// `POST /api/v1/agents`
pub(crate) fn agent(body: Map<String, Value>) -> NewAgent {
    let mut fields = Fields::new(body);
    let name = fields.parsed::<AgentName>("name", |error| error.code());
    let scope = fields.parsed::<Scope>("scope", |_| "invalid_scope");
    let expires_at = match fields.text("expiresAt") {
        Patch::Value(text) => match text.parse::<Timestamp>() {
            Ok(at) => Patch::Value(at),
            Err(_) => {
                let message = "write an instant with an offset, such as 2026-12-31T23:00:00Z";
                fields.error("expiresAt", "invalid_expiry", message);
                Patch::Unreadable
            }
        },
        Patch::Null | Patch::Absent => Patch::Absent,
        Patch::Unreadable => Patch::Unreadable,
    };
    let days = fields.number("days");
    NewAgent {
        name,
        scope,
        expires_at,
        days,
        unreadable: fields.into_mistakes(),
    }
}

/// `PATCH /api/v1/me`
pub(crate) fn profile(body: Map<String, Value>) -> ProfilePatch {
    let mut fields = Fields::new(body);
    let email = fields.parsed::<MailAddress>("email", |error| error.code());
    let zone = fields.parsed::<Zone>("timeZone", |error| error.code());
    let quiet_hours = match fields.json("quietHours") {
        Patch::Value(Value::Object(object)) => quiet_hours(&mut fields, object),
        Patch::Value(_) => {
            let message = "must be an object with from and until, or null";
            fields.error("quietHours", "wrong_type", message);
            Patch::Unreadable
        }
        Patch::Null => Patch::Null,
        Patch::Absent | Patch::Unreadable => Patch::Absent,
    };
    let default_reminder = fields.number("defaultReminder");
    if matches!(default_reminder, Patch::Value(minutes) if minutes > MAX_MINUTES_BEFORE) {
        let message = format!("give at most {MAX_MINUTES_BEFORE} minutes (4 weeks), or null for none");
        fields.error("defaultReminder", "invalid_reminder", message);
    }
    ProfilePatch {
        email,
        zone,
        quiet_hours,
        default_reminder,
        unreadable: fields.into_mistakes(),
    }
}

/// Reads both times; quiet hours are replaced as a whole, since one time without the other means nothing.
fn quiet_hours(fields: &mut Fields, object: Map<String, Value>) -> Patch<QuietHours> {
    let mut inner = Fields::within("quietHours.".to_owned(), object);
    let mut time = |name| {
        let time = inner.parsed::<TimeOfDay>(name, |error| error.code());
        if matches!(time, Patch::Absent | Patch::Null) && inner.errors.is_empty() {
            inner.error(name, "required", "quiet hours need from and until");
        }
        time.value()
    };
    let times = (time("from"), time("until"));
    inner.refuse_others();
    fields.take_errors(inner);
    let (Some(from), Some(until)) = times else {
        return Patch::Unreadable;
    };
    match QuietHours::new(from, until) {
        Ok(hours) => Patch::Value(hours),
        Err(error) => {
            fields.error("quietHours", error.code(), &error);
            Patch::Unreadable
        }
    }
}
