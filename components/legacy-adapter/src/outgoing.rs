//! From Nudge to the legacy system.

use nudge_component::dapr::pubsub::{self, RawMessage};
use nudge_component::events::Disposition;
use nudge_component::subscriber::retry;
use nudge_contract::event::{DeliveryOutcome, TaskEvent};
use nudge_contract::legacy::{self, Numbered, ORIGIN_HEADER, Outgoing};
use nudge_contract::names::{app, component, route};
use nudge_domain::id::TaskId;

use crate::api::ask;

/// Publishes a change to the legacy system, unless it was made there.
pub(crate) async fn task_changed(event: TaskEvent) -> Result<(), Disposition> {
    if event.origin.is_some() {
        return Ok(());
    }
    let Some(numbered) = numbered(event.task.task.id, event.traceparent.clone()).await? else {
        return Ok(());
    };
    let messages = [
        legacy::task_event(&event, &numbered),
        legacy::completed(&event, &numbered),
    ];
    for message in messages.into_iter().flatten() {
        publish(message).await?;
    }
    Ok(())
}

/// Tells the legacy system that a reminder was sent.
pub(crate) async fn reminder_ended(outcome: DeliveryOutcome) -> Result<(), Disposition> {
    let Some(numbered) = numbered(outcome.task_id, outcome.traceparent.clone()).await? else {
        return Ok(());
    };
    match legacy::reminder_sent(&outcome, &numbered) {
        Some(message) => publish(message).await,
        None => Ok(()),
    }
}

/// The task as the legacy system knows it; `None` if it was purged, because its owner deleted the account, before it had a number.
async fn numbered(task: TaskId, traceparent: Option<String>) -> Result<Option<Numbered>, Disposition> {
    let path = route::LEGACY_TASK.replace("{id}", &task.to_string());
    let answer = match ask(&path, &serde_json::json!({}), traceparent).await {
        Err(Disposition::Drop(reason)) => {
            tracing::info!(%task, "the legacy system is not told: {reason}");
            return Ok(None);
        }
        other => other?,
    };
    serde_json::from_slice(&answer)
        .map(Some)
        .map_err(|error| Disposition::Retry(format!("the answer of the api cannot be read: {error}")))
}

async fn publish(message: Outgoing) -> Result<(), Disposition> {
    let raw = RawMessage {
        data: message.body,
        partition_key: Some(message.key),
        headers: vec![(ORIGIN_HEADER.to_owned(), app::LEGACY_ADAPTER.to_owned())],
    };
    pubsub::publish_raw(component::LEGACY.to_owned(), message.topic.to_owned(), raw)
        .await
        .map_err(retry)
}
