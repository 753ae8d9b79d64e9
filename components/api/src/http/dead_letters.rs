//! What could not be handled: it comes as an event, and somebody decides through the sidecar.

use axum::body::Body;
use axum::extract::Query;
use axum::response::Response;
use nudge_component::serve::{Json, read_body};
use nudge_component::{Problem, subscriber};
use nudge_contract::api::{DeadLetterIds, DeadLetters, DeadLettersDone};
use serde::Deserialize;

use super::internal::read;
use crate::dead_letters;

pub(super) async fn arrived(body: Body) -> Response {
    let kept = match read_body(body).await {
        Ok(bytes) => dead_letters::keep(&bytes).await,
        Err(problem) => dead_letters::keep(problem.detail().as_bytes()).await,
    };
    subscriber::kept(kept.map_err(|error| error.to_string()))
}

#[derive(Deserialize)]
pub(super) struct Page {
    /// The last one of the page before.
    after: Option<String>,
}

pub(super) async fn list(Query(page): Query<Page>) -> Result<Json<DeadLetters>, Problem> {
    dead_letters::list(page.after.as_deref()).await.map(Json)
}

pub(super) async fn replay(body: Body) -> Result<Json<DeadLettersDone>, Problem> {
    let DeadLetterIds { ids } = read(body).await?;
    dead_letters::replay(&ids).await.map(Json)
}

pub(super) async fn discard(body: Body) -> Result<Json<DeadLettersDone>, Problem> {
    let DeadLetterIds { ids } = read(body).await?;
    dead_letters::discard(&ids).await.map(Json)
}
