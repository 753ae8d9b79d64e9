//! From a body to a task, by the rules of the domain. Pure: time and ids come in as arguments.

use jiff::Timestamp;
use nudge_component::Problem;
use nudge_domain::id::ReminderId;
use nudge_domain::phrase::parse_recurrence_for;
use nudge_domain::recurrence::Rule;
use nudge_domain::reminder::{
    MAX_REMINDERS, Reminder, ReminderError, ReminderStatus, ReminderWhen, cancel_all, rearm_cancelled,
    reschedule,
};
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::{Description, MAX_TAGS, Priority, Status, Title};
use nudge_domain::{Due, Zone, parse_recurrence};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::input::fields::{Field, Fields};
use crate::profile::Person;
use crate::tasks::record::{Series, TaskRecord};

/// Where ids and the time come from.
pub(crate) struct Context {
    pub(crate) now: Timestamp,
    pub(crate) new_id: fn() -> Uuid,
}

/// A task made of the body of `POST /api/v1/tasks`.
pub(crate) fn create(
    person: &Person,
    body: Map<String, Value>,
    context: &Context,
) -> Result<TaskRecord, Problem> {
    let names_reminders = body.contains_key("reminders");
    let mut task = TaskRecord {
        id: (context.new_id)(),
        user_id: person.id.clone(),
        title: String::new(),
        description: None,
        status: Status::Pending,
        priority: Priority::default(),
        due: None,
        zone: person.zone().clone(),
        category_id: None,
        tag_ids: Vec::new(),
        recurrence: None,
        recurrence_from: RecurrenceFrom::default(),
        reminders: Vec::new(),
        series: None,
        occurrence: 1,
        version: 1,
        created_at: context.now,
        updated_at: context.now,
        completed_at: None,
    };
    let mut fields = Fields::new(body);
    apply(&mut task, &mut fields, context);
    if task.title.is_empty() && !fields.errors.iter().any(|error| error.field == "title") {
        fields.error("title", "required", "a task needs a title");
    }
    fields.finish()?;
    if let (Some(due), Some(minutes), false) = (&task.due, person.default_reminder, names_reminders) {
        let when = ReminderWhen::MinutesBefore(minutes);
        // Nobody asked for this one by name, so it refuses nothing, and one that would never fire is left out.
        let reminder = Reminder::new((context.new_id)().into(), when, Some(due), &[], context.now).ok();
        task.reminders = reminder
            .into_iter()
            .filter(|reminder| reminder.status == ReminderStatus::Scheduled)
            .collect();
    }
    Ok(task)
}

/// Changes a task by a merge patch (RFC 7396), the body of `PATCH /api/v1/tasks/{id}`.
pub(crate) fn patch(
    task: &mut TaskRecord,
    body: Map<String, Value>,
    context: &Context,
) -> Result<(), Problem> {
    let mut fields = Fields::new(body);
    let status = fields.parsed::<Status>("status", |error| error.code());
    apply(task, &mut fields, context);
    if status == Field::Null {
        fields.error("status", "required", "a task is pending or completed");
    }
    fields.finish()?;
    match (status, task.status) {
        (Field::Value(Status::Completed), Status::Pending) => complete(task, context),
        (Field::Value(Status::Pending), Status::Completed) => reopen(task, context),
        _ => {}
    }
    Ok(())
}

/// Marks a task as done. Its reminders have nothing to remind of any more.
pub(crate) fn complete(task: &mut TaskRecord, context: &Context) {
    task.status = Status::Completed;
    task.completed_at = Some(context.now);
    cancel_all(&mut task.reminders);
}

/// Takes that back. Reminders that are still ahead are armed again.
pub(crate) fn reopen(task: &mut TaskRecord, context: &Context) {
    task.status = Status::Pending;
    task.completed_at = None;
    rearm_cancelled(&mut task.reminders, task.due.as_ref(), context.now);
}

/// Moves the due date: to `due`, or `by` a duration. Reminders that count from it move along.
pub(crate) fn move_due(
    task: &mut TaskRecord,
    body: Map<String, Value>,
    context: &Context,
) -> Result<(), Problem> {
    let mut fields = Fields::new(body);
    let before = task.due.clone();
    match (fields.text("due").value(), fields.text("by").value()) {
        (Some(text), None) => match Due::parse_or_phrase(&text, &task.zone, context.now) {
            Ok(due) => task.due = Some(due),
            Err(error) => fields.error("due", error.code(), &error),
        },
        (None, Some(text)) => match task.due.as_ref().map(|due| due.moved_by(&text)) {
            Some(Ok(due)) => task.due = Some(due),
            Some(Err(error)) => fields.error("by", error.code(), &error),
            None => fields.error("by", "invalid_due", "the task has no due date to move: send due"),
        },
        (None, None) if fields.errors.is_empty() => fields.error(
            "due",
            "required",
            "give due, a date, or by, a duration such as P1D",
        ),
        (None, None) => {}
        (Some(_), Some(_)) => fields.error("by", "invalid_due", "give due or by, not both"),
    }
    fields.finish()?;
    follow_due(task, before.as_ref(), context);
    Ok(())
}

