//! Creates the next occurrences of completed tasks.

use nudge_component::ask;
use nudge_component::batch;
use nudge_component::events::Disposition;
use nudge_contract::api::{CreateSuccessors, Successor, SuccessorOf, SuccessorResult, Successors};
use nudge_contract::event::{Change, TaskEvent};
use nudge_contract::names::route;
use nudge_contract::task::Snapshot;
use nudge_domain::recurrence::Rule;
use nudge_domain::series::{CompletedOccurrence, next_occurrence};
use nudge_domain::{Due, LocalInstant, Zone};

/// Maximum number of completed tasks in a request to the api.
const AT_ONCE: usize = 100;

/// Asks the api to create the next occurrences, or to record that series have ended. Returns one result per event, in order.
pub(crate) async fn tasks_completed(events: Vec<TaskEvent>) -> Vec<Result<(), Disposition>> {
    batch::handle(events.into_iter().map(successor_of).collect(), create).await
}

async fn create(items: Vec<SuccessorOf>) -> Vec<Result<(), Disposition>> {
    let mut results = Vec::new();
    let mut left = items.into_iter().peekable();
    while left.peek().is_some() {
        let request = CreateSuccessors {
            items: left.by_ref().take(AT_ONCE).collect(),
        };
        match ask::post::<Successors>(route::SUCCESSORS, &request).await {
            Ok(answer) => {
                let mut answers = answer.items.into_iter();
                results.extend(request.items.iter().map(|item| result(item, answers.next())));
            }
            Err(why) => results.extend(request.items.iter().map(|_| Err(why.clone()))),
        }
    }
    results
}

fn result(item: &SuccessorOf, answer: Option<SuccessorResult>) -> Result<(), Disposition> {
    let task = item.task_id;
    match answer {
        Some(SuccessorResult::Done) => Ok(()),
        Some(SuccessorResult::Gone) => {
            tracing::info!(%task, "was purged in the meantime, so its series does not continue");
            Ok(())
        }
        Some(SuccessorResult::Refused { reason }) => Err(Disposition::Drop(format!(
            "the api refused the next occurrence of {task}: {reason}"
        ))),
        // A retry would hold up the events of other tasks, and the api announces this one again.
        Some(SuccessorResult::Later { reason }) => {
            tracing::warn!(%task, "the next occurrence cannot be created now: {reason}");
            Ok(())
        }
        None => Err(Disposition::Retry(format!(
            "the api returned no result for the next occurrence of {task}"
        ))),
    }
}

fn successor_of(event: TaskEvent) -> Result<SuccessorOf, Disposition> {
    if event.change != Change::Completed {
        return Err(Disposition::Drop("the task was not completed".to_owned()));
    }
    Ok(SuccessorOf {
        task_id: event.task.task.id,
        successor: successor(&event.task).map_err(Disposition::Drop)?,
        traceparent: event.traceparent,
    })
}

/// The next occurrence of a completed task, or the end of its series.
fn successor(completed: &Snapshot) -> Result<Successor, String> {
    let task = &completed.task;
    let missing = |field: &str| format!("the completed task {} has no {field}", task.id);
    let zone: Zone = task
        .time_zone
        .parse()
        .map_err(|error| format!("timeZone: {error}"))?;
    let rule: Rule = task
        .recurrence
        .as_deref()
        .ok_or_else(|| missing("recurrence"))?
        .parse()
        .map_err(|error| format!("recurrence: {error}"))?;
    let due = |field: &str, instant: Option<LocalInstant>| {
        let instant = instant.ok_or_else(|| missing(field))?;
        Due::new(instant.at(), zone.clone()).map_err(|error| format!("{field}: {error}"))
    };
    let next = next_occurrence(&CompletedOccurrence {
        series_id: task.series_id.ok_or_else(|| missing("seriesId"))?,
        occurrence: task.occurrence,
        rule: &rule,
        first_due: &due("seriesStart", completed.series_start)?,
        due: &due("due", task.due)?,
        counts_from: task.recurrence_from,
        completed_at: task.completed_at.ok_or_else(|| missing("completedAt"))?,
    });
    let completed_at = task.completed_at;
    Ok(match next {
        Some(next) => Successor::Next {
            id: next.task_id,
            due: (&next.due).into(),
            occurrence: next.occurrence,
            completed_at,
        },
        None => Successor::Ended { completed_at },
    })
}
