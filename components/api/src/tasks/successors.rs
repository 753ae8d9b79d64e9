//! The next occurrences of series.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use nudge_component::trace::Traceparent;
use nudge_contract::api::{Successor, SuccessorOf, SuccessorResult};
use nudge_contract::event::Change;
use nudge_domain::Due;
use nudge_domain::id::{SeriesId, TaskId};
use nudge_domain::series::NextOccurrence;
use nudge_domain::task::{Status, Task};

use super::record;
use super::store_all::{self, Next, Successor as Followed};
use crate::caller::Cause;
use crate::db::{Database, DbError, milliseconds};
use crate::events::outbox;

/// Creates the occurrence after one that was deleted, or completed in another system. Doing it again does nothing more: the
/// recurring job does, after a crash.
pub(crate) async fn follow(database: &Database, skipped: &Task, cause: &Cause) -> Result<(), DbError> {
    let followed = match skipped.next() {
        None => Followed::Ended,
        Some(next) => {
            let next = next_of(skipped, next, cause);
            if let Some(failed) = store(database, vec![next]).await?.into_values().next() {
                return Err(failed);
            }
            Followed::Created
        }
    };
    store_all::set_successors(database, &[(skipped.id, followed)]).await
}

fn next_of(before: &Task, next: NextOccurrence, cause: &Cause) -> Next {
    let task = before.followed_by(next, milliseconds(Timestamp::now()));
    let event = record::event(&task, Change::Created, None, cause);
    Next {
        after: before.occurrence,
        task,
        event,
    }
}

/// Stores next occurrences of different series, each once, and unless a later one is still pending: so a task that is completed,
/// reopened, moved and completed again does not split its series. Returns why some are not stored, by their ids. One whose owner's
/// account is being deleted is not among them.
async fn store(database: &Database, next: Vec<Next>) -> Result<BTreeMap<TaskId, DbError>, DbError> {
    let mut failed = BTreeMap::new();
    if next.is_empty() {
        return Ok(failed);
    }
    match store_all::insert_next(database, &next).await {
        Ok(stored) => publish(&next, &stored),
        Err(error) if error.is_about_a_row() => {
            for one in next.chunks(1) {
                match store_all::insert_next(database, one).await {
                    Ok(stored) => publish(one, &stored),
                    Err(DbError::AccountClosing) => {}
                    Err(error) if error.is_about_a_row() => {
                        failed.extend(one.iter().map(|next| next.task.id).zip([error]));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Err(error) => return Err(error),
    }
    Ok(failed)
}

fn publish(next: &[Next], stored: &BTreeSet<TaskId>) {
    for next in next.iter().filter(|next| stored.contains(&next.task.id)) {
        outbox::publish_after_response(&next.event);
    }
}

/// Creates the next occurrences of completed tasks, each once, or notes that there is none. Returns a result per task.
///
/// # Errors
///
/// The database cannot be reached. Asking again does nothing more for those that are stored by then.
pub(crate) async fn create(
    database: &Database,
    asked: &[SuccessorOf],
    trace: &Traceparent,
) -> Result<Vec<SuccessorResult>, DbError> {
    let mut results = vec![SuccessorResult::Done; asked.len()];
    let mut left: Vec<(&SuccessorOf, &mut SuccessorResult)> = asked.iter().zip(&mut results).collect();
    // Each round handles at least the first.
    while !left.is_empty() {
        left = create_of_different_series(database, left, trace).await?;
    }
    Ok(results)
}

/// One round: at most one item of each series, since what is stored for one decides about the next. Returns the other items.
async fn create_of_different_series<'a>(
    database: &Database,
    items: Vec<(&'a SuccessorOf, &'a mut SuccessorResult)>,
    trace: &Traceparent,
) -> Result<Vec<(&'a SuccessorOf, &'a mut SuccessorResult)>, DbError> {
    let completed = store_all::find(database, items.iter().map(|(asked, _)| asked.task_id)).await?;
    let mut series: BTreeSet<SeriesId> = BTreeSet::new();
    let mut later = Vec::new();
    let mut next = Vec::new();
    let mut followed = Vec::new();
    let mut creating = Vec::new();
    for (asked, result) in items {
        let task = match completed.get(&asked.task_id) {
            Some(Ok((task, _))) => task,
            Some(Err(error)) => {
                *result = later_because(error);
                continue;
            }
            None => {
                *result = SuccessorResult::Gone;
                continue;
            }
        };
        if task.series.as_ref().is_some_and(|own| !series.insert(own.id)) {
            later.push((asked, result));
            continue;
        }
        match step(task, asked, trace) {
            Ok(Step::Nothing) => {}
            Ok(Step::End) => followed.push((task.id, Followed::Ended)),
            Ok(Step::Create(occurrence)) => {
                creating.push((task.id, occurrence.task.id, result));
                next.push(*occurrence);
            }
            Err(reason) => *result = SuccessorResult::Refused { reason },
        }
    }
    let failed = store(database, next).await?;
    for (completed, next, result) in creating {
        match failed.get(&next) {
            Some(error) => *result = later_because(error),
            None => followed.push((completed, Followed::Created)),
        }
    }
    if !followed.is_empty() {
        store_all::set_successors(database, &followed).await?;
    }
    Ok(later)
}

fn later_because(error: &DbError) -> SuccessorResult {
    SuccessorResult::Later {
        reason: error.to_string(),
    }
}

/// What is to be done about a completed task.
enum Step {
    /// It was reopened meanwhile, and perhaps moved: completing it again asks again.
    Nothing,
    /// Its series is over.
    End,
    Create(Box<Next>),
}

/// # Errors
///
/// Why the next occurrence can never be created.
fn step(task: &Task, asked: &SuccessorOf, trace: &Traceparent) -> Result<Step, String> {
    let of_another = asked
        .successor
        .completed_at()
        .is_some_and(|at| task.completed_at != Some(at));
    if task.status != Status::Completed || task.recurrence.is_none() || task.series.is_none() || of_another {
        return Ok(Step::Nothing);
    }
    let Successor::Next {
        id, due, occurrence, ..
    } = &asked.successor
    else {
        return Ok(Step::End);
    };
    let due = Due::new(due.at(), task.zone.clone()).map_err(|error| format!("due: {error}"))?;
    let next = NextOccurrence {
        task_id: *id,
        due,
        occurrence: *occurrence,
    };
    let own_trace = asked.traceparent.as_deref().and_then(Traceparent::parse);
    let cause = Cause::nudge(Some(own_trace.unwrap_or_else(|| trace.clone())));
    Ok(Step::Create(Box::new(next_of(task, next, &cause))))
}