/// Puts a tag on a task that does not wear it.
pub(crate) fn wear(task: &mut TaskRecord, tag: Uuid) -> Result<(), Problem> {
    if task.tag_ids.len() >= MAX_TAGS {
        return Err(Problem::field("tagIds", "too_many_tags", too_many_tags()));
    }
    task.tag_ids.push(tag);
    Ok(())
}

fn too_many_tags() -> String {
    format!("a task has at most {MAX_TAGS} tags: take one off first")
}

/// The fields that creating and patching share. Mistakes are collected in `fields`.
fn apply(task: &mut TaskRecord, fields: &mut Fields, context: &Context) {
    match fields.changed::<Title>("title", &task.title, |error| error.code()) {
        Field::Value(title) => task.title = title,
        Field::Null => fields.error("title", "required", "a task needs a title"),
        Field::Absent => {}
    }
    match fields.parsed::<Description>("description", |error| error.code()) {
        Field::Value(description) => task.description = Some(description.into()),
        Field::Null => task.description = None,
        Field::Absent => {}
    }
    match fields.parsed::<Priority>("priority", |error| error.code()) {
        Field::Value(priority) => task.priority = priority,
        Field::Null => task.priority = Priority::default(),
        Field::Absent => {}
    }
    match fields.id("categoryId") {
        Field::Value(category) => task.category_id = Some(category),
        Field::Null => task.category_id = None,
        Field::Absent => {}
    }
    tags(task, fields);
    let before = task.due.clone();
    due(task, fields, context);
    recurrence(task, fields, context);
    reminders(task, before.as_ref(), fields, context);
}

fn tags(task: &mut TaskRecord, fields: &mut Fields) {
    let items = match fields.list("tagIds") {
        Field::Value(items) => items,
        Field::Null => Vec::new(),
        Field::Absent => return,
    };
    if items.len() > MAX_TAGS {
        fields.error("tagIds", "too_many_tags", too_many_tags());
        return;
    }
    let mut tag_ids = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match item.as_str().and_then(|text| Uuid::parse_str(text).ok()) {
            Some(id) if tag_ids.contains(&id) => {}
            Some(id) => tag_ids.push(id),
            None => fields.error(&format!("tagIds[{index}]"), "wrong_type", "must be a UUID"),
        }
    }
    task.tag_ids = tag_ids;
}

/// `due` and `timeZone`. A zone that comes alone keeps the instant and changes how it is shown.
fn due(task: &mut TaskRecord, fields: &mut Fields, context: &Context) {
    let wanted = fields.parsed::<Zone>("timeZone", |error| error.code());
    if wanted == Field::Null {
        fields.error("timeZone", "required", "a task has a time zone");
    }
    if let Some(zone) = wanted.value() {
        task.zone = zone;
    }
    match fields.text("due") {
        Field::Value(text) => match Due::parse_or_phrase(&text, &task.zone, context.now) {
            Ok(due) => task.due = Some(due),
            Err(error) => fields.error("due", error.code(), &error),
        },
        Field::Null => task.due = None,
        Field::Absent => {
            if let Some(due) = task.due.take() {
                match Due::new(due.at(), task.zone.clone()) {
                    Ok(due) => task.due = Some(due),
                    Err(error) => fields.error("timeZone", error.code(), &error),
                }
            }
        }
    }
}

/// `recurrence` and `recurrenceFrom`. Another rule, or another zone, begins another series; another due date does not.
fn recurrence(task: &mut TaskRecord, fields: &mut Fields, context: &Context) {
    match fields.parsed::<RecurrenceFrom>("recurrenceFrom", |_| "invalid_recurrence_from") {
        Field::Value(from) => task.recurrence_from = from,
        Field::Null => task.recurrence_from = RecurrenceFrom::default(),
        Field::Absent => {}
    }
    let before = task.recurrence.clone();
    match fields.text("recurrence") {
        Field::Value(text) => {
            let rule = match &task.due {
                Some(due) => parse_recurrence_for(&text, due, before.as_ref()),
                None => parse_recurrence(&text),
            };
            match rule {
                Ok(rule) => task.recurrence = Some(rule),
                Err(error) => fields.error("recurrence", error.code(), &error),
            }
        }
        Field::Null => task.recurrence = None,
        Field::Absent => follow_zone(task),
    }
    let (Some(rule), Some(due)) = (&task.recurrence, &task.due) else {
        if task.recurrence.is_some() && task.due.is_none() {
            fields.error(
                "recurrence",
                "recurrence_without_due",
                "a recurring task needs a due date: send due as well",
            );
        }
        task.series = None;
        task.occurrence = 1;
        return;
    };
    let goes_on = before.as_ref() == Some(rule)
        && task
            .series
            .as_ref()
            .is_some_and(|series| series.start.zone() == &task.zone);
    if goes_on {
        return;
    }
    if !matches_at_all(rule, due) {
        fields.error(
            "recurrence",
            "invalid_recurrence",
            "the recurrence names no date from the due date on: move its end (until), or the due date",
        );
    }
    task.series = Some(Series {
        id: (context.new_id)(),
        start: due.clone(),
    });
    task.occurrence = 1;
}

