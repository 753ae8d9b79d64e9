//! `/api/v1/categories` and `/api/v1/tags`.

use axum::Router;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use nudge_component::Problem;
use nudge_component::serve::{Json, PathText};
use nudge_contract::api::Page;

use super::body;
use crate::caller::Identity;
use crate::guard::idempotency::NewIds;
use crate::input::fields::{JsonObject, Pairs, Query, invalid_cursor, path_id};
use crate::tasks::labels::service::LARGEST_PAGE;
use crate::tasks::labels::{self, Kind, Label, LabelId};
use crate::version::Conditions;

pub(super) fn router(kind: Kind) -> Router {
    Router::new()
        .route(path(kind), get(list).post(create))
        .route(
            &format!("{}/{{id}}", path(kind)),
            get(read).patch(patch).delete(delete),
        )
        .with_state(kind)
}

/// Path of the collection.
pub(super) fn path(kind: Kind) -> &'static str {
    match kind {
        Kind::Category => "/api/v1/categories",
        Kind::Tag => "/api/v1/tags",
    }
}

fn label_id(kind: Kind, text: &str) -> Result<LabelId, Problem> {
    path_id(text, kind.thing()).map(|id| kind.id(id))
}

async fn list(
    State(kind): State<Kind>,
    identity: Identity,
    Pairs(pairs): Pairs,
) -> Result<Json<Page<Label>>, Problem> {
    let query = Query::new(pairs, &["limit", "cursor"])?;
    let limit = super::query::limit(&query, LARGEST_PAGE, LARGEST_PAGE)?;
    let after = query
        .text("cursor")
        .map_or(Ok(labels::Cursor::default()), |text| {
            text.parse().map_err(|()| invalid_cursor())
        })?;
    let caller = identity.open().await?;
    let (items, next) =
        labels::service::page(&caller.database, kind, &caller.user.id, &after, 0, limit).await?;
    Ok(Json(Page {
        items,
        next_cursor: next.map(|cursor| cursor.to_string()),
    }))
}

/// A label with its entity tag.
fn answer(status: StatusCode, label: Label) -> Response {
    (status, [(ETAG, label.etag())], Json(label)).into_response()
}

async fn create(
    State(kind): State<Kind>,
    identity: Identity,
    Extension(ids): Extension<NewIds>,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let new = body::label(object);
    let label = labels::service::create(&identity.open().await?, kind, ids.nth(0), &new).await?;
    let location = format!("{}/{}", path(kind), label.id);
    Ok(([(LOCATION, location)], answer(StatusCode::CREATED, label)).into_response())
}

async fn read(
    State(kind): State<Kind>,
    identity: Identity,
    PathText(id): PathText,
) -> Result<Response, Problem> {
    let id = label_id(kind, &id)?;
    let label = labels::service::read(&identity.open().await?, id).await?;
    Ok(answer(StatusCode::OK, label))
}

async fn patch(
    State(kind): State<Kind>,
    identity: Identity,
    PathText(id): PathText,
    conditions: Conditions,
    JsonObject(object): JsonObject,
) -> Result<Response, Problem> {
    let (id, patch) = (label_id(kind, &id)?, body::label(object));
    let label = labels::service::patch(&identity.open().await?, id, &conditions, &patch).await?;
    Ok(answer(StatusCode::OK, label))
}

async fn delete(
    State(kind): State<Kind>,
    identity: Identity,
    PathText(id): PathText,
    conditions: Conditions,
) -> Result<StatusCode, Problem> {
    let id = label_id(kind, &id)?;
    labels::service::delete(&identity.open().await?, id, &conditions).await?;
    Ok(StatusCode::NO_CONTENT)
}
