//! From what services refuse to what a REST client sees.

use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use nudge_component::Problem;
use nudge_component::problem::FieldError;
use nudge_domain::task::{FieldName, Mistake, ReminderField};

use crate::db::DbError;
use crate::error::{ServiceError, UnknownLabel};
use crate::events::outbox::PublishError;
use crate::input::fields::{MAX_ERRORS, UNKNOWN_FIELD};
use crate::limit::{OverLimit, SettingError};
use crate::recipients::address::AddressError;
use crate::recipients::limits::{Limit, Reached};
use crate::recipients::standing::StopReason;
use crate::tasks::labels::Kind;
use crate::tasks::leases::LeaseError;

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::NotFound(thing) => Self::not_found(thing.name()),
            ServiceError::Mismatch(mismatch) => mismatch.into(),
            ServiceError::Invalid(mut mistakes) => {
                // Unknown fields are named last, after what is wrong with the known ones.
                mistakes.sort_by_key(|mistake| mistake.code == UNKNOWN_FIELD);
                Self::invalid(mistakes.into_iter().take(MAX_ERRORS).map(field_error).collect())
            }
            ServiceError::UnknownLabels(labels) => {
                Self::invalid(labels.into_iter().map(unknown_label).collect())
            }
            ServiceError::Completed => Self::new(StatusCode::CONFLICT, "task_completed", error.to_string()),
            ServiceError::NameTaken(thing) => Self::new(
                StatusCode::CONFLICT,
                "name_taken",
                format!(
                    "you have another {} of that name, or of one that differs in case alone: choose another name",
                    thing.name()
                ),
            ),
            ServiceError::Contended { thing, .. } => {
                Self::unavailable(&format!("the {}", thing.name()), error)
            }
            ServiceError::OverLimit(over) => over.into(),
            ServiceError::Setting(error) => error.into(),
            ServiceError::Publish(error) => error.into(),
            ServiceError::Database(error) => error.into(),
        }
    }
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) => Self::unavailable("the database", error),
            DbError::AccountClosing => Self::new(
                StatusCode::CONFLICT,
                "account_leaving",
                "your data is being deleted: wait a minute, then you can start again with an empty account",
            )
            .header(RETRY_AFTER, HeaderValue::from_static("15")),
            DbError::Refused(_) | DbError::Conflict(_) | DbError::Unreadable(_) => Self::internal(error),
        }
    }
}

impl From<OverLimit> for Problem {
    /// A rate is 429 with the time to wait (RFC 6585, section 4), a quota 409: the state of the user's data is in the way.
    fn from(over: OverLimit) -> Self {
        match over.retry_after {
            Some(seconds) => Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", over.to_string())
                .header(RETRY_AFTER, HeaderValue::from(seconds)),
            None => Self::new(StatusCode::CONFLICT, "quota_exceeded", over.to_string()),
        }
    }
}

impl From<SettingError> for Problem {
    fn from(error: SettingError) -> Self {
        Self::internal(error)
    }
}

impl From<AddressError> for Problem {
    fn from(error: AddressError) -> Self {
        match error {
            AddressError::Service(error) => error.into(),
            AddressError::Blocked => {
                Self::new(StatusCode::CONFLICT, "email_blocked", StopReason::Blocked.explain())
            }
            AddressError::Limited(reached) => confirmations_limited(reached),
            AddressError::NoLinks(reason) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "email_not_confirmable",
                "another address needs a confirmation by email, which this server cannot send: its operator has to set public_url",
            )
            .header(RETRY_AFTER, HeaderValue::from_static("3600"))
            .logged(reason),
            AddressError::NoAddress => Self::new(
                StatusCode::CONFLICT,
                "no_email",
                "there is no address to send emails to: set one with PATCH /api/v1/me",
            ),
        }
    }
}

fn confirmations_limited(reached: Reached) -> Problem {
    let number = reached.number;
    let detail = match reached.limit {
        Limit::ConfirmationsOfUser | Limit::EmailsOfUser => {
            format!("you have requested {number} confirmation emails today, the limit per user and day")
        }
        Limit::ConfirmationsOfMailbox | Limit::EmailsOfMailbox => format!(
            "{number} confirmation emails were requested for this address today, the limit per address and day"
        ),
    };
    let (hours, name) = (reached.seconds.div_ceil(60 * 60), reached.limit.name());
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "rate_limited",
        format!("{detail}: open the link in the last one, or go on in {hours} hours; the operator can raise {name}"),
    )
    .header(RETRY_AFTER, HeaderValue::from(reached.seconds))
}

impl From<LeaseError> for Problem {
    fn from(error: LeaseError) -> Self {
        match error {
            LeaseError::Setting(reason) => Self::internal(reason),
            LeaseError::Database(error) => error.into(),
        }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::Database(error) => error.into(),
            PublishError::Publish(reason) => Self::unavailable("the broker", reason),
        }
    }
}

fn field_error(mistake: Mistake) -> FieldError {
    FieldError {
        field: name(mistake.field),
        code: mistake.code.into_owned(),
        message: mistake.message,
    }
}

/// The name of a field in REST.
fn name(field: FieldName) -> String {
    let name = match field {
        FieldName::Title => "title",
        FieldName::TimeZone => "timeZone",
        FieldName::Due => "due",
        FieldName::By => "by",
        FieldName::Status => "status",
        FieldName::Category => "categoryId",
        FieldName::Tags => "tagIds",
        FieldName::Tag(index) => return format!("tagIds[{index}]"),
        FieldName::Recurrence => "recurrence",
        FieldName::Reminders => "reminders",
        FieldName::ReminderAt(index, None) => return format!("reminders[{index}]"),
        FieldName::ReminderAt(index, Some(field)) => {
            return format!("reminders[{index}].{}", reminder_field(field));
        }
        FieldName::Reminder(field) => reminder_field(field),
        FieldName::DueAfter => "dueAfter",
        FieldName::DueBefore => "dueBefore",
        FieldName::Cursor => "cursor",
        FieldName::Text => "text",
        FieldName::Query => "query",
        FieldName::Named(name) => return name,
    };
    name.to_owned()
}

fn reminder_field(field: ReminderField) -> &'static str {
    match field {
        ReminderField::Id => "id",
        ReminderField::MinutesBefore => "minutesBefore",
        ReminderField::At => "at",
        ReminderField::Minutes => "minutes",
        ReminderField::Until => "until",
    }
}

fn unknown_label(label: UnknownLabel) -> FieldError {
    let (field, kind) = match label.kind {
        Kind::Category => (name(FieldName::Category), "category"),
        Kind::Tag => (name(FieldName::Tag(label.index)), "tag"),
    };
    FieldError {
        field,
        code: format!("unknown_{kind}"),
        message: format!(
            "you have no such {kind}: create it first at {}",
            super::labels::path(label.kind)
        ),
    }
}
