//! What happens to tasks. Every change goes through [`change`], which is the only place that writes.

use std::fmt::Display;

use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::trace::Traceparent;
use nudge_contract::api::{Page, Successor};
use nudge_contract::event::{Change, TaskEvent};
use nudge_contract::task::Task;
use nudge_domain::Due;
use nudge_domain::reminder::cancel_all;
use nudge_domain::series::{CompletedOccurrence, NextOccurrence, copy_reminders, next_occurrence};
use nudge_domain::task::Status;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::auth::User;
use crate::db::{Database, DbError, milliseconds};
use crate::events::outbox;
use crate::guard::idempotency::NewIds;
use crate::input::conditions::Conditions;
use crate::profile;
use crate::tasks::edit::{self, Context};
use crate::tasks::labels;
use crate::tasks::labels::store::Kind;
use crate::tasks::list::query;
use crate::tasks::list::query::TaskQuery;
use crate::tasks::list::statement;
use crate::tasks::record::TaskRecord;
use crate::tasks::store;

/// How often a change is tried against what others change at the same time.
pub(crate) const ATTEMPTS: u32 = 8;

pub(crate) fn context() -> Context {
    // Instants are stored in milliseconds; what is answered must be what is read later.
    Context {
        now: milliseconds(Timestamp::now()),
        new_id: Uuid::now_v7,
    }
}

/// Creates a task.
pub(crate) async fn create(
    user: &User,
    body: Map<String, Value>,
    trace: &Traceparent,
) -> Result<TaskRecord, Problem> {
    create_as(user, &NewIds::random(), 0, body, trace).await
}

/// Creates the n-th new thing of a request as a task, or gives back the one that an earlier attempt of the request created.
pub(crate) async fn create_as(
    user: &User,
    ids: &NewIds,
    n: u32,
    body: Map<String, Value>,
    trace: &Traceparent,
) -> Result<TaskRecord, Problem> {
    let id = ids.nth(n);
    let context = context();
    let database = Database::open().await?;
    // Before the body is looked at: what was ahead then may be past now.
    if ids.repeated()
        && let Some(created) = store::find(&database, user.id.as_str(), id).await?
    {
        return Ok(created);
    }
    let person = profile::remember(&database, user, context.now).await?;
    let task = TaskRecord {
        id,
        ..edit::create(&person, body, &context)?
    };
    labels::store::check(&database, &task.user_id, task.category_id, &task.tag_ids).await?;
    let event = task.event(Change::Created, None, Some(trace.to_string()));
    if store::insert(&database, &task, &event).await? {
        outbox::publish_after_response(&event);
        return Ok(task);
    }
    // An attempt that overlapped with this one was faster; or the task was created by the first attempt, and is deleted.
    store::find(&database, user.id.as_str(), id)
        .await?
        .ok_or_else(|| Problem::not_found("task"))
}

/// Reads a task.
pub(crate) async fn read(user: &User, id: Uuid) -> Result<TaskRecord, Problem> {
    let database = Database::open().await?;
    store::find(&database, user.id.as_str(), id)
        .await?
        .ok_or_else(|| Problem::not_found("task"))
}

/// A page of a user's tasks.
pub(crate) async fn list(user: &User, query: &TaskQuery) -> Result<Page<Task>, Problem> {
    // One more than asked for tells whether there is a next page.
    let more = TaskQuery {
        limit: query.limit + 1,
        ..query.clone()
    };
    let mut tasks = statement::list(&Database::open().await?, user.id.as_str(), &more).await?;
    let rest = tasks.len() > query.limit as usize;
    tasks.truncate(query.limit as usize);
    let last = tasks.last().filter(|_| rest);
    Ok(Page {
        next_cursor: last.map(|task| statement::cursor(task, query.sort, query.order).to_string()),
        items: tasks.iter().map(TaskRecord::view).collect(),
    })
}

