//! What can be done to categories and tags.

use jiff::Timestamp;
use nudge_domain::id::UserId;
use nudge_domain::task::{CategoryName, FieldName, Mistake, Patch, TagName, ValueError};
use uuid::Uuid;

use super::{Cursor, Kind, Label, LabelId, LabelPatch, store};
use crate::caller::Caller;
use crate::db::{Database, DbError};
use crate::error::ServiceError;
use crate::guard::rate_limit;
use crate::limit::{Limit, OverLimit};
use crate::tasks::service::change;
use crate::tasks::store as tasks;
use crate::version::{ATTEMPTS, Conditions, Thing};

/// Number of tasks per query when a label is removed from its tasks.
const PAGE: u32 = 100;

const DEFAULT_COLOR: &str = "#6b7280";

/// Maximum number of labels per page, and what a page has when the caller does not say.
pub(crate) const LARGEST_PAGE: u32 = 100;

/// A page of a user's labels, by name, and where the next one begins if there is one.
pub(crate) async fn page(
    database: &Database,
    kind: Kind,
    user_id: &UserId,
    after: &Cursor,
    offset: u32,
    limit: u32,
) -> Result<(Vec<Label>, Option<Cursor>), DbError> {
    // One more than the limit shows whether there is a next page.
    let mut labels = store::list(database, kind, user_id, after, offset, limit.saturating_add(1)).await?;
    let rest = labels.len() > limit as usize;
    labels.truncate(limit as usize);
    let next = labels.last().filter(|_| rest).map(|last| Cursor {
        name: last.name.clone(),
        id: last.id.to_string(),
    });
    Ok((labels, next))
}

/// All of a user's labels, by name.
pub(crate) async fn all(database: &Database, kind: Kind, user_id: &UserId) -> Result<Vec<Label>, DbError> {
    let mut labels = Vec::new();
    let mut next = Some(Cursor::default());
    while let Some(after) = next {
        let (page, rest) = page(database, kind, user_id, &after, 0, LARGEST_PAGE).await?;
        labels.extend(page);
        next = rest;
    }
    Ok(labels)
}

/// Creates a label of this id, or returns the one that an earlier attempt of the same request created.
pub(crate) async fn create(
    caller: &Caller,
    kind: Kind,
    id: Uuid,
    new: &LabelPatch,
) -> Result<Label, ServiceError> {
    let Caller { user, database, .. } = caller;
    let label = draft(kind, id, new)?;
    let limit = match kind {
        Kind::Category => Limit::Categories,
        Kind::Tag => Limit::Tags,
    };
    let most = limit.most().await?;
    if store::insert(database, kind, &user.id, &label, Timestamp::now(), most).await? {
        return Ok(label);
    }
    if let Some(label) = store::find(database, kind, &user.id, id).await? {
        return Ok(label);
    }
    match most {
        Some(most) if !store::is_name_taken(database, kind, &user.id, &label.name).await? => {
            Err(OverLimit::quota(limit, most).into())
        }
        _ => Err(ServiceError::NameTaken(kind.thing())),
    }
}

/// A label that is not stored yet.
pub(crate) fn draft(kind: Kind, id: Uuid, new: &LabelPatch) -> Result<Label, Vec<Mistake>> {
    let mut label = Label {
        id,
        name: String::new(),
        color: DEFAULT_COLOR.to_owned(),
        task_count: 0,
        version: 1,
    };
    let mut mistakes = Vec::new();
    if new.name.is_absent() {
        mistakes.push(name_required(kind));
    }
    apply(kind, &mut label, new, mistakes)?;
    Ok(label)
}

/// Changes a label. Its version stays.
pub(crate) fn apply(
    kind: Kind,
    label: &mut Label,
    patch: &LabelPatch,
    mut mistakes: Vec<Mistake>,
) -> Result<(), Vec<Mistake>> {
    mistakes.extend(patch.unreadable.iter().cloned());
    match &patch.name {
        Patch::Value(name) if *name == label.name && !name.is_empty() => {}
        Patch::Value(name) => match checked(kind, name) {
            Ok(name) => label.name = name,
            Err(error) => mistakes.push(Mistake::new(name_field(), error.code(), &error)),
        },
        Patch::Null => mistakes.push(name_required(kind)),
        Patch::Absent | Patch::Unreadable => {}
    }
    match &patch.color {
        Patch::Value(color) => label.color = color.to_string(),
        Patch::Null => label.color = DEFAULT_COLOR.to_owned(),
        Patch::Absent | Patch::Unreadable => {}
    }
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes)
    }
}

fn checked(kind: Kind, name: &str) -> Result<String, ValueError> {
    match kind {
        Kind::Category => name.parse::<CategoryName>().map(String::from),
        Kind::Tag => name.parse::<TagName>().map(String::from),
    }
}

