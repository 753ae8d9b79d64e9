//! Creates the next occurrence of a completed task.

use nudge_component::dapr::invocation::{self, Request};
use nudge_component::events::Disposition;
use nudge_component::subscriber::retry;
use nudge_contract::api::Successor;
use nudge_contract::event::{Change, TaskEvent};
use nudge_contract::names::{app, route};
use nudge_contract::task::Snapshot;
use nudge_domain::recurrence::Rule;
use nudge_domain::series::{CompletedOccurrence, next_occurrence};
use nudge_domain::{Due, LocalInstant, Zone};

/// Asks the api to create the next occurrence, or to record that the series has ended.
pub(crate) async fn task_completed(event: TaskEvent) -> Result<(), Disposition> {
    if event.change != Change::Completed {
        return Err(Disposition::Drop("the task was not completed".to_owned()));
    }
    let successor = successor(&event.task).map_err(Disposition::Drop)?;
    let body = serde_json::to_string(&successor)
        .map_err(|error| Disposition::Drop(format!("the successor cannot be written as JSON: {error}")))?;
    let task = event.task.task.id.to_string();
    let request = Request {
        method: "POST".to_owned(),
        path: route::SUCCESSOR
            .replace("{id}", &task)
            .trim_start_matches('/')
            .to_owned(),
        body: Some(body),
        traceparent: event.traceparent,
    };
    let response = invocation::invoke(app::API.to_owned(), request)
        .await
        .map_err(retry)?;
    match response.status {
        200..300 => Ok(()),
        // The task was purged in the meantime or no longer recurs, so there is no next occurrence.
        404 | 410 => {
            tracing::info!(task, "no longer has a series");
            Ok(())
        }
        400..500 => Err(Disposition::Drop(format!(
            "the api refused the next occurrence of {task} with {}: {}",
            response.status,
            String::from_utf8_lossy(&response.body)
        ))),
        status => Err(Disposition::Retry(format!(
            "the api answered {status} to the next occurrence of {task}"
        ))),
    }
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