/// A page of a user's tasks by the parameters of `GET /api/v1/tasks`, and what they were read as.
pub(crate) async fn list_by(
    user: &User,
    pairs: Vec<(String, String)>,
    now: Timestamp,
) -> Result<(TaskQuery, Page<Task>), Problem> {
    let zone = if query::names_days(&pairs) {
        profile::zone(user).await?
    } else {
        user.zone.clone()
    };
    let query = TaskQuery::read(pairs, &zone, now)?;
    let page = list(user, &query).await?;
    Ok((query, page))
}

/// Changes a task by a merge patch.
pub(crate) async fn patch(
    user: &User,
    id: Uuid,
    expected: &Conditions,
    body: &Map<String, Value>,
    trace: &Traceparent,
) -> Result<TaskRecord, Problem> {
    change_remembered(user, id, expected, trace, |task, context| {
        edit::patch(task, body.clone(), context)
    })
    .await
}

/// Marks a task as done. One that is done stays as it is.
pub(crate) async fn complete(
    user: &User,
    id: Uuid,
    expected: &Conditions,
    trace: &Traceparent,
) -> Result<TaskRecord, Problem> {
    change_own(user, id, expected, trace, |task, context| {
        if task.status == Status::Pending {
            edit::complete(task, context);
        }
        Ok(())
    })
    .await
}

/// Marks a task as not done after all. One that is not done stays as it is, and so does the next occurrence of its series.
pub(crate) async fn reopen(
    user: &User,
    id: Uuid,
    expected: &Conditions,
    trace: &Traceparent,
) -> Result<TaskRecord, Problem> {
    change_own(user, id, expected, trace, |task, context| {
        if task.status == Status::Completed {
            edit::reopen(task, context);
        }
        Ok(())
    })
    .await
}

/// Moves a task's due date, and with it the reminders that count from it.
pub(crate) async fn move_due(
    user: &User,
    id: Uuid,
    expected: &Conditions,
    body: &Map<String, Value>,
    trace: &Traceparent,
) -> Result<TaskRecord, Problem> {
    change_own(user, id, expected, trace, |task, context| {
        edit::move_due(task, body.clone(), context)
    })
    .await
}

/// Puts a tag on a task, or takes it off. Twice is once.
pub(crate) async fn tag(
    user: &User,
    id: Uuid,
    tag: Uuid,
    wear: bool,
    expected: &Conditions,
    trace: &Traceparent,
) -> Result<TaskRecord, Problem> {
    let database = Database::open().await?;
    let known = labels::store::known(&database, Kind::Tag, user.id.as_str(), &[tag]).await?;
    // What a task wears can be taken off, even if it is no more.
    if known.is_empty()
        && (wear
            || !find(&database, user.id.as_str(), id, &Conditions::NONE)
                .await?
                .tag_ids
                .contains(&tag))
    {
        return Err(Problem::not_found("tag"));
    }
    change(&database, user.id.as_str(), id, expected, trace, |task, _| {
        if !wear {
            task.tag_ids.retain(|worn| *worn != tag);
        } else if !task.tag_ids.contains(&tag) {
            edit::wear(task, tag)?;
        }
        Ok(())
    })
    .await
}

/// How much of a recurring task goes when it is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The task, and nothing comes after it.
    #[default]
    Series,
    /// This occurrence; the next one is created.
    Occurrence,
}

impl std::str::FromStr for Scope {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "series" => Ok(Self::Series),
            "occurrence" => Ok(Self::Occurrence),
            _ => Err(Problem::field(
                "scope",
                "invalid_scope",
                "use series or occurrence",
            )),
        }
    }
}

/// Deletes a task. Its history and its events stay.
pub(crate) async fn delete(
    user: &User,
    id: Uuid,
    expected: &Conditions,
    scope: Scope,
    trace: &Traceparent,
) -> Result<(), Problem> {
    let database = Database::open().await?;
    let deleted = delete_unannounced(&database, user.id.as_str(), id, expected, scope, trace).await?;
    outbox::publish_after_response(&deleted.event);
    // The task is deleted, whatever comes of this; the relay creates the next occurrence then.
    if deleted.followed
        && let Err(error) = follow(&database, &deleted.task, Some(trace)).await
    {
        tracing::warn!("what follows the deleted task {id} is left to the relay: {error}");
    }
    Ok(())
}

