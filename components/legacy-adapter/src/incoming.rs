//! From the legacy system to Nudge.

use http::HeaderMap;
use nudge_component::events::Disposition;
use nudge_component::settings::variable;
use nudge_contract::legacy::{Action, Applied, LegacyChange, LegacyChanges, LegacyResults, ORIGIN_HEADER};
use nudge_contract::names::route;

use crate::api::ask;

/// Reads an event; `None` if Nudge itself wrote it.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<Option<LegacyChange>, Disposition> {
    // The sidecar passes Kafka's headers as headers of the request.
    if headers.contains_key(ORIGIN_HEADER) {
        return Ok(None);
    }
    LegacyChange::of_event(body)
        .map(Some)
        .map_err(|error| Disposition::Drop(error.to_string()))
}

/// Has the api repeat a change of the legacy system.
pub(crate) async fn apply(headers: &HeaderMap, body: &[u8]) -> Result<(), Disposition> {
    let Some(change) = read(headers, body)? else {
        return Ok(());
    };
    let minutes = variable("remind_before_minutes")
        .await
        .map_err(Disposition::Retry)?;
    let minutes = minutes.map(|text| text.parse()).transpose();
    // A typing error of the operator must not cost events.
    let minutes =
        minutes.map_err(|error| Disposition::Retry(format!("variable remind_before_minutes: {error}")))?;
    let changes = LegacyChanges {
        changes: vec![change.reminding(minutes)],
    };
    let answer = ask(route::LEGACY_CHANGES, &changes, None).await?;
    let results: LegacyResults = serde_json::from_slice(&answer)
        .map_err(|error| Disposition::Retry(format!("the api's answer cannot be read: {error}")))?;
    match results.results.into_iter().next() {
        Some(Applied::Refused { reason }) => Err(Disposition::Drop(reason)),
        Some(Applied::Waiting) => {
            tracing::warn!("the change is kept until its task arrives");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Has the api create the next occurrence of a task that was completed in the legacy system, whose own service no longer does so.
pub(crate) async fn take_over(headers: &HeaderMap, body: &[u8]) -> Result<(), Disposition> {
    match read(headers, body)? {
        Some(change) if matches!(change.action, Action::Completed { .. }) => {
            ask(route::LEGACY_TAKE_OVER, &change, None).await.map(|_| ())
        }
        Some(_) => Err(Disposition::Drop("the task was not completed".to_owned())),
        None => Ok(()),
    }
}
