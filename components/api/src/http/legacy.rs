//! What the legacy-adapter, `nudge import` and `nudge migrate` ask, through the sidecar.

use axum::body::Body;
use axum::extract::Extension;
use http::StatusCode;
use nudge_component::Problem;
use nudge_component::serve::{Json, PathText};
use nudge_component::trace::Traceparent;
use nudge_contract::legacy::{LegacyChange, LegacyChanges, LegacyResults, Masters, Numbered};

use super::internal::read;
use crate::input::fields::path_id;
use crate::legacy;

pub(super) async fn changes(
    Extension(trace): Extension<Traceparent>,
    body: Body,
) -> Result<Json<LegacyResults>, Problem> {
    let changes: LegacyChanges = read(body).await?;
    legacy::apply(changes.changes, &trace).await.map(Json)
}

pub(super) async fn take_over(
    Extension(trace): Extension<Traceparent>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let change: LegacyChange = read(body).await?;
    legacy::take_over(&change, &trace).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn task(PathText(id): PathText) -> Result<Json<Numbered>, Problem> {
    legacy::numbered(path_id(&id, "task")?).await.map(Json)
}

pub(super) async fn masters() -> Result<Json<Masters>, Problem> {
    legacy::masters().await.map(Json)
}

pub(super) async fn set_master(body: Body) -> Result<Json<Masters>, Problem> {
    legacy::set_master(&read(body).await?).await?;
    masters().await
}
