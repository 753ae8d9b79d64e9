//! The fields of a task: what it has, what a caller may set, how a new task starts, and how a patch changes it. A new field is added
//! here first.

use jiff::Timestamp;

use super::command::{Patch, ReminderItem};
use super::edit::{or_default, refuse, title_required, value};
use super::life::{Context, Owner};
use super::mistake::{FieldName, Mistake};
use super::{Description, Priority, Status, Title};
use crate::due::Due;
use crate::id::{CategoryId, SeriesId, TagId, TaskId, UserId};
use crate::recurrence::Rule;
use crate::reminder::Reminder;
use crate::series::RecurrenceFrom;
use crate::zone::Zone;

/// Maximum estimate of a task, in minutes: four weeks.
pub const MAX_ESTIMATE_MINUTES: u32 = 4 * 7 * 24 * 60;

/// Why an estimate is refused, as a code and a sentence; none if it is not.
pub fn refused_estimate(minutes: &Patch<u32>) -> Option<(&'static str, String)> {
    matches!(minutes, Patch::Value(minutes) if *minutes > MAX_ESTIMATE_MINUTES).then(|| {
        let message = format!("give at most {MAX_ESTIMATE_MINUTES} minutes (4 weeks)");
        ("invalid_estimate", message)
    })
}

/// A task. Each occurrence of a recurring task is a task of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its owner.
    pub user_id: UserId,
    /// What is to be done.
    pub title: Title,
    /// More about it.
    pub description: Option<Description>,
    /// Whether it is done.
    pub status: Status,
    /// How much it matters.
    pub priority: Priority,
    /// When it is to be done, in [`Task::zone`].
    pub due: Option<Due>,
    /// The time zone that its texts are read in.
    pub zone: Zone,
    /// How many minutes it takes, as its owner estimates: up to [`MAX_ESTIMATE_MINUTES`].
    pub estimate_minutes: Option<u32>,
    /// Its category.
    pub category: Option<CategoryId>,
    /// Its tags, at most [`MAX_TAGS`](super::MAX_TAGS), each once.
    pub tags: Vec<TagId>,
    /// How it repeats.
    pub recurrence: Option<Rule>,
    /// What the recurrence counts from.
    pub recurrence_from: RecurrenceFrom,
    /// Its reminders, whatever their status.
    pub reminders: Vec<Reminder>,
    /// The series it is an occurrence of, if it repeats.
    pub series: Option<Series>,
    /// Its number in the series, from 1.
    pub occurrence: u32,
    /// Increases by one with every change, from 1.
    pub version: u32,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its current version was made.
    pub updated_at: Timestamp,
    /// When it was completed, if it is.
    pub completed_at: Option<Timestamp>,
}

/// What the occurrences of a recurring task have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its id.
    pub id: SeriesId,
    /// Due date of the first occurrence.
    pub start: Due,
}

/// The fields that creating and changing a task share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskFields {
    /// Checked where it differs from what the task has: a title that was stored under older rules may be sent back.
    pub title: Patch<String>,
    /// `null` removes it.
    pub description: Patch<Description>,
    /// `null` is the default.
    pub priority: Patch<Priority>,
    /// `null` removes it. A door refuses more than [`MAX_ESTIMATE_MINUTES`].
    pub estimate_minutes: Patch<u32>,
    /// `null` takes the task out of its category.
    pub category: Patch<CategoryId>,
    /// The whole list.
    pub tags: Patch<Vec<TagId>>,
    /// A date or a phrase, read in the task's time zone.
    pub due: Patch<String>,
    /// A zone without a due date keeps the instant and changes how it is shown.
    pub zone: Patch<Zone>,
    /// An RRULE or a phrase.
    pub recurrence: Patch<String>,
    /// `null` is the default.
    pub recurrence_from: Patch<RecurrenceFrom>,
    /// The whole list (RFC 7396 has no other way).
    pub reminders: Patch<Vec<ReminderItem>>,
    /// What the door could not read: the command is refused with these and with everything else that is wrong.
    pub unreadable: Vec<Mistake>,
}

/// A task to create.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewTask {
    /// Everything but the title may be missing.
    pub fields: TaskFields,
}

/// Changes to a task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskPatch {
    /// What a new task has as well.
    pub fields: TaskFields,
    /// Completes the task or reopens it.
    pub status: Patch<Status>,
}

impl Task {
    /// A new task.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, what the door could not read first.
    pub fn create(
        id: TaskId,
        owner: Owner<'_>,
        new: &NewTask,
        context: &Context,
    ) -> Result<Self, Vec<Mistake>> {
        let mut task = Self {
            id,
            user_id: owner.id.clone(),
            title: Title::stored(""),
            description: None,
            status: Status::Pending,
            priority: Priority::default(),
            due: None,
            zone: owner.zone.clone(),
            estimate_minutes: None,
            category: None,
            tags: Vec::new(),
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
        let mut mistakes = new.fields.unreadable.clone();
        if new.fields.title.is_absent() {
            mistakes.push(title_required());
        }
        task.apply(&new.fields, context, &mut mistakes);
        refuse(mistakes)?;
        if new.fields.reminders.is_absent() {
            task.reminders = task.default_reminder(owner, context).into_iter().collect();
        }
        Ok(task)
    }

    /// Changes a task by a merge patch (RFC 7396).
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, what the door could not read first. The task is not to be used then.
    pub fn patch(&mut self, patch: &TaskPatch, context: &Context) -> Result<(), Vec<Mistake>> {
        let mut mistakes = patch.fields.unreadable.clone();
        self.apply(&patch.fields, context, &mut mistakes);
        if patch.status == Patch::Null {
            let message = "a task is pending or completed";
            mistakes.push(Mistake::new(FieldName::Status, "required", message));
        }
        refuse(mistakes)?;
        match patch.status {
            Patch::Value(Status::Completed) => self.complete(context.now),
            Patch::Value(Status::Pending) => self.reopen(context.now),
            Patch::Absent | Patch::Null | Patch::Unreadable => {}
        }
        Ok(())
    }

    fn apply(&mut self, fields: &TaskFields, context: &Context, mistakes: &mut Vec<Mistake>) {
        match &fields.title {
            Patch::Value(text) if text == self.title.as_str() && !text.is_empty() => {}
            Patch::Value(text) => match text.parse() {
                Ok(title) => self.title = title,
                Err(error) => mistakes.push(value(FieldName::Title, &error)),
            },
            Patch::Null => mistakes.push(title_required()),
            Patch::Absent | Patch::Unreadable => {}
        }
        fields.description.clone().apply(&mut self.description);
        or_default(&fields.priority, &mut self.priority);
        fields.estimate_minutes.clone().apply(&mut self.estimate_minutes);
        fields.category.clone().apply(&mut self.category);
        self.apply_tags(fields, mistakes);
        let due_before = self.due.clone();
        self.apply_due(fields, context, mistakes);
        or_default(&fields.recurrence_from, &mut self.recurrence_from);
        self.apply_recurrence(fields, context, mistakes);
        self.reschedule(due_before.as_ref(), context.now);
        self.apply_reminders(&fields.reminders, context, mistakes);
    }
}
