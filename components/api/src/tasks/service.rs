//! What can be done to tasks: created, read, changed, deleted.
//!
//! A change reads the task, changes it by the rules of the domain, and stores it with its event in one statement, unless another
//! request was faster; then it starts again ([`change`]). `legacy/` has a loop of its own, because a change from another
//! system is merged field by field.

use jiff::Timestamp;
use nudge_contract::api::Page;
use nudge_contract::event::{Change, TaskEvent};
use nudge_contract::task as contract;
use nudge_domain::id::{TagId, TaskId, UserId};
use nudge_domain::task::{Context, FieldName, Mistake, MoveDue, NewTask, Status, Task, TaskPatch};
use uuid::Uuid;

use crate::caller::{Caller, Cause};
use crate::db::{Database, DbError, milliseconds};
use crate::error::{ServiceError, UnknownLabel};
use crate::events::outbox;
use crate::guard::idempotency::NewIds;
use crate::guard::rate_limit;
use crate::profile;
use crate::tasks::labels::{self, Kind, LabelId};
use crate::tasks::list::query::{ListTasks, TaskQuery};
use crate::tasks::list::statement;
use crate::tasks::room::Room;
use crate::tasks::{record, store, successors};
use crate::version::{ATTEMPTS, Conditions, Thing};

/// A version of a task costs 1 more for so many bytes of its description.
const BYTES: usize = 4096;

/// The time and new ids. The time is in milliseconds, as it is stored: a response shows the same instants as a later read.
pub(crate) fn context() -> Context {
    Context {
        now: milliseconds(Timestamp::now()),
        new_id: Uuid::now_v7,
    }
}

/// Creates the n-th new thing of a request as a task, or returns the one that an earlier attempt of the request created.
pub(crate) async fn create(
    caller: &Caller,
    ids: &NewIds,
    n: u32,
    new: &NewTask,
) -> Result<Task, ServiceError> {
    let Caller {
        user,
        cause,
        database,
    } = caller;
    let id = TaskId::from(ids.nth(n));
    let context = context();
    // Before the command is checked: a time that was in the future at the first attempt may be in the past now.
    if ids.repeated()
        && let Some(created) = store::find(database, &user.id, id).await?
    {
        return Ok(created);
    }
    let mut known = profile::recall(user);
    let mut charged = 0;
    for _ in 0..ATTEMPTS {
        let (profile, was_known) = match known.take() {
            Some(profile) => (profile, true),
            None => (profile::remember(database, user, context.now).await?, false),
        };
        let task = match Task::create(id, profile.owner(), new, &context) {
            Ok(task) => task,
            // It may be valid by the profile as it is now.
            Err(_) if was_known => continue,
            Err(mistakes) => return Err(mistakes.into()),
        };
        let event = record::event(&task, Change::Created, None, cause);
        charged = charge_length(&user.id, &task, charged).await?;
        let room = Room::of_new(&task).await?;
        if store::insert_if_current(database, &task, &event, profile.revision, &room).await? {
            outbox::publish_after_response(&event);
            return Ok(task);
        }
        check_labels(database, &task, None).await?;
        if store::exists(database, id).await? {
            // An attempt that overlapped with this one was faster; or the task was created by the first attempt, and is deleted.
            return read(caller, id).await;
        }
        if let Some(over) = room.over(database, &user.id, &task).await? {
            return Err(over.into());
        }
    }
    Err(ServiceError::contended(Thing::Profile, &user.id))
}

/// Charges what a version costs beside the request, and returns how much is charged now: `charged` was by an earlier attempt.
async fn charge_length(user_id: &UserId, task: &Task, charged: u32) -> Result<u32, ServiceError> {
    let cost = cost_of_length(task);
    rate_limit::charge(user_id, cost.saturating_sub(charged)).await?;
    Ok(charged.max(cost))
}

