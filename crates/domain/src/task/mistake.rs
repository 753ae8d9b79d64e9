//! What is wrong with a command, field by field.

use std::borrow::Cow;
use std::fmt::Display;

/// One thing that is wrong with a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it is. REST, MCP and the migration each have their own names for the fields.
    pub field: FieldName,
    /// Which rule it breaks, for machines.
    pub code: Cow<'static, str>,
    /// What is wrong and how to fix it.
    pub message: String,
}

impl Mistake {
    /// A mistake that the rules of the domain found.
    pub fn new(field: FieldName, code: &'static str, message: impl Display) -> Self {
        Self {
            field,
            code: code.into(),
            message: message.to_string(),
        }
    }
}

/// A field of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldName {
    /// [`super::Task::title`]
    Title,
    /// [`super::Task::zone`]
    TimeZone,
    /// [`super::Task::due`]
    Due,
    /// The duration of [`super::MoveDue`].
    By,
    /// [`super::Task::status`]
    Status,
    /// [`super::Task::category`]
    Category,
    /// [`super::Task::tags`] as a whole.
    Tags,
    /// The tag at this index.
    Tag(usize),
    /// [`super::Task::recurrence`]
    Recurrence,
    /// [`super::Task::reminders`] as a whole.
    Reminders,
    /// The reminder at this index of a list, or one of its fields.
    ReminderAt(usize, Option<ReminderField>),
    /// A field of the one reminder that a command is about.
    Reminder(ReminderField),
    /// The first instant that a list asks for.
    DueAfter,
    /// The first instant that is too late for a list.
    DueBefore,
    /// Where the next page begins.
    Cursor,
    /// The words that all tasks of a list have.
    Text,
    /// What is searched for.
    Query,
    /// What the door could not read, under the name that the door has for it.
    Named(String),
}

/// A field of a reminder in a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReminderField {
    /// Which reminder it is.
    Id,
    /// Minutes before the due date.
    MinutesBefore,
    /// An instant of its own.
    At,
    /// Minutes of a snooze.
    Minutes,
    /// End of a snooze.
    Until,
}