fn name_field() -> FieldName {
    FieldName::Named("name".to_owned())
}

fn name_required(kind: Kind) -> Mistake {
    let message = format!("a {} needs a name", kind.thing().name());
    Mistake::new(name_field(), "required", message)
}

/// Reads a label.
pub(crate) async fn read(caller: &Caller, label: LabelId) -> Result<Label, ServiceError> {
    find(caller, label, &Conditions::NONE).await
}

/// Changes a label. A change that changes nothing is none.
pub(crate) async fn patch(
    caller: &Caller,
    id: LabelId,
    expected: &Conditions,
    patch: &LabelPatch,
) -> Result<Label, ServiceError> {
    let Caller { user, database, .. } = caller;
    let kind = id.kind();
    for _ in 0..ATTEMPTS {
        let before = find(caller, id, expected).await?;
        let mut label = before.clone();
        apply(kind, &mut label, patch, Vec::new())?;
        if label == before {
            return Ok(label);
        }
        label.version += 1;
        if store::update(database, kind, &user.id, &label).await? {
            return Ok(label);
        }
        let now = store::find(database, kind, &user.id, id.uuid()).await?;
        if now.is_some_and(|now| now.version == before.version) {
            return Err(ServiceError::NameTaken(kind.thing()));
        }
    }
    Err(ServiceError::contended(kind.thing(), id.uuid()))
}

async fn find(caller: &Caller, id: LabelId, expected: &Conditions) -> Result<Label, ServiceError> {
    let thing = id.kind().thing();
    let label = store::find(&caller.database, id.kind(), &caller.user.id, id.uuid())
        .await?
        .ok_or(ServiceError::NotFound(thing))?;
    expected.check_tagged(thing, label.version, label.etag())?;
    Ok(label)
}

/// Deletes a category or a tag, after removing it from the tasks that have it.
pub(crate) async fn delete(caller: &Caller, id: LabelId, expected: &Conditions) -> Result<(), ServiceError> {
    let Caller { user, database, .. } = caller;
    for _ in 0..ATTEMPTS {
        let label = find(caller, id, expected).await?;
        remove_from_tasks(caller, id).await?;
        let version = (!expected.is_none()).then_some(label.version);
        if store::delete(database, id.kind(), &user.id, id.uuid(), version).await? {
            // From tasks that got it meanwhile; from now on none can.
            return remove_from_tasks(caller, id).await;
        }
        // It was changed or deleted in the meantime: the next attempt finds out which.
    }
    Err(ServiceError::contended(id.kind().thing(), id.uuid()))
}

/// Removes a label from a user's tasks, each once: a task that keeps it does not hold up the others. Each task costs as much as a change
/// of it; what is done when the minute is used up stays done, and the request can be sent again.
async fn remove_from_tasks(caller: &Caller, id: LabelId) -> Result<(), ServiceError> {
    let Caller {
        user,
        cause,
        database,
    } = caller;
    let mut after = None;
    loop {
        let page = tasks::tasks_with_label(database, &user.id, id, after, PAGE).await?;
        for (_, task) in &page {
            // Each by itself: a page may cost more than is left of any minute.
            rate_limit::charge(&user.id, 1).await?;
            let changed = change(database, &user.id, *task, &Conditions::NONE, cause, |task, _| {
                match id {
                    LabelId::Category(id) => task.category = task.category.filter(|category| *category != id),
                    LabelId::Tag(id) => task.detach_tag(id),
                }
                Ok(())
            })
            .await;
            match changed {
                // The task was deleted meanwhile.
                Ok(_) | Err(ServiceError::NotFound(Thing::Task)) => {}
                Err(error) => return Err(error),
            }
        }
        if page.len() < PAGE as usize {
            return Ok(());
        }
        after = page.last().copied();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreadable(field: &str, code: &'static str) -> Mistake {
        Mistake::new(FieldName::Named(field.to_owned()), code, "")
    }

    fn codes(new: &LabelPatch) -> Vec<String> {
        let mistakes = draft(Kind::Tag, Uuid::nil(), new).unwrap_err();
        mistakes.into_iter().map(|mistake| mistake.code.into()).collect()
    }

    #[test]
    fn a_missing_name_is_reported_with_everything_else_that_is_wrong() {
        let new = LabelPatch {
            unreadable: vec![unreadable("color", "invalid_color")],
            ..LabelPatch::default()
        };
        assert_eq!(codes(&new), ["required", "invalid_color"]);
    }

    #[test]
    fn a_name_that_cannot_be_read_is_not_reported_as_missing() {
        let new = LabelPatch {
            name: Patch::Unreadable,
            unreadable: vec![unreadable("name", "wrong_type")],
            ..LabelPatch::default()
        };
        assert_eq!(codes(&new), ["wrong_type"]);
    }
}
