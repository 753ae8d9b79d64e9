//! What a caller asks for. A door (REST, MCP, the migration) reads its own format into these once; texts that mean something only
//! beside a task (a due phrase in its time zone, a recurrence phrase with its due date) stay texts until they meet it.

use super::Mistake;
use crate::id::ReminderId;

/// A field of a merge patch (RFC 7396).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// Not given: it stays as it is.
    #[default]
    Absent,
    /// `null`: it is removed.
    Null,
    /// A new value.
    Value(T),
    /// Given, and not readable. The door has noted why in [`super::TaskFields::unreadable`] or its like, so the command is refused.
    Unreadable,
}

impl<T> Patch<T> {
    /// The new value, if there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null | Self::Unreadable => None,
        }
    }

    /// The same with another type of value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(change(value)),
            Self::Unreadable => Patch::Unreadable,
        }
    }

    /// A reference to the value.
    pub fn as_ref(&self) -> Patch<&T> {
        match self {
            Self::Absent => Patch::Absent,
            Self::Null => Patch::Null,
            Self::Value(value) => Patch::Value(value),
            Self::Unreadable => Patch::Unreadable,
        }
    }

    /// Changes an optional value: a new one replaces it, `null` removes it.
    pub fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Value(value) => *to = Some(value),
            Self::Null => *to = None,
            Self::Absent | Self::Unreadable => {}
        }
    }

    /// Whether it has no value and is not unreadable either: it was left out, or is `null`.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Absent | Self::Null)
    }

    /// Whether it was not given.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// A reminder in a list of reminders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderItem {
    /// The one with this id, or a new one.
    Read {
        /// Which of the task's reminders it is, if any.
        id: Patch<ReminderId>,
        /// When it fires.
        time: ReminderTime,
    },
    /// Not readable, as the door has noted.
    Unreadable,
}

/// When a reminder fires: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReminderTime {
    /// Minutes before the due date.
    pub minutes_before: Patch<u32>,
    /// A date or a phrase, read in the task's time zone.
    pub at: Patch<String>,
    /// What the door could not read.
    pub unreadable: Vec<Mistake>,
}

/// Where the due date goes: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MoveDue {
    /// A date or a phrase, read in the task's time zone.
    pub due: Patch<String>,
    /// An ISO 8601 duration, such as `P1D` or `-PT2H`.
    pub by: Patch<String>,
    /// What the door could not read.
    pub unreadable: Vec<Mistake>,
}

/// Until when a reminder waits: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snooze {
    /// Minutes from now.
    pub minutes: Patch<u32>,
    /// A date or a phrase, read in the task's time zone.
    pub until: Patch<String>,
    /// What the door could not read.
    pub unreadable: Vec<Mistake>,
}

/// What is to become of one reminder of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReminderEdit {
    /// It is added, unless the task has one of that id already: an earlier attempt of the same request added it.
    Add(ReminderTime),
    /// It fires at another time.
    Move(ReminderTime),
    /// It fires again, or later.
    Snooze(Snooze),
    /// It is removed.
    Remove,
}
