//! Refusals that a model can act on: a code, a sentence, which argument is wrong, and what may have been meant.

use nudge_component::problem::FieldError;
use nudge_domain::characters::isolated;
use nudge_domain::task::{FieldName, Mistake, ReminderField};
use serde_json::{Value, json};

use crate::db::DbError;
use crate::error::{ServiceError, UnknownLabel};
use crate::events::outbox::PublishError;
use crate::input::fields::{MAX_ERRORS, UNKNOWN_FIELD};
use crate::tasks::labels::Kind;
use crate::version::Thing;

pub(crate) const INVALID_PRIORITY: &str = "INVALID_PRIORITY";
pub(crate) const TOO_MANY_TAGS: &str = "TOO_MANY_TAGS";
pub(crate) const INVALID_RECURRENCE_RULE: &str = "INVALID_RECURRENCE_RULE";
pub(crate) const INVALID_DUE_DATE: &str = "INVALID_DUE_DATE";
pub(crate) const TASK_NOT_FOUND: &str = "TASK_NOT_FOUND";
pub(crate) const CATEGORY_NOT_FOUND: &str = "CATEGORY_NOT_FOUND";
pub(crate) const TAG_NOT_FOUND: &str = "TAG_NOT_FOUND";
pub(crate) const FORBIDDEN: &str = "FORBIDDEN";
pub(crate) const VALIDATION_ERROR: &str = "VALIDATION_ERROR";
pub(crate) const RATE_LIMITED: &str = "RATE_LIMITED";
pub(crate) const QUOTA_EXCEEDED: &str = "QUOTA_EXCEEDED";
pub(crate) const UNAVAILABLE: &str = "UNAVAILABLE";
pub(crate) const INTERNAL_ERROR: &str = "INTERNAL_ERROR";

/// Every code of a refusal.
pub(crate) const CODES: [&str; 13] = [
    INVALID_PRIORITY,
    TOO_MANY_TAGS,
    INVALID_RECURRENCE_RULE,
    INVALID_DUE_DATE,
    TASK_NOT_FOUND,
    CATEGORY_NOT_FOUND,
    TAG_NOT_FOUND,
    FORBIDDEN,
    VALIDATION_ERROR,
    RATE_LIMITED,
    QUOTA_EXCEEDED,
    UNAVAILABLE,
    INTERNAL_ERROR,
];

/// Something that the caller may have meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Suggestion {
    pub(crate) id: String,
    /// Title of a task, or name of a label.
    pub(crate) title: String,
}

/// Why a tool did not do what it was called for.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) suggestions: Vec<Suggestion>,
    pub(crate) errors: Vec<FieldError>,
}

impl Failure {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            suggestions: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// There is no such thing, or it belongs to another user.
    pub(crate) fn missing(thing: Thing) -> Self {
        match thing {
            Thing::Category => Self::new(
                CATEGORY_NOT_FOUND,
                "you have no such category: list_categories lists them, create_category creates one",
            ),
            Thing::Tag => Self::new(
                TAG_NOT_FOUND,
                "you have no such tag: list_tags lists them, create_tag creates one",
            ),
            Thing::Task | Thing::Reminder | Thing::Profile | Thing::Agent => Self::new(
                TASK_NOT_FOUND,
                "you have no such task: find its id with search_tasks or list_tasks",
            ),
        }
    }

    /// One argument breaks a rule.
    pub(crate) fn argument(field: &str, code: &'static str, message: &str) -> Self {
        let field = FieldName::Named(field.to_owned());
        Self::invalid(vec![Mistake::new(field, code, message)])
    }

    /// Arguments break rules.
    pub(crate) fn invalid(mistakes: Vec<Mistake>) -> Self {
        Self::of_errors(mistakes.into_iter().take(MAX_ERRORS).map(field_error).collect())
    }

    fn of_errors(errors: Vec<FieldError>) -> Self {
        let mut codes = errors.iter().map(code_of);
        let first = codes.next().unwrap_or(VALIDATION_ERROR);
        let code = if codes.all(|code| code == first) {
            first
        } else {
            VALIDATION_ERROR
        };
        let message = match errors.as_slice() {
            [one] => format!("{}: {}", one.field, one.message),
            many => format!("{} arguments are not valid", many.len()),
        };
        Self {
            errors,
            ..Self::new(code, message)
        }
    }

    /// Something that this depends on cannot be reached. What it was is for the log.
    fn unavailable(what: &str, log: impl std::fmt::Display) -> Self {
        tracing::error!(code = UNAVAILABLE, "{log}");
        let message = format!("{what} cannot be reached: try again in a few seconds");
        Self::new(UNAVAILABLE, message)
    }

    /// A defect. The caller learns only that it is one.
    pub(super) fn internal(log: impl std::fmt::Display) -> Self {
        tracing::error!(code = INTERNAL_ERROR, "{log}");
        Self::new(
            INTERNAL_ERROR,
            "something went wrong on our side: read it again before you repeat the change",
        )
    }

