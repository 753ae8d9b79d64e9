//! Refusals that a model can act on: a code, a sentence, which argument is wrong, and what may have been meant.

use http::StatusCode;
use nudge_component::Problem;
use nudge_component::problem::FieldError;
use nudge_domain::characters::isolated;
use serde_json::{Value, json};

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
pub(crate) const UNAVAILABLE: &str = "UNAVAILABLE";
pub(crate) const INTERNAL_ERROR: &str = "INTERNAL_ERROR";

/// Every code that a tool answers with.
pub(crate) const CODES: [&str; 12] = [
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
    UNAVAILABLE,
    INTERNAL_ERROR,
];

/// Something that may have been meant.
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

    /// There is no such thing, or it is somebody else's: `code` says what kind of thing.
    pub(crate) fn missing(code: &'static str) -> Self {
        Self::new(
            code,
            match code {
                CATEGORY_NOT_FOUND => {
                    "you have no such category: list_categories names them, create_category makes one"
                }
                TAG_NOT_FOUND => "you have no such tag: list_tags names them, create_tag makes one",
                _ => "you have no such task: find its id with search_tasks or list_tasks",
            },
        )
    }

    /// One argument breaks a rule.
    pub(crate) fn argument(field: &str, code: &str, message: &str) -> Self {
        Self::from(Problem::field(field, code, message))
    }

    /// From a refusal of the REST functions; `missing` is the code of what they did not find.
    pub(crate) fn of(problem: &Problem, missing: &'static str) -> Self {
        problem.log();
        let status = problem.status();
        match status {
            StatusCode::NOT_FOUND => Self::missing(missing),
            StatusCode::TOO_MANY_REQUESTS => Self::new(RATE_LIMITED, problem.detail()),
            StatusCode::FORBIDDEN => Self::new(FORBIDDEN, problem.detail()),
            StatusCode::SERVICE_UNAVAILABLE => Self::new(UNAVAILABLE, problem.detail()),
            status if status.is_server_error() => Self::new(INTERNAL_ERROR, problem.detail()),
            _ => Self::invalid(problem),
        }
    }

    fn invalid(problem: &Problem) -> Self {
        let errors: Vec<FieldError> = problem.errors().iter().map(renamed).collect();
        let code = match errors.as_slice() {
            [] => VALIDATION_ERROR,
            [first, rest @ ..] => {
                let code = code_of(first);
                if rest.iter().all(|error| code_of(error) == code) {
                    code
                } else {
                    VALIDATION_ERROR
                }
            }
        };
        let message = match errors.as_slice() {
            [] => problem.detail().to_owned(),
            [one] => format!("{}: {}", one.field, one.message),
            many => format!("{} arguments are not valid", many.len()),
        };
        Self {
            code,
            message,
            suggestions: Vec::new(),
            errors,
        }
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

    /// For people, and for models whose client shows them nothing else.
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

impl From<Problem> for Failure {
    /// What was not found is a task.
    fn from(problem: Problem) -> Self {
        Self::of(&problem, TASK_NOT_FOUND)
    }
}

fn code_of(error: &FieldError) -> &'static str {
    match error.code.as_str() {
        "too_many_tags" => return TOO_MANY_TAGS,
        "unknown_field" => return VALIDATION_ERROR,
        _ => {}
    }
    let field = error.field.as_str();
    match field {
        "priority" => INVALID_PRIORITY,
        "recurrence_rule" => INVALID_RECURRENCE_RULE,
        "due_date" | "due_before" | "due_after" => INVALID_DUE_DATE,
        "category_id" => CATEGORY_NOT_FOUND,
        _ if field.starts_with("tag_ids[") => TAG_NOT_FOUND,
        _ => VALIDATION_ERROR,
    }
}

/// The same mistake with the argument's name instead of the REST field's.
fn renamed(error: &FieldError) -> FieldError {
    // One that nobody asked for is called as the caller called it.
    let field = if error.code == "unknown_field" {
        error.field.clone()
    } else {
        argument(&error.field)
    };
    FieldError {
        field,
        code: error.code.clone(),
        message: match error.code.as_str() {
            "recurrence_without_due" => "a recurring task needs a due date: send due_date as well".to_owned(),
            "unknown_category" => Failure::missing(CATEGORY_NOT_FOUND).message,
            "unknown_tag" => Failure::missing(TAG_NOT_FOUND).message,
            _ => error.message.clone(),
        },
    }
}

/// The argument that became a REST field.
fn argument(field: &str) -> String {
    let end = field.find('[').unwrap_or(field.len());
    let (name, rest) = field.split_at(end);
    let name = match name {
        "due" => "due_date",
        "minutesBefore" => "remind_before_minutes",
        "at" => "remind_at",
        "recurrence" => "recurrence_rule",
        "categoryId" => "category_id",
        "tagIds" => "tag_ids",
        "dueBefore" => "due_before",
        "dueAfter" => "due_after",
        "sort" => "sort_by",
        "order" => "sort_order",
        "upcomingDays" => "days",
        "text" => "query",
        other => other,
    };
    format!("{name}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(field: &str, code: &str) -> &'static str {
        Failure::argument(field, code, "…").code
    }

    #[test]
    fn a_refusal_names_the_argument_and_has_the_code_of_its_kind() {
        for (field, rule, expected) in [
            ("priority", "invalid_priority", INVALID_PRIORITY),
            ("tagIds", "too_many_tags", TOO_MANY_TAGS),
            ("recurrence", "ambiguous_recurrence", INVALID_RECURRENCE_RULE),
            ("due", "invalid_due", INVALID_DUE_DATE),
            ("dueBefore", "invalid_due", INVALID_DUE_DATE),
            ("categoryId", "unknown_category", CATEGORY_NOT_FOUND),
            ("tagIds[3]", "unknown_tag", TAG_NOT_FOUND),
            ("tagIds", "wrong_type", VALIDATION_ERROR),
            ("title", "required", VALIDATION_ERROR),
        ] {
            assert_eq!(code(field, rule), expected, "{field} {rule}");
        }
        let failure = Failure::argument("tagIds[3]", "unknown_tag", "…");
        assert_eq!(failure.errors[0].field, "tag_ids[3]");
    }

    #[test]
    fn mistakes_of_several_kinds_are_a_validation_error_that_lists_them() {
        let error = |field: &str| FieldError {
            field: field.to_owned(),
            code: "wrong_type".to_owned(),
            message: "…".to_owned(),
        };
        let failure = Failure::from(Problem::invalid(vec![error("priority"), error("due")]));
        assert_eq!(failure.code, VALIDATION_ERROR);
        assert_eq!(
            failure.text(),
            "VALIDATION_ERROR: 2 arguments are not valid\n- priority: …\n- due_date: …"
        );
    }

    #[test]
    fn what_was_not_found_is_what_was_looked_for() {
        let problem = Problem::not_found("tag");
        assert_eq!(Failure::of(&problem, TAG_NOT_FOUND).code, TAG_NOT_FOUND);
        assert_eq!(Failure::from(problem).code, TASK_NOT_FOUND);
        assert_eq!(
            Failure::from(Problem::unavailable("the database", "…")).code,
            UNAVAILABLE
        );
        assert_eq!(Failure::from(Problem::internal("…")).code, INTERNAL_ERROR);
    }
}
