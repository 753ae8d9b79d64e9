//! From what inner layers refuse to what the caller sees. The stores know no status.

use http::StatusCode;
use http::header::{HeaderValue, RETRY_AFTER};
use nudge_component::Problem;
use nudge_component::events::Disposition;

use crate::db::DbError;
use crate::events::outbox::PublishError;

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) => Self::unavailable("the database", error),
            DbError::Leaving => Self::new(
                StatusCode::CONFLICT,
                "account_leaving",
                "your data is being deleted: wait a minute, then you may start anew",
            )
            .header(RETRY_AFTER, HeaderValue::from_static("15")),
            DbError::Refused(_) | DbError::Conflict(_) | DbError::Unreadable(_) => Self::internal(error),
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

/// The same for an event: whatever the database has against it, later it may work.
pub(crate) fn retry(error: DbError) -> Disposition {
    Disposition::Retry(error.to_string())
}
