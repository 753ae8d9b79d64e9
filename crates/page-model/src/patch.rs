//! An edit of some fields of a task.

use nudge_contract::task::Reminder;
use nudge_domain::LocalInstant;
use nudge_domain::id::{CategoryId, ReminderId, TagId};
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::Priority;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::Values;
use crate::json;

/// Fields to change: as they are sent (a merge patch), and as they are shown until the API has answered.
///
/// ```
/// use nudge_domain::task::Priority;
/// use nudge_page_model::Patch;
///
/// let patch = Patch::new().title(" Pay rent ").priority(Priority::High).due_text("tomorrow 9am");
/// assert_eq!(patch.sent()["due"], "tomorrow 9am");
/// assert_eq!(patch.shown()["title"], "Pay rent");
/// assert!(!patch.shown().contains_key("due"), "only the API knows which instant this is");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Patch {
    #[serde(rename = "send")]
    pub(crate) sent: Values,
    #[serde(rename = "show")]
    pub(crate) shown: Values,
}

/// A reminder as a person edits it. With the id of an existing reminder and another time it moves that one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReminderEdit {
    /// An existing reminder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ReminderId>,
    /// Minutes before the due date.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minutes_before: Option<u32>,
    /// Or an instant, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

impl From<&Reminder> for ReminderEdit {
    fn from(reminder: &Reminder) -> Self {
        Self {
            id: Some(reminder.id),
            minutes_before: reminder.minutes_before,
            at: reminder.at.map(|at| at.to_string()),
        }
    }
}

impl Patch {
    /// Changes nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    /// The merge patch.
    pub fn sent(&self) -> &Values {
        &self.sent
    }

    /// The values that are shown meanwhile.
    pub fn shown(&self) -> &Values {
        &self.shown
    }

    /// Another title.
    #[must_use]
    pub fn title(self, title: &str) -> Self {
        self.set("title", title.trim())
    }

    /// Another description; an empty one is none.
    #[must_use]
    pub fn description(self, description: Option<&str>) -> Self {
        self.set("description", description.filter(|text| !text.is_empty()))
    }

    /// Another priority.
    #[must_use]
    pub fn priority(self, priority: Priority) -> Self {
        self.json("priority", &priority)
    }

    /// Another category.
    #[must_use]
    pub fn category(self, category: Option<CategoryId>) -> Self {
        self.json("categoryId", &category)
    }

    /// Other tags.
    #[must_use]
    pub fn tags(self, tags: &[TagId]) -> Self {
        self.json("tagIds", &tags)
    }

    /// Another due date.
    #[must_use]
    pub fn due(self, due: Option<LocalInstant>) -> Self {
        self.json("due", &due)
    }

    /// Another due date in one of the API's forms: `2026-12-01T09:00`, `2026-12-01`, or a phrase. It is shown once the API has answered.
    #[must_use]
    pub fn due_text(self, text: &str) -> Self {
        self.send("due", text)
    }

    /// A due date in one of the API's forms, and the instant that is shown until the API has answered.
    #[must_use]
    pub fn due_shown_as(mut self, text: &str, due: LocalInstant) -> Self {
        self.shown.insert("due".to_owned(), due.to_string().into());
        self.sent.insert("due".to_owned(), text.into());
        self
    }

    /// Another time zone (IANA name).
    #[must_use]
    pub fn time_zone(self, zone: &str) -> Self {
        self.set("timeZone", zone)
    }

    /// Another estimate, in minutes.
    #[must_use]
    pub fn estimate(self, minutes: Option<u32>) -> Self {
        self.set("estimateMinutes", minutes)
    }

    /// Another recurrence: a rule or a phrase. It is shown once the API has answered.
    #[must_use]
    pub fn recurrence(self, recurrence: Option<&str>) -> Self {
        match recurrence {
            Some(text) => self.send("recurrence", text),
            None => self.set("recurrence", None::<&str>),
        }
    }

    /// Where the recurrence counts from.
    #[must_use]
    pub fn recurrence_from(self, from: RecurrenceFrom) -> Self {
        self.json("recurrenceFrom", &from)
    }

    /// Other reminders: the whole list.
    #[must_use]
    pub fn reminders(self, reminders: &[ReminderEdit]) -> Self {
        self.json("reminders", &reminders)
    }

    /// A field by its name in JSON, sent and shown alike.
    #[must_use]
    pub fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        self.shown.insert(field.to_owned(), value.clone());
        self.sent.insert(field.to_owned(), value);
        self
    }

    fn send(mut self, field: &str, value: &str) -> Self {
        self.shown.remove(field);
        self.sent.insert(field.to_owned(), value.into());
        self
    }

    fn json(self, field: &str, value: &impl Serialize) -> Self {
        match json::value(value) {
            Some(value) => self.set(field, value),
            None => self,
        }
    }

    /// The value of a field as a person sees it.
    pub(crate) fn value(&self, field: &str) -> Value {
        let value = self.shown.get(field).or_else(|| self.sent.get(field));
        value.cloned().unwrap_or_default()
    }

    pub(crate) fn remove(&mut self, field: &str) {
        self.shown.remove(field);
        self.sent.remove(field);
    }

    /// Takes over the fields of another patch.
    pub(crate) fn merge(&mut self, other: Self) {
        for field in other.sent.keys() {
            self.shown.remove(field);
        }
        self.sent.extend(other.sent);
        self.shown.extend(other.shown);
    }
}
