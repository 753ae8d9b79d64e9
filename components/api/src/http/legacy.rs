//! What the legacy-adapter, `nudge import` and `nudge migrate` call, through the sidecar.

use axum::Router;
use axum::body::Body;
use axum::extract::Extension;
use axum::routing::{get, post};
use http::StatusCode;
use nudge_component::Problem;
use nudge_component::serve::{Json, PathText};
use nudge_component::trace::Traceparent;
use nudge_contract::legacy::{LegacyChange, LegacyChanges, LegacyResults, Masters, Numbered};
use nudge_contract::names::route;

use super::internal::read;
use crate::db::Database;
use crate::input::fields::path_id;
use crate::legacy::{self, LegacyError};
use crate::version::Thing;

pub(super) fn router() -> Router {
    Router::new()
        .route(route::LEGACY_CHANGES, post(changes))
        .route(route::LEGACY_TAKE_OVER, post(take_over))
        .route(route::LEGACY_TASK, post(task))
        .route(route::LEGACY_MASTERS, get(masters).post(set_master))
}

impl From<LegacyError> for Problem {
    fn from(error: LegacyError) -> Self {
        match error {
            LegacyError::Refused(reason) => Self::new(StatusCode::BAD_REQUEST, "refused", reason),
            LegacyError::Service(error) => error.into(),
        }
    }
}

async fn changes(
    Extension(trace): Extension<Traceparent>,
    body: Body,
) -> Result<Json<LegacyResults>, Problem> {
    let LegacyChanges { changes } = read(body).await?;
    let database = Database::open().await?;
    Ok(Json(legacy::apply(&database, &changes, &trace).await?))
}

async fn take_over(Extension(trace): Extension<Traceparent>, body: Body) -> Result<StatusCode, Problem> {
    let change: LegacyChange = read(body).await?;
    legacy::take_over(&Database::open().await?, &change, &trace).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn task(PathText(id): PathText) -> Result<Json<Numbered>, Problem> {
    let id = path_id(&id, Thing::Task)?;
    let database = Database::open().await?;
    Ok(Json(legacy::numbered(&database, id).await?))
}

async fn masters() -> Result<Json<Masters>, Problem> {
    let database = Database::open().await?;
    Ok(Json(legacy::masters(&database).await?))
}

async fn set_master(body: Body) -> Result<Json<Masters>, Problem> {
    let set = read(body).await?;
    let database = Database::open().await?;
    legacy::set_master(&database, &set).await?;
    Ok(Json(legacy::masters(&database).await?))
}