/// What a version of a task costs beside the request, because it is long: each is stored whole, with its event.
fn cost_of_length(task: &Task) -> u32 {
    let bytes = task
        .description
        .as_ref()
        .map_or(0, |description| description.as_str().len());
    u32::try_from(bytes / BYTES).unwrap_or(u32::MAX)
}

/// Reads a task.
pub(crate) async fn read(caller: &Caller, id: TaskId) -> Result<Task, ServiceError> {
    find(&caller.database, &caller.user.id, id, &Conditions::NONE).await
}

/// A page of a user's tasks, and the query that the request was read as.
pub(crate) async fn list(
    caller: &Caller,
    wanted: &ListTasks,
    now: Timestamp,
) -> Result<(TaskQuery, Page<contract::Task>), ServiceError> {
    let Caller { user, database, .. } = caller;
    let zone = if wanted.names_days() {
        profile::zone(database, user).await?
    } else {
        user.zone.clone()
    };
    let query = wanted.resolve(&zone, now)?;
    let page = page(database, &user.id, &query).await?;
    Ok((query, page))
}

/// A page of a user's tasks.
pub(crate) async fn page(
    database: &Database,
    user_id: &UserId,
    query: &TaskQuery,
) -> Result<Page<contract::Task>, ServiceError> {
    // One task more than the limit shows whether there is a next page.
    let more = TaskQuery {
        limit: query.limit + 1,
        ..query.clone()
    };
    let mut tasks = statement::list(database, user_id, &more).await?;
    let rest = tasks.len() > query.limit as usize;
    tasks.truncate(query.limit as usize);
    let last = tasks.last().filter(|_| rest);
    Ok(Page {
        next_cursor: last.map(|task| statement::cursor(task, query.sort, query.order).to_string()),
        items: tasks.iter().map(record::view).collect(),
    })
}

/// Changes the fields of a task.
pub(crate) async fn patch(
    caller: &Caller,
    id: TaskId,
    expected: &Conditions,
    patch: &TaskPatch,
) -> Result<Task, ServiceError> {
    change_remembered(caller, id, expected, |task, context| {
        Ok(task.patch(patch, context)?)
    })
    .await
}

/// Marks a task as done. One that is done stays as it is.
pub(crate) async fn complete(
    caller: &Caller,
    id: TaskId,
    expected: &Conditions,
) -> Result<Task, ServiceError> {
    change_own(caller, id, expected, |task, context| {
        task.complete(context.now);
        Ok(())
    })
    .await
}

/// Marks a task as not done after all. One that is not done stays as it is, and so does the next occurrence of its series.
pub(crate) async fn reopen(caller: &Caller, id: TaskId, expected: &Conditions) -> Result<Task, ServiceError> {
    change_own(caller, id, expected, |task, context| {
        task.reopen(context.now);
        Ok(())
    })
    .await
}

/// Moves a task's due date, and with it the reminders that count from it.
pub(crate) async fn move_due(
    caller: &Caller,
    id: TaskId,
    expected: &Conditions,
    to: &MoveDue,
) -> Result<Task, ServiceError> {
    change_own(caller, id, expected, |task, context| {
        Ok(task.move_due(to, context)?)
    })
    .await
}

/// Tags a task. A tag that it has already stays.
pub(crate) async fn attach_tag(
    caller: &Caller,
    id: TaskId,
    tag: TagId,
    expected: &Conditions,
) -> Result<Task, ServiceError> {
    if !is_known(caller, tag).await? {
        return Err(ServiceError::NotFound(Thing::Tag));
    }
    change_own(caller, id, expected, |task, _| {
        task.attach_tag(tag)
            .map_err(|error| ServiceError::Invalid(vec![Mistake::new(FieldName::Tags, error.code(), error)]))
    })
    .await
}

