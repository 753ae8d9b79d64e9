//! Types that a column of a table can hold.

use jiff::Timestamp;
use nudge_domain::Zone;
use nudge_domain::id::{CategoryId, LeaseId, ReminderId, SeriesId, TagId, TaskId, UserId};
use nudge_domain::recurrence::Rule;
use nudge_domain::series::RecurrenceFrom;
use nudge_domain::task::{Description, Priority, Status, Title};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{DbError, Row, Value};

/// A value between a row and the program.
pub(crate) trait Column: Sized {
    /// The SQL type, for statements from which the type of a parameter cannot be inferred.
    const SQL: &'static str;

    fn read(row: &Row, index: usize) -> Result<Self, DbError>;
    fn write(&self) -> Value;
}

/// A value that is stored as JSON.
pub(crate) struct Json<T>(pub(crate) T);

macro_rules! text_columns {
    ($($type:ty: $text:expr;)+) => {
        $(
            impl Column for $type {
                const SQL: &'static str = "TEXT";

                fn read(row: &Row, index: usize) -> Result<Self, DbError> {
                    row.parsed(index)
                }

                fn write(&self) -> Value {
                    let text: fn(&Self) -> String = $text;
                    text(self).into()
                }
            }

            impl From<&$type> for Value {
                fn from(value: &$type) -> Self {
                    value.write()
                }
            }
        )+
    };
}

text_columns! {
    TaskId: TaskId::to_string;
    ReminderId: ReminderId::to_string;
    SeriesId: SeriesId::to_string;
    CategoryId: CategoryId::to_string;
    LeaseId: LeaseId::to_string;
    TagId: TagId::to_string;
    UserId: UserId::to_string;
    Status: Status::to_string;
    Priority: Priority::to_string;
    RecurrenceFrom: RecurrenceFrom::to_string;
    Rule: Rule::to_string;
    Zone: |zone| zone.name().to_owned();
}

/// Strings that were checked when they were stored; current rules are not applied to them.
macro_rules! stored_texts {
    ($($type:ty),+) => {
        $(
            impl Column for $type {
                const SQL: &'static str = "TEXT";

                fn read(row: &Row, index: usize) -> Result<Self, DbError> {
                    Ok(Self::stored(row.text(index)?))
                }

                fn write(&self) -> Value {
                    self.as_str().into()
                }
            }
        )+
    };
}

stored_texts!(Title, Description);

impl Column for u32 {
    const SQL: &'static str = "BIGINT";

    fn read(row: &Row, index: usize) -> Result<Self, DbError> {
        let value = row.int(index)?;
        Self::try_from(value).map_err(|error| DbError::Unreadable(format!("{value}: {error}")))
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl Column for Timestamp {
    const SQL: &'static str = "BIGINT";

    fn read(row: &Row, index: usize) -> Result<Self, DbError> {
        row.instant(index)
    }

    fn write(&self) -> Value {
        (*self).into()
    }
}

impl<T: Column> Column for Option<T> {
    const SQL: &'static str = T::SQL;

    fn read(row: &Row, index: usize) -> Result<Self, DbError> {
        match row.is_null(index)? {
            true => Ok(None),
            false => T::read(row, index).map(Some),
        }
    }

    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::write)
    }
}

impl<T: Serialize + DeserializeOwned> Column for Json<T> {
    const SQL: &'static str = "TEXT";

    fn read(row: &Row, index: usize) -> Result<Self, DbError> {
        serde_json::from_str(row.text(index)?)
            .map(Self)
            .map_err(|error| DbError::Unreadable(format!("JSON: {error}")))
    }

    fn write(&self) -> Value {
        // Strings and numbers, so writing them as JSON cannot fail.
        serde_json::to_string(&self.0).unwrap_or_default().into()
    }
}
