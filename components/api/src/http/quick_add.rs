//! `/api/v1/tasks/parse` and `/api/v1/tasks/{id}/occurrences`: what a line, or a recurrence, would mean. Nothing is stored.

use nudge_component::Problem;
use nudge_component::serve::{Json, PathText};
use nudge_contract::quick_add::{Occurrences, ParsedLine};
use nudge_domain::Zone;
use nudge_domain::task::{FieldName, Mistake, Patch, TaskFields};

use super::query;
use crate::caller::Identity;
use crate::error::ServiceError;
use crate::input::fields::{Fields, JsonObject, Pairs, Query, path_id};
use crate::tasks::{occurrences as upcoming, quick_add};
use crate::version::Thing;

/// Occurrences of a response when the caller does not say, and at most.
const DEFAULT_LIMIT: u32 = 10;
const MAX_LIMIT: u32 = 50;

pub(super) async fn parse(
    identity: Identity,
    JsonObject(object): JsonObject,
) -> Result<Json<ParsedLine>, Problem> {
    let mut fields = Fields::new(object);
    let text = fields.text("text");
    let zone = fields.parsed::<Zone>("timeZone", |error| error.code());
    let mut mistakes = fields.into_mistakes();
    if text.is_missing() {
        let message = "give the line, such as `Pay rent tomorrow 9am`";
        mistakes.push(Mistake::new(
            FieldName::Named("text".to_owned()),
            "required",
            message,
        ));
    }
    let (true, Some(text)) = (mistakes.is_empty(), text.value()) else {
        return Err(ServiceError::from(mistakes).into());
    };
    let line = quick_add::read(&identity.open().await?, &text, zone.value()).await?;
    Ok(Json(quick_add::view(&text, &line)))
}

pub(super) async fn occurrences(
    identity: Identity,
    PathText(id): PathText,
    Pairs(pairs): Pairs,
) -> Result<Json<Occurrences>, Problem> {
    let query = Query::new(pairs, &["limit", "recurrence", "due"])?;
    let limit = query::limit(&query, DEFAULT_LIMIT, MAX_LIMIT)?;
    let given = |name| match query.text(name) {
        Some(text) => Patch::Value(text.to_owned()),
        None => Patch::Absent,
    };
    let preview = TaskFields {
        recurrence: given("recurrence"),
        due: given("due"),
        ..TaskFields::default()
    };
    let id = path_id(&id, Thing::Task)?;
    Ok(Json(
        upcoming::of(&identity.open().await?, id, preview, limit).await?,
    ))
}