/// Removes a tag from a task. One that it does not have is no error, if there is such a tag.
pub(crate) async fn detach_tag(
    caller: &Caller,
    id: TaskId,
    tag: TagId,
    expected: &Conditions,
) -> Result<Task, ServiceError> {
    // A tag that was deleted meanwhile can be removed from a task that still has it.
    if !is_known(caller, tag).await? && !read(caller, id).await?.tags.contains(&tag) {
        return Err(ServiceError::NotFound(Thing::Tag));
    }
    change_own(caller, id, expected, |task, _| {
        task.detach_tag(tag);
        Ok(())
    })
    .await
}

async fn is_known(caller: &Caller, tag: TagId) -> Result<bool, DbError> {
    let known = labels::store::known(&caller.database, Kind::Tag, &caller.user.id, &[tag.into()]).await?;
    Ok(!known.is_empty())
}

/// How much of a recurring task is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The task, and nothing comes after it.
    #[default]
    Series,
    /// This occurrence; the next one is created.
    Occurrence,
}

impl Scope {
    /// The words for it.
    pub(crate) const WORDS: [(&'static str, Self); 2] =
        [("series", Self::Series), ("occurrence", Self::Occurrence)];
}

/// Deletes a task. Its history and its events stay.
pub(crate) async fn delete(
    caller: &Caller,
    id: TaskId,
    expected: &Conditions,
    scope: Scope,
) -> Result<(), ServiceError> {
    let Caller {
        user,
        cause,
        database,
    } = caller;
    let deleted = delete_unannounced(database, &user.id, id, expected, scope, cause).await?;
    outbox::publish_after_response(&deleted.event);
    // The task is deleted even if this fails; then the recurring job creates the next occurrence.
    if deleted.followed
        && let Err(error) = successors::follow(database, &deleted.task, &cause.followed()).await
    {
        tracing::warn!("the occurrence after the deleted task {id} is created later: {error}");
    }
    Ok(())
}

/// A task that was deleted, and the work that remains. The recurring job does it if the caller does not.
struct Deleted {
    task: Task,
    /// To be published.
    event: TaskEvent,
    /// The next occurrence is to be created.
    followed: bool,
}

/// Deletes a task of a closing account, and returns its event, which is to be published. Returns none if the task is gone, or the account
/// is not closing any more: another run was faster.
pub(crate) async fn delete_of_closing_account(
    database: &Database,
    user_id: &UserId,
    id: TaskId,
    cause: &Cause,
) -> Result<Option<TaskEvent>, ServiceError> {
    for _ in 0..ATTEMPTS {
        let Some(before) = store::find(database, user_id, id).await? else {
            break;
        };
        let (task, event) = deleted(&before, cause);
        if store::update_of_closing_account(database, &task, &event).await? {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

/// A task as its deletion leaves it, and the event.
fn deleted(before: &Task, cause: &Cause) -> (Task, TaskEvent) {
    let mut task = before.clone();
    task.cancel_reminders();
    task.advance(context().now);
    let event = record::event(&task, Change::Deleted, Some(before), cause);
    (task, event)
}

/// Deletes a task without publishing its event.
async fn delete_unannounced(
    database: &Database,
    user_id: &UserId,
    id: TaskId,
    expected: &Conditions,
    scope: Scope,
    cause: &Cause,
) -> Result<Deleted, ServiceError> {
    for _ in 0..ATTEMPTS {
        let before = find(database, user_id, id, expected).await?;
        let (task, event) = deleted(&before, cause);
        let followed =
            scope == Scope::Occurrence && task.recurrence.is_some() && task.status == Status::Pending;
        if store::update(database, &task, &event, followed, &Room::default()).await? {
            return Ok(Deleted {
                task,
                event,
                followed,
            });
        }
    }
    Err(ServiceError::contended(Thing::Task, id))
}

/// [`change`] for a caller.
async fn change_own(
    caller: &Caller,
    id: TaskId,
    expected: &Conditions,
    apply: impl FnMut(&mut Task, &Context) -> Result<(), ServiceError>,
) -> Result<Task, ServiceError> {
    change(
        &caller.database,
        &caller.user.id,
        id,
        expected,
        &caller.cause,
        apply,
    )
    .await
}

/// The same for changes that say where reminders go: what the token says is stored first.
pub(crate) async fn change_remembered(
    caller: &Caller,
    id: TaskId,
    expected: &Conditions,
    apply: impl FnMut(&mut Task, &Context) -> Result<(), ServiceError>,
) -> Result<Task, ServiceError> {
    profile::remember(&caller.database, &caller.user, Timestamp::now()).await?;
    change_own(caller, id, expected, apply).await
}

/// Reads, changes, and writes unless another request has written meanwhile; then it starts again. A change that changes
/// nothing makes no version and no event.
pub(crate) async fn change(
    database: &Database,
    user_id: &UserId,
    id: TaskId,
    expected: &Conditions,
    cause: &Cause,
    mut apply: impl FnMut(&mut Task, &Context) -> Result<(), ServiceError>,
) -> Result<Task, ServiceError> {
    let mut charged = 0;
    for _ in 0..ATTEMPTS {
        let before = find(database, user_id, id, expected).await?;
        let context = context();
        let mut task = before.clone();
        apply(&mut task, &context)?;
        if task == before {
            return Ok(task);
        }
        check_labels(database, &task, Some(&before)).await?;
        charged = charge_length(user_id, &task, charged).await?;
        task.advance(context.now);
        let kind = kind_of(&before, &task);
        let event = record::event(&task, kind, Some(&before), cause);
        let followed = kind == Change::Completed && task.recurrence.is_some();
        let room = Room::of_change(&before, &task, followed).await?;
        if store::update(database, &task, &event, followed, &room).await? {
            outbox::publish_after_response(&event);
            return Ok(task);
        }
        if let Some(over) = room.over(database, user_id, &task).await? {
            return Err(over.into());
        }
    }
    Err(ServiceError::contended(Thing::Task, id))
}

/// What kind of change leads from one version to another.
pub(crate) fn kind_of(before: &Task, after: &Task) -> Change {
    match (before.status, after.status) {
        (Status::Pending, Status::Completed) => Change::Completed,
        (Status::Completed, Status::Pending) => Change::Reopened,
        _ => Change::Updated,
    }
}

async fn find(
    database: &Database,
    user_id: &UserId,
    id: TaskId,
    expected: &Conditions,
) -> Result<Task, ServiceError> {
    let task = store::find(database, user_id, id)
        .await?
        .ok_or(ServiceError::NotFound(Thing::Task))?;
    expected.check(Thing::Task, task.version)?;
    Ok(task)
}

/// Refuses labels that the user does not have. What the task had before need not exist any more.
async fn check_labels(database: &Database, task: &Task, before: Option<&Task>) -> Result<(), ServiceError> {
    let category = task
        .category
        .filter(|category| before.is_none_or(|before| before.category != Some(*category)));
    // With the index that each has in the whole list.
    let tags: Vec<(usize, Uuid)> = task
        .tags
        .iter()
        .enumerate()
        .filter(|(_, tag)| before.is_none_or(|before| !before.tags.contains(tag)))
        .map(|(index, tag)| (index, Uuid::from(*tag)))
        .collect();
    let mut unknown = Vec::new();
    if let Some(category) = category
        && !labels::store::exists(database, &task.user_id, LabelId::Category(category)).await?
    {
        let kind = Kind::Category;
        unknown.push(UnknownLabel { kind, index: 0 });
    }
    let wanted: Vec<Uuid> = tags.iter().map(|(_, id)| *id).collect();
    let known = labels::store::known(database, Kind::Tag, &task.user_id, &wanted).await?;
    let missing = tags.into_iter().filter(|(_, id)| !known.contains(id));
    unknown.extend(missing.map(|(index, _)| UnknownLabel {
        kind: Kind::Tag,
        index,
    }));
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(ServiceError::UnknownLabels(unknown))
    }
}