/// A task that was deleted, and what is still to be done about it: by the caller, else by the relay.
pub(crate) struct Deleted {
    task: TaskRecord,
    /// To be published.
    pub(crate) event: TaskEvent,
    /// The next occurrence is to be created.
    followed: bool,
}

/// Deletes a task without telling anybody.
pub(crate) async fn delete_unannounced(
    database: &Database,
    user_id: &str,
    id: Uuid,
    expected: &Conditions,
    scope: Scope,
    trace: &Traceparent,
) -> Result<Deleted, Problem> {
    for _ in 0..ATTEMPTS {
        let before = find(database, user_id, id, expected).await?;
        let context = context();
        let mut task = before.clone();
        cancel_all(&mut task.reminders);
        next_version(&mut task, &context);
        let followed =
            scope == Scope::Occurrence && task.recurrence.is_some() && task.status == Status::Pending;
        let event = task.event(Change::Deleted, Some(&before), Some(trace.to_string()));
        if store::update(database, &task, &event, followed).await? {
            return Ok(Deleted {
                task,
                event,
                followed,
            });
        }
    }
    Err(contended("task", id))
}

/// Creates what comes after an occurrence that was deleted, or completed in another system. Doing it again does nothing more: the
/// relay does, for what a crash cut off.
pub(crate) async fn follow(
    database: &Database,
    skipped: &TaskRecord,
    trace: Option<&Traceparent>,
) -> Result<(), DbError> {
    let (Some(rule), Some(due), Some(series)) = (&skipped.recurrence, &skipped.due, &skipped.series) else {
        return store::set_successor(database, skipped.id, "ended").await;
    };
    let next = next_occurrence(&CompletedOccurrence {
        series_id: series.id.into(),
        occurrence: skipped.occurrence,
        rule,
        first_due: &series.start,
        due,
        counts_from: skipped.recurrence_from,
        completed_at: skipped.completed_at.unwrap_or(skipped.updated_at),
    });
    match next {
        Some(next) => create_next(database, skipped, next, trace).await,
        None => store::set_successor(database, skipped.id, "ended").await,
    }
}

/// Stores the next occurrence of a series, once, and unless a later one is still to do: so a task that is completed, reopened,
/// moved and completed again does not split its series.
async fn create_next(
    database: &Database,
    before: &TaskRecord,
    next: NextOccurrence,
    trace: Option<&Traceparent>,
) -> Result<(), DbError> {
    let now = context().now;
    let task = TaskRecord {
        id: next.task_id.into(),
        status: Status::Pending,
        reminders: copy_reminders(&before.reminders, &next, now),
        due: Some(next.due),
        occurrence: next.occurrence,
        version: 1,
        created_at: now,
        updated_at: now,
        completed_at: None,
        ..before.clone()
    };
    let event = task.event(Change::Created, None, trace.map(Traceparent::to_string));
    match store::insert_after(database, before.occurrence, &task, &event).await {
        Ok(true) => outbox::publish_after_response(&event),
        // It is there, or its owner is leaving.
        Ok(false) | Err(DbError::Leaving) => {}
        Err(error) => return Err(error),
    }
    store::set_successor(database, before.id, "created").await
}

/// [`change`], for the requests that know nothing but their user.
async fn change_own(
    user: &User,
    id: Uuid,
    expected: &Conditions,
    trace: &Traceparent,
    apply: impl FnMut(&mut TaskRecord, &Context) -> Result<(), Problem>,
) -> Result<TaskRecord, Problem> {
    let database = Database::open().await?;
    change(&database, user.id.as_str(), id, expected, trace, apply).await
}

