//! What could not be handled: it arrives as an event, and an operator decides through the sidecar.

use axum::body::Body;
use axum::extract::Query;
use axum::response::Response;
use nudge_component::serve::{Json, read_body};
use nudge_component::{Problem, subscriber};
use nudge_contract::api::{DeadLetterIds, DeadLetters, DeadLettersDone};
use serde::Deserialize;

use super::internal::read;
use crate::db::{Database, DbError};
use crate::dead_letters;

pub(super) async fn arrived(body: Body) -> Response {
    let kept = match read_body(body).await {
        Ok(bytes) => keep(&bytes).await,
        Err(problem) => keep(problem.detail().as_bytes()).await,
    };
    subscriber::kept(kept.map_err(|error| error.to_string()))
}

async fn keep(body: &[u8]) -> Result<(), DbError> {
    dead_letters::keep(&Database::open().await?, body).await
}

#[derive(Deserialize)]
pub(super) struct Page {
    /// The last one of the page before.
    after: Option<String>,
}

pub(super) async fn list(Query(page): Query<Page>) -> Result<Json<DeadLetters>, Problem> {
    let database = Database::open().await?;
    Ok(Json(dead_letters::list(&database, page.after.as_deref()).await?))
}

pub(super) async fn replay(body: Body) -> Result<Json<DeadLettersDone>, Problem> {
    let DeadLetterIds { ids } = read(body).await?;
    let database = Database::open().await?;
    Ok(Json(dead_letters::replay(&database, &ids).await?))
}

pub(super) async fn discard(body: Body) -> Result<Json<DeadLettersDone>, Problem> {
    let DeadLetterIds { ids } = read(body).await?;
    let database = Database::open().await?;
    Ok(Json(dead_letters::discard(&database, &ids).await?))
}