    /// For programs.
    pub(crate) fn structured(&self) -> Value {
        let suggestions: Vec<Value> = self
            .suggestions
            .iter()
            .map(|suggestion| json!({ "id": suggestion.id, "title": suggestion.title }))
            .collect();
        json!({
            "code": self.code,
            "message": self.message,
            "suggestions": suggestions,
            "errors": self.errors,
        })
    }

    /// For people, and for models whose client shows them only the text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("{}: {}", self.code, self.message);
        if self.errors.len() > 1 {
            for error in &self.errors {
                text.push_str(&format!("\n- {}: {}", error.field, error.message));
            }
        }
        if !self.suggestions.is_empty() {
            text.push_str("\nPerhaps one of these is meant:");
            for suggestion in &self.suggestions {
                text.push_str(&format!(
                    "\n- “{}” (id {})",
                    isolated(&suggestion.title),
                    suggestion.id
                ));
            }
        }
        text
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound(thing) => Self::missing(thing),
            ServiceError::Invalid(mistakes) => Self::invalid(mistakes),
            ServiceError::UnknownLabels(labels) => {
                Self::of_errors(labels.into_iter().map(unknown_label).collect())
            }
            ServiceError::NameTaken(thing) => {
                let message = format!(
                    "you have another {} of that name, or of one that differs in case alone: use it, or choose another name",
                    thing.name()
                );
                Self::argument("name", "name_taken", &message)
            }
            ServiceError::Mismatch(_) | ServiceError::Completed => {
                Self::new(VALIDATION_ERROR, error.to_string())
            }
            ServiceError::Contended { thing, .. } => {
                Self::unavailable(&format!("the {}", thing.name()), error)
            }
            ServiceError::OverLimit(over) => {
                let code = if over.retry_after.is_some() {
                    RATE_LIMITED
                } else {
                    QUOTA_EXCEEDED
                };
                Self::new(code, over.to_string())
            }
            ServiceError::Setting(error) => Self::internal(error),
            ServiceError::Publish(PublishError::Publish(reason)) => Self::unavailable("the broker", reason),
            ServiceError::Publish(PublishError::Database(error)) | ServiceError::Database(error) => {
                error.into()
            }
        }
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) => Self::unavailable("the database", error),
            DbError::AccountClosing => Self::new(
                VALIDATION_ERROR,
                "your data is being deleted: wait a minute, then you can start again with an empty account",
            ),
            DbError::Refused(_) | DbError::Conflict(_) | DbError::Unreadable(_) => Self::internal(error),
        }
    }
}

fn code_of(error: &FieldError) -> &'static str {
    match (error.field.as_str(), error.code.as_str()) {
        (_, "too_many_tags") => TOO_MANY_TAGS,
        (_, UNKNOWN_FIELD) => VALIDATION_ERROR,
        ("priority", _) => INVALID_PRIORITY,
        ("recurrence_rule", _) => INVALID_RECURRENCE_RULE,
        ("due_date" | "due_before" | "due_after", _) => INVALID_DUE_DATE,
        ("category_id", _) => CATEGORY_NOT_FOUND,
        (field, _) if field.starts_with("tag_ids[") => TAG_NOT_FOUND,
        _ => VALIDATION_ERROR,
    }
}

fn field_error(mistake: Mistake) -> FieldError {
    FieldError {
        field: name(mistake.field),
        code: mistake.code.into_owned(),
        message: mistake.message,
    }
}

fn unknown_label(label: UnknownLabel) -> FieldError {
    let (field, thing) = match label.kind {
        Kind::Category => (FieldName::Category, Thing::Category),
        Kind::Tag => (FieldName::Tag(label.index), Thing::Tag),
    };
    FieldError {
        field: name(field),
        code: format!("unknown_{}", thing.name()),
        message: Failure::missing(thing).message,
    }
}

