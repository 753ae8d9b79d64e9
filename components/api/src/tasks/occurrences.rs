//! The occurrences that come after a task, as it is or as it would be with another recurrence or due date.

use nudge_contract::quick_add::{Occurrence, Occurrences};
use nudge_domain::LocalInstant;
use nudge_domain::id::TaskId;
use nudge_domain::series::{CompletedOccurrence, NextOccurrence, upcoming};
use nudge_domain::task::{Task, TaskFields, TaskPatch};

use crate::caller::Caller;
use crate::error::ServiceError;
use crate::tasks::service::{self, context};

/// At most `limit` occurrences after a task, with the fields of `preview` as a patch that is not stored.
pub(crate) async fn of(
    caller: &Caller,
    id: TaskId,
    preview: TaskFields,
    limit: u32,
) -> Result<Occurrences, ServiceError> {
    let mut task = service::read(caller, id).await?;
    let context = context();
    let patch = TaskPatch {
        fields: preview,
        ..TaskPatch::default()
    };
    task.patch(&patch, &context)?;
    let limit = limit as usize;
    let mut items = after(&task, context.now, limit + 1);
    let ends = items.len() <= limit;
    items.truncate(limit);
    Ok(Occurrences {
        recurrence: task.recurrence.as_ref().map(ToString::to_string),
        words: task.recurrence.as_ref().map(|rule| rule.in_words()),
        items: items.iter().map(view).collect(),
        ends,
    })
}

fn after(task: &Task, now: jiff::Timestamp, most: usize) -> Vec<NextOccurrence> {
    let (Some(rule), Some(due), Some(series)) = (&task.recurrence, &task.due, &task.series) else {
        return Vec::new();
    };
    let completed = CompletedOccurrence {
        series_id: series.id,
        occurrence: task.occurrence,
        rule,
        first_due: &series.start,
        due,
        counts_from: task.recurrence_from,
        completed_at: task.completed_at.unwrap_or_else(|| now.max(due.at())),
    };
    upcoming(&completed, most)
}

fn view(next: &NextOccurrence) -> Occurrence {
    Occurrence {
        number: next.occurrence,
        due: LocalInstant::from(&next.due),
    }
}