/// The same, for the changes that say where reminders go: what the token says is noted first.
pub(crate) async fn change_remembered(
    user: &User,
    id: Uuid,
    expected: &Conditions,
    trace: &Traceparent,
    apply: impl FnMut(&mut TaskRecord, &Context) -> Result<(), Problem>,
) -> Result<TaskRecord, Problem> {
    let database = Database::open().await?;
    profile::remember(&database, user, Timestamp::now()).await?;
    change(&database, user.id.as_str(), id, expected, trace, apply).await
}

/// Reads, changes, and writes if nobody has written meanwhile; otherwise again. A change that changes nothing is none:
/// no version, no event.
pub(crate) async fn change(
    database: &Database,
    user_id: &str,
    id: Uuid,
    expected: &Conditions,
    trace: &Traceparent,
    mut apply: impl FnMut(&mut TaskRecord, &Context) -> Result<(), Problem>,
) -> Result<TaskRecord, Problem> {
    for _ in 0..ATTEMPTS {
        let before = find(database, user_id, id, expected).await?;
        let context = context();
        let mut task = before.clone();
        apply(&mut task, &context)?;
        if task == before {
            return Ok(task);
        }
        // What the task wears already need not exist any more.
        let category = task
            .category_id
            .filter(|category| before.category_id != Some(*category));
        let tags: Vec<Uuid> = task
            .tag_ids
            .iter()
            .filter(|tag| !before.tag_ids.contains(tag))
            .copied()
            .collect();
        labels::store::check(database, user_id, category, &tags).await?;
        next_version(&mut task, &context);
        let kind = match (before.status, task.status) {
            (Status::Pending, Status::Completed) => Change::Completed,
            (Status::Completed, Status::Pending) => Change::Reopened,
            _ => Change::Updated,
        };
        let event = task.event(kind, Some(&before), Some(trace.to_string()));
        let followed = kind == Change::Completed && task.recurrence.is_some();
        if store::update(database, &task, &event, followed).await? {
            outbox::publish_after_response(&event);
            return Ok(task);
        }
    }
    Err(contended("task", id))
}

async fn find(
    database: &Database,
    user_id: &str,
    id: Uuid,
    expected: &Conditions,
) -> Result<TaskRecord, Problem> {
    let task = store::find(database, user_id, id)
        .await?
        .ok_or_else(|| Problem::not_found("task"))?;
    expected.check("task", task.version)?;
    Ok(task)
}

fn next_version(task: &mut TaskRecord, context: &Context) {
    task.version = task.version.saturating_add(1);
    task.updated_at = context.now;
}

/// The answer when others were faster every time.
pub(crate) fn contended(what: &str, id: impl Display) -> Problem {
    Problem::unavailable(
        &format!("the {what}"),
        format!("{id} was changed by others {ATTEMPTS} times in a row"),
    )
}

/// Creates the next occurrence of a completed task, once, or notes that there is none.
pub(crate) async fn successor(
    completed: Uuid,
    successor: Successor,
    trace: &Traceparent,
) -> Result<(), Problem> {
    let database = Database::open().await?;
    let task = store::find_for_service(&database, completed)
        .await?
        .ok_or_else(|| Problem::not_found("task"))?;
    let completed_at = task.completed_at.map(|at| at.to_string());
    let of_another = successor
        .completed_at()
        .is_some_and(|at| completed_at.as_deref() != Some(at));
    if task.status != Status::Completed || task.recurrence.is_none() || task.series.is_none() || of_another {
        // Reopened meanwhile, and perhaps moved: completing it again asks again.
        return Ok(());
    }
    let Successor::Next {
        id, due, occurrence, ..
    } = successor
    else {
        store::set_successor(&database, completed, "ended").await?;
        return Ok(());
    };
    let due = Due::parse(&due, &task.zone)
        .map_err(|error| Problem::field("due", error.code(), error.to_string()))?;
    let next = NextOccurrence {
        task_id: id.into(),
        due,
        occurrence,
    };
    create_next(&database, &task, next, Some(trace)).await?;
    Ok(())
}
