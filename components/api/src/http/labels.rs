//! `/api/v1/categories` and `/api/v1/tags`.

use axum::Router;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use nudge_component::Problem;
use nudge_component::serve::{Json, PathText};
use nudge_component::trace::Traceparent;
use serde::Serialize;

use crate::auth::User;
use crate::db::Database;
use crate::guard::idempotency::NewIds;
use crate::input::conditions::Conditions;
use crate::input::fields::{JsonObject, path_id};
use crate::tasks::labels;
use crate::tasks::labels::store::{Kind, Label};

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
    let items = labels::store::list(&Database::open().await?, kind, user.id.as_str()).await?;
    Ok(Json(Labels { items }).into_response())
}

/// A label with its entity tag.
fn answer(status: StatusCode, label: Label) -> Response {
    (status, [(ETAG, label.etag())], Json(label)).into_response()
}

async fn create(
    State(kind): State<Kind>,
    user: User,
    Extension(ids): Extension<NewIds>,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let label = labels::service::create(&user, kind, ids.nth(0), body).await?;
    let location = format!("{}/{}", kind.path(), label.id);
    Ok(([(LOCATION, location)], answer(StatusCode::CREATED, label)).into_response())
}

async fn read(State(kind): State<Kind>, user: User, PathText(id): PathText) -> Result<Response, Problem> {
    let label = labels::service::read(&user, kind, path_id(&id, kind.name())?).await?;
    Ok(answer(StatusCode::OK, label))
}

async fn patch(
    State(kind): State<Kind>,
    user: User,
    PathText(id): PathText,
    conditions: Conditions,
    JsonObject(body): JsonObject,
) -> Result<Response, Problem> {
    let id = path_id(&id, kind.name())?;
    let label = labels::service::patch(&user, kind, id, &conditions, &body).await?;
    Ok(answer(StatusCode::OK, label))
}

async fn delete(
    State(kind): State<Kind>,
    user: User,
    PathText(id): PathText,
    Extension(trace): Extension<Traceparent>,
    conditions: Conditions,
) -> Result<StatusCode, Problem> {
    let id = path_id(&id, kind.name())?;
    labels::service::delete(&user, kind, id, &conditions, &trace).await?;
    Ok(StatusCode::NO_CONTENT)
}
