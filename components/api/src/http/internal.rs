//! What only the sidecar may call: events, and questions of the other services.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query};
use axum::response::Response;
use http::StatusCode;
use jiff::Timestamp;
use nudge_component::serve::{Json, PathText, read_body};
use nudge_component::trace::Traceparent;
use nudge_component::{Problem, subscriber};
use nudge_contract::api::{OverdueReminders, RelayReport, ReminderDelivery, Successor};
use nudge_contract::names::app;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::db::Database;
use crate::input::fields::path_id;
use crate::tasks::delivery;
use crate::tasks::service;
use crate::upkeep;

/// Reads a body that another service sent.
pub(super) async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    serde_json::from_slice(&read_body(body).await?).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "invalid_body",
            format!("the body is not what this route takes: {error}"),
        )
    })
}

pub(super) async fn reminder_outcome(body: Body) -> Response {
    subscriber::consume(app::API, body, delivery::reminder_ended).await
}

pub(super) async fn relay() -> Result<Json<RelayReport>, Problem> {
    upkeep::run(&Database::open().await?).await.map(Json)
}

pub(super) async fn overdue_reminders() -> Result<Json<OverdueReminders>, Problem> {
    delivery::overdue_reminders().await.map(Json)
}

/// The query of a question about a reminder's delivery.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeliveryQuery {
    /// When the reminder that is asked about was to be sent.
    remind_at: Timestamp,
}

pub(super) async fn reminder_delivery(
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    query: Result<Query<DeliveryQuery>, QueryRejection>,
) -> Result<Json<ReminderDelivery>, Problem> {
    let Query(DeliveryQuery { remind_at }) = query.map_err(|_| {
        Problem::field(
            "remindAt",
            "invalid_instant",
            "give the instant the reminder was armed for",
        )
    })?;
    delivery::reminder_delivery(path_id(&id, "reminder")?, remind_at, &trace)
        .await
        .map(Json)
}

pub(super) async fn successor(
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let successor: Successor = read(body).await?;
    service::successor(path_id(&id, "task")?, successor, &trace).await?;
    Ok(StatusCode::NO_CONTENT)
}
