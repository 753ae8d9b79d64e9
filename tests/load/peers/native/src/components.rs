//! The components that are built in, by their names in `spin.toml`.

use std::pin::Pin;

use axum::response::{IntoResponse, Response};
use spin_sdk::http::Request;

type Answer = Pin<Box<dyn Future<Output = Response> + Send>>;

/// A component's entry point.
pub(crate) type Entry = fn(Request) -> Answer;

/// The entry point of a component; none if there is no such component here.
pub(crate) fn entry(name: &str) -> Option<Entry> {
    Some(match name {
        "api" => |request| Box::pin(async { nudge_api::handle(request).await.into_response() }),
        "notification" => {
            |request| Box::pin(async { nudge_notification::handle(request).await.into_response() })
        }
        "email-delivery" => {
            |request| Box::pin(async { nudge_email_delivery::handle(request).await.into_response() })
        }
        "recurring-task" => {
            |request| Box::pin(async { nudge_recurring_task::handle(request).await.into_response() })
        }
        _ => return None,
    })
}
