//! From what inner layers refuse to what the caller sees. The stores know no status.

use nudge_component::Problem;
use nudge_component::events::Disposition;

use crate::db::DbError;

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Unavailable(_) => Self::unavailable("the database", error),
            DbError::Refused(_) | DbError::Conflict(_) | DbError::Unreadable(_) => Self::internal(error),
        }
    }
}

/// The same for an event: whatever the database has against it, later it may work.
pub(crate) fn retry(error: DbError) -> Disposition {
    Disposition::Retry(error.to_string())
}