/// The argument that a field of a command comes from.
fn name(field: FieldName) -> String {
    let name = match field {
        FieldName::Title => "title",
        FieldName::TimeZone => "time_zone",
        FieldName::Due => "due_date",
        FieldName::By => "by",
        FieldName::Status => "completed",
        FieldName::Category => "category_id",
        FieldName::Tags => "tag_ids",
        FieldName::Tag(index) => return format!("tag_ids[{index}]"),
        FieldName::Recurrence => "recurrence_rule",
        FieldName::Reminders => "reminders",
        FieldName::ReminderAt(index, _) => return format!("reminders[{index}]"),
        FieldName::Reminder(ReminderField::Id) => "reminder_id",
        FieldName::Reminder(ReminderField::MinutesBefore | ReminderField::Minutes) => "remind_before_minutes",
        FieldName::Reminder(ReminderField::At | ReminderField::Until) => "remind_at",
        FieldName::DueAfter => "due_after",
        FieldName::DueBefore => "due_before",
        FieldName::Cursor => "offset",
        FieldName::Text | FieldName::Query => "query",
        FieldName::Named(name) => return name,
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::{Limit, OverLimit};

    fn mistake(field: FieldName, code: &'static str) -> Mistake {
        Mistake::new(field, code, "…")
    }

    #[test]
    fn a_refusal_names_the_argument_and_has_the_code_of_its_kind() {
        let named = |name: &str| FieldName::Named(name.to_owned());
        for (field, rule, name, expected) in [
            (
                named("priority"),
                "invalid_priority",
                "priority",
                INVALID_PRIORITY,
            ),
            (FieldName::Tags, "too_many_tags", "tag_ids", TOO_MANY_TAGS),
            (
                FieldName::Recurrence,
                "ambiguous_recurrence",
                "recurrence_rule",
                INVALID_RECURRENCE_RULE,
            ),
            (FieldName::Due, "invalid_due", "due_date", INVALID_DUE_DATE),
            (
                FieldName::DueBefore,
                "invalid_due",
                "due_before",
                INVALID_DUE_DATE,
            ),
            (
                named("category_id"),
                "wrong_type",
                "category_id",
                CATEGORY_NOT_FOUND,
            ),
            (named("tag_ids[3]"), "wrong_type", "tag_ids[3]", TAG_NOT_FOUND),
            (named("tag_ids"), "wrong_type", "tag_ids", VALIDATION_ERROR),
            (named("priority"), UNKNOWN_FIELD, "priority", VALIDATION_ERROR),
            (
                FieldName::Reminder(ReminderField::MinutesBefore),
                "invalid_reminder",
                "remind_before_minutes",
                VALIDATION_ERROR,
            ),
            (FieldName::Title, "required", "title", VALIDATION_ERROR),
        ] {
            let failure = Failure::from(ServiceError::Invalid(vec![mistake(field, rule)]));
            assert_eq!((failure.code, failure.errors[0].code.as_str()), (expected, rule));
            assert_eq!(failure.errors[0].field, name);
            assert_eq!(failure.message, format!("{name}: …"));
        }
    }

    #[test]
    fn mistakes_of_several_kinds_are_a_validation_error_that_lists_them() {
        let priority = FieldName::Named("priority".to_owned());
        let mistakes = vec![
            mistake(priority, "wrong_type"),
            mistake(FieldName::Due, "wrong_type"),
        ];
        let failure = Failure::invalid(mistakes);
        assert_eq!(failure.code, VALIDATION_ERROR);
        assert_eq!(
            failure.text(),
            "VALIDATION_ERROR: 2 arguments are not valid\n- priority: …\n- due_date: …"
        );
    }

    #[test]
    fn unknown_labels_are_named_with_the_argument_that_has_them() {
        let tag = |index| UnknownLabel {
            kind: Kind::Tag,
            index,
        };
        let failure = Failure::from(ServiceError::UnknownLabels(vec![tag(1), tag(3)]));
        assert_eq!(failure.code, TAG_NOT_FOUND);
        let named: Vec<&str> = failure.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(named, ["tag_ids[1]", "tag_ids[3]"]);
        assert!(failure.errors[0].message.contains("list_tags"));
    }

    #[test]
    fn each_error_of_a_service_has_its_code() {
        let unavailable = || DbError::Unavailable("no route".to_owned());
        for (error, code) in [
            (ServiceError::NotFound(Thing::Task), TASK_NOT_FOUND),
            (ServiceError::NotFound(Thing::Category), CATEGORY_NOT_FOUND),
            (ServiceError::NotFound(Thing::Tag), TAG_NOT_FOUND),
            (ServiceError::NameTaken(Thing::Tag), VALIDATION_ERROR),
            (ServiceError::Completed, VALIDATION_ERROR),
            (ServiceError::contended(Thing::Task, "x"), UNAVAILABLE),
            (
                ServiceError::OverLimit(OverLimit::rate(Limit::CostPerMinute, 1200, 20)),
                RATE_LIMITED,
            ),
            (
                ServiceError::OverLimit(OverLimit::quota(Limit::Tasks, 20_000)),
                QUOTA_EXCEEDED,
            ),
            (ServiceError::Database(unavailable()), UNAVAILABLE),
            (
                ServiceError::Publish(PublishError::Database(unavailable())),
                UNAVAILABLE,
            ),
            (ServiceError::Database(DbError::AccountClosing), VALIDATION_ERROR),
            (
                ServiceError::Database(DbError::Refused("no such table: secret".to_owned())),
                INTERNAL_ERROR,
            ),
        ] {
            let failure = Failure::from(error);
            assert_eq!(failure.code, code, "{}", failure.message);
            assert!(!failure.message.contains("secret"), "{}", failure.message);
        }
    }
}