/// In another zone the due date may be on another day, and the day of a phrase such as `monthly` goes with it.
fn follow_zone(task: &mut TaskRecord) {
    if let (Some(rule), Some(due), Some(series)) = (&task.recurrence, &task.due, &task.series)
        && series.start.zone() != &task.zone
    {
        task.recurrence = Some(rule.anchored_anew(due.local().date()));
    }
}

fn matches_at_all(rule: &Rule, due: &Due) -> bool {
    rule.occurrences(due).next().is_some()
}

/// Moves reminders along with the due date. Those of a completed task wait for it to be reopened.
fn follow_due(task: &mut TaskRecord, due_before: Option<&Due>, context: &Context) {
    reschedule(&mut task.reminders, due_before, task.due.as_ref(), context.now);
    if task.status == Status::Completed {
        cancel_all(&mut task.reminders);
    }
}

/// A new reminder beside others; one of a completed task waits for it to be reopened.
pub(crate) fn arm(
    task: &TaskRecord,
    id: ReminderId,
    when: ReminderWhen,
    others: &[Reminder],
    context: &Context,
) -> Result<Reminder, ReminderError> {
    let mut reminder = Reminder::new(id, when, task.due.as_ref(), others, context.now)?;
    if task.status == Status::Completed {
        reminder.status = ReminderStatus::Cancelled;
    }
    Ok(reminder)
}

/// `reminders`, a whole list (RFC 7396 has no other way). One with the id, or the time, of one that the task has is that
/// one, and keeps what became of it.
fn reminders(task: &mut TaskRecord, due_before: Option<&Due>, fields: &mut Fields, context: &Context) {
    follow_due(task, due_before, context);
    let items = match fields.list("reminders") {
        Field::Value(items) => items,
        Field::Null => Vec::new(),
        Field::Absent => return,
    };
    if items.len() > MAX_REMINDERS {
        let error = ReminderError::TooMany;
        fields.error("reminders", error.code(), &error);
        return;
    }
    let mut kept: Vec<Reminder> = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let prefix = format!("reminders[{index}]");
        let Value::Object(object) = item else {
            fields.error(
                &prefix,
                "wrong_type",
                "must be an object with minutesBefore or at",
            );
            continue;
        };
        let mut inner = Fields::within(format!("{prefix}."), object);
        let (id, when) = reminder(task, &mut inner, context);
        inner.refuse_others();
        let broken = !inner.errors.is_empty();
        fields.take_errors(inner);
        let Some(when) = when.filter(|_| !broken) else {
            continue;
        };
        let known = task
            .reminders
            .iter()
            .find(|known| known.when == when && id.is_none_or(|id| known.id == id));
        let duplicate = kept.iter().any(|other| other.when == when);
        let id = known.filter(|_| !duplicate).map(|known| known.id).or(id);
        if id.is_some_and(|id| kept.iter().any(|other| other.id == id)) {
            fields.error(
                &format!("{prefix}.id"),
                "duplicate_reminder",
                "the list has this reminder already: give it once",
            );
            continue;
        }
        match known {
            Some(known) if !duplicate => kept.push(known.clone()),
            _ => {
                let id = id.unwrap_or_else(|| (context.new_id)().into());
                match arm(task, id, when, &kept, context) {
                    Ok(new) => kept.push(new),
                    Err(error) => fields.error(&prefix, error.code(), &error),
                }
            }
        }
    }
    task.reminders = kept;
}

/// Reads one reminder: its id, if it is one that the task has, and its time.
fn reminder(
    task: &TaskRecord,
    fields: &mut Fields,
    context: &Context,
) -> (Option<ReminderId>, Option<ReminderWhen>) {
    let id = fields.id("id").value().map(ReminderId::from);
    if let Some(id) = id
        && !task.reminders.iter().any(|known| known.id == id)
    {
        fields.error(
            "id",
            "unknown_reminder",
            "the task has no such reminder: leave the id out for a new one",
        );
    }
    // What a client got may be sent back as it is.
    let _ = (fields.json("remindAt"), fields.json("status"));
    (id, when(task, fields, context))
}

/// Reads when a reminder is to fire: `minutesBefore` or `at`. What is missing or wrong is named.
pub(crate) fn when(task: &TaskRecord, fields: &mut Fields, context: &Context) -> Option<ReminderWhen> {
    let minutes = fields.number("minutesBefore").value();
    let at = fields.text("at").value();
    match (minutes, at) {
        (Some(minutes), None) => Some(ReminderWhen::MinutesBefore(minutes)),
        (None, Some(text)) => match Due::parse_or_phrase(&text, &task.zone, context.now) {
            Ok(at) => Some(ReminderWhen::At(at.at())),
            Err(error) => {
                fields.error("at", "invalid_reminder", &error);
                None
            }
        },
        (None, None) if fields.errors.is_empty() => {
            fields.error("minutesBefore", "required", "give minutesBefore or at");
            None
        }
        (Some(_), Some(_)) => {
            fields.error("at", "invalid_reminder", "give minutesBefore or at, not both");
            None
        }
        (None, None) => None,
    }
}
