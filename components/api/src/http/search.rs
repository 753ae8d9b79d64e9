//! `/api/v1/tasks/search`: tasks by their words, best first.

use axum::response::{IntoResponse, Response};
use nudge_component::Problem;
use nudge_component::serve::Json;
use nudge_contract::api::Page;

use super::query;
use crate::caller::Identity;
use crate::guard::rate_limit;
use crate::input::fields::{Pairs, Query, invalid_cursor};
use crate::tasks::list::query::MAX_LIMIT;
use crate::tasks::record;
use crate::tasks::search;

/// Results of a page when the caller does not say.
const DEFAULT_LIMIT: u32 = 20;

pub(super) async fn tasks(identity: Identity, Pairs(pairs): Pairs) -> Result<Response, Problem> {
    let query = Query::new(pairs, &["query", "limit", "cursor"])?;
    let limit = query::limit(&query, DEFAULT_LIMIT, MAX_LIMIT)?;
    let after = query
        .text("cursor")
        .map(|text| text.parse().map_err(|()| invalid_cursor()))
        .transpose()?;
    let text = query.text("query").unwrap_or_default();
    rate_limit::charge_rest(&identity.user.id, search::COST).await?;
    let caller = identity.open().await?;
    let (tasks, next) = search::page(&caller.database, &caller.user.id, text, limit, after).await?;
    Ok(Json(Page {
        items: tasks.iter().map(record::view).collect(),
        next_cursor: next.map(|place| place.to_string()),
    })
    .into_response())
}
