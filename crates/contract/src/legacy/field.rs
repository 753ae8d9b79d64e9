//! The fields of a task that both systems have, and their names in each.

/// A field of a task that both systems have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LegacyField {
    /// What is to be done.
    Title,
    /// More about it.
    Description,
    /// Whether it is done.
    Status,
    /// How much it matters.
    Priority,
    /// When it is to be done.
    Due,
    /// How it repeats.
    Recurrence,
    /// Its category.
    Category,
    /// Its tags.
    Tags,
    /// Its reminders: in the legacy system, whether the one that it has was sent.
    Reminders,
}

impl LegacyField {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Title,
        Self::Description,
        Self::Status,
        Self::Priority,
        Self::Due,
        Self::Recurrence,
        Self::Category,
        Self::Tags,
        Self::Reminders,
    ];

    /// The field that [`TaskEvent::changed`](crate::event::TaskEvent::changed) calls by this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Its name in Nudge.
    pub fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::Status => "status",
            Self::Priority => "priority",
            Self::Due => "due",
            Self::Recurrence => "recurrence",
            Self::Category => "categoryId",
            Self::Tags => "tagIds",
            Self::Reminders => "reminders",
        }
    }

    /// Its name in the legacy system.
    pub fn legacy_name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::Status => "completed",
            Self::Priority => "priority",
            Self::Due => "due_date",
            Self::Recurrence => "recurrence_rule",
            Self::Category => "category_id",
            Self::Tags => "tag_ids",
            Self::Reminders => "reminder_sent",
        }
    }
}
