//! From the fields of the legacy system to the command of the domain.

use std::fmt::Display;
use std::str::FromStr;

use nudge_contract::legacy::{LegacyField, LegacyFields};
use nudge_domain::task::{Description, FieldName, Mistake, Patch, Priority, TaskFields};

use super::batch::Batch;
use crate::db::DbError;

/// Reads those of the fields that are wanted. Labels get ids for numbers. The status is not part of it: it changes at a time.
pub(super) async fn command(
    batch: &mut Batch<'_>,
    fields: &LegacyFields,
    wanted: &[LegacyField],
) -> Result<TaskFields, DbError> {
    let mut command = TaskFields::default();
    let mistakes = &mut command.unreadable;
    for field in wanted {
        match field {
            LegacyField::Title => command.title = patch(&fields.title),
            LegacyField::Description => {
                command.description =
                    parsed::<Description>(*field, &fields.description, |error| error.code(), mistakes);
            }
            LegacyField::Priority => {
                command.priority =
                    parsed::<Priority>(*field, &fields.priority, |error| error.code(), mistakes);
            }
            LegacyField::Due => command.due = patch(&fields.due).map(|at| at.to_string()),
            LegacyField::Recurrence => command.recurrence = patch(&fields.recurrence),
            LegacyField::Category => {
                command.category = match fields.category {
                    None => Patch::Absent,
                    Some(None) => Patch::Null,
                    Some(Some(number)) => Patch::Value(batch.category(number).await?),
                };
            }
            LegacyField::Tags => {
                if let Some(numbers) = &fields.tags {
                    command.tags = Patch::Value(batch.tags(numbers).await?);
                }
            }
            LegacyField::Status | LegacyField::Reminders => {}
        }
    }
    Ok(command)
}

fn patch<T: Clone>(field: &Option<Option<T>>) -> Patch<T> {
    match field {
        None => Patch::Absent,
        Some(None) => Patch::Null,
        Some(Some(value)) => Patch::Value(value.clone()),
    }
}

fn parsed<T: FromStr<Err: Display>>(
    field: LegacyField,
    text: &Option<Option<String>>,
    code: impl Fn(&T::Err) -> &'static str,
    mistakes: &mut Vec<Mistake>,
) -> Patch<T> {
    match patch(text) {
        Patch::Value(text) => match text.parse() {
            Ok(value) => Patch::Value(value),
            Err(error) => {
                let name = FieldName::Named(field.legacy_name().to_owned());
                mistakes.push(Mistake::new(name, code(&error), &error));
                Patch::Unreadable
            }
        },
        Patch::Null => Patch::Null,
        Patch::Absent | Patch::Unreadable => Patch::Absent,
    }
}
