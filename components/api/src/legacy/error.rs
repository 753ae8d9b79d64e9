//! Why a change of the legacy system is refused, in the words of that system.

use nudge_contract::legacy::LegacyField;
use nudge_domain::task::{FieldName, Mistake};

use crate::db::DbError;
use crate::error::ServiceError;

/// Why a change was not applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LegacyError {
    /// It can never be applied. The reason names fields as the legacy system does.
    #[error("{0}")]
    Refused(String),
    /// A service or the database did not do its part.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl LegacyError {
    /// A field that is wrong, by its name in the legacy system.
    pub(super) fn field(name: &str, message: impl std::fmt::Display) -> Self {
        Self::Refused(format!("{name}: {message}"))
    }

    /// Why the change can never be applied.
    ///
    /// # Errors
    ///
    /// The error itself, if trying again may help.
    pub(super) fn into_reason(self) -> Result<String, ServiceError> {
        match self {
            Self::Refused(reason) => Ok(reason),
            Self::Service(ServiceError::Database(DbError::AccountClosing)) => {
                Ok("user_id: the account is being deleted in Nudge".to_owned())
            }
            Self::Service(error) => Err(error),
        }
    }
}

impl From<DbError> for LegacyError {
    fn from(error: DbError) -> Self {
        Self::Service(error.into())
    }
}

impl From<Vec<Mistake>> for LegacyError {
    fn from(mistakes: Vec<Mistake>) -> Self {
        let reasons: Vec<String> = mistakes.into_iter().map(describe).collect();
        Self::Refused(reasons.join("; "))
    }
}

fn describe(mistake: Mistake) -> String {
    let message = mistake.message;
    match mistake.field {
        FieldName::Named(name) => format!("{name}: {message}"),
        FieldName::Tag(index) => format!("{}[{index}]: {message}", LegacyField::Tags.legacy_name()),
        field => match shared(&field) {
            Some(field) => format!("{}: {message}", field.legacy_name()),
            None => message,
        },
    }
}

/// The field of the legacy system, if it has it.
fn shared(field: &FieldName) -> Option<LegacyField> {
    match field {
        FieldName::Title => Some(LegacyField::Title),
        FieldName::Due => Some(LegacyField::Due),
        FieldName::Status => Some(LegacyField::Status),
        FieldName::Category => Some(LegacyField::Category),
        FieldName::Tags | FieldName::Tag(_) => Some(LegacyField::Tags),
        FieldName::Recurrence => Some(LegacyField::Recurrence),
        FieldName::Reminders | FieldName::ReminderAt(..) | FieldName::Reminder(_) => {
            Some(LegacyField::Reminders)
        }
        FieldName::TimeZone
        | FieldName::By
        | FieldName::DueAfter
        | FieldName::DueBefore
        | FieldName::Cursor
        | FieldName::Text
        | FieldName::Query
        | FieldName::Named(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_named_as_the_legacy_system_names_the_field() {
        let mistakes = vec![
            Mistake::new(FieldName::Due, "invalid_due", "no date"),
            Mistake::new(FieldName::Recurrence, "invalid_recurrence", "no rule"),
            Mistake::new(FieldName::Tags, "too_many_tags", "too many"),
            Mistake::new(FieldName::Tag(2), "unknown_tag", "unknown"),
            Mistake::new(
                FieldName::Named("priority".to_owned()),
                "invalid_priority",
                "none",
            ),
        ];
        assert_eq!(
            LegacyError::from(mistakes).into_reason().unwrap(),
            "due_date: no date; recurrence_rule: no rule; tag_ids: too many; tag_ids[2]: unknown; priority: none"
        );
    }

    #[test]
    fn a_change_for_an_account_that_is_closing_is_refused_and_an_outage_is_not() {
        assert!(LegacyError::from(DbError::AccountClosing).into_reason().is_ok());
        let away = DbError::Unavailable("away".to_owned());
        assert!(LegacyError::from(away).into_reason().is_err());
    }
}
