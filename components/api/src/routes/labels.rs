//! `/api/v1/categories` and `/api/v1/tags`.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use http::header::LOCATION;
use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::serve::PathText;
use nudge_component::trace::Traceparent;
use serde::Serialize;
use uuid::Uuid;

use crate::auth::User;
use crate::db::Database;
use crate::input::{JsonObject, path_id};
use crate::labels::{self, Kind, Label};
use crate::service;

pub(super) fn router(kind: Kind) -> Router {
    Router::new()
        .route(kind.path(), get(list).post(create))
        .route(
            &format!("{}/{{id}}", kind.path()),
            get(read).patch(patch).delete(delete),
        )
        .with_state(kind)
}

#[derive(Serialize)]
struct Labels {
    items: Vec<Label>,
}

async fn list(State(kind): State<Kind>, user: User) -> Result<Response, Problem> {
    let items = labels::list(&Database::open().await?, kind, user.id.as_str()).await?;
    Ok(Json(Labels { items }).into_response())
}

async fn create(
    State(kind): State<Kind>,
    user: User,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let label = labels::apply(kind, None, body, Uuid::now_v7())?;
    store(kind, &user, &label).await?;
    let location = format!("{}/{}", kind.path(), label.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(label)).into_response())
}

async fn read(State(kind): State<Kind>, user: User, PathText(id): PathText) -> Result<Response, Problem> {
    Ok(Json(find(kind, &user, &id).await?).into_response())
}

async fn patch(
    State(kind): State<Kind>,
    user: User,
    PathText(id): PathText,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let label = find(kind, &user, &id).await?;
    let id = label.id;
    let label = labels::apply(kind, Some(label), body, id)?;
    store(kind, &user, &label).await?;
    Ok(Json(label).into_response())
}

async fn delete(
    State(kind): State<Kind>,
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
) -> Result<StatusCode, Problem> {
    service::delete_label(&user, kind, path_id(&id, kind.name())?, &trace).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn find(kind: Kind, user: &User, id: &str) -> Result<Label, Problem> {
    let database = Database::open().await?;
    let found = labels::find(&database, kind, user.id.as_str(), path_id(id, kind.name())?).await?;
    found.ok_or_else(|| Problem::not_found(kind.name()))
}

async fn store(kind: Kind, user: &User, label: &Label) -> Result<(), Problem> {
    let database = Database::open().await?;
    if labels::save(&database, kind, user.id.as_str(), label, Timestamp::now()).await? {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::CONFLICT,
        "name_taken",
        format!("you have another {} of that name", kind.name()),
    ))
}
