//! `/api/v1/agents`.

use axum::Router;
use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::LOCATION;
use nudge_component::Problem;
use nudge_component::serve::{Json, PathText};
use nudge_contract::agent::Agent;
use nudge_contract::api::Page;

use super::body;
use crate::agents::service;
use crate::caller::Identity;
use crate::guard::idempotency::{NewIds, Secret};
use crate::input::fields::{JsonObject, path_id};
use crate::version::Thing;

const PATH: &str = "/api/v1/agents";

pub(super) fn router() -> Router {
    Router::new()
        .route(PATH, get(list).post(create))
        .route("/api/v1/agents/{id}", get(read).delete(delete))
}

async fn list(identity: Identity) -> Result<Json<Page<Agent>>, Problem> {
    let caller = identity.open().await?;
    let items = service::list(&caller.database, &caller.user.id).await?;
    Ok(Json(Page {
        items,
        next_cursor: None,
    }))
}

/// The response has the token, so it is not kept for its `Idempotency-Key`.
async fn create(
    identity: Identity,
    Extension(ids): Extension<NewIds>,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let new = body::agent(object);
    let created = service::create(&identity.open().await?, ids.nth(0), new).await?;
    let location = [(LOCATION, format!("{PATH}/{}", created.agent.id))];
    let answer = (StatusCode::CREATED, location, Extension(Secret), Json(created));
    Ok(answer.into_response())
}

async fn read(identity: Identity, PathText(id): PathText) -> Result<Json<Agent>, Problem> {
    let id = path_id(&id, Thing::Agent)?;
    Ok(Json(service::read(&identity.open().await?, id).await?))
}

async fn delete(identity: Identity, PathText(id): PathText) -> Result<StatusCode, Problem> {
    let id = path_id(&id, Thing::Agent)?;
    service::delete(&identity.open().await?, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
