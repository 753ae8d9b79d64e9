//! What may have been meant by an id that does not exist: models write titles, or mistype.

use serde_json::{Map, Value};

use super::call::Call;
use super::error::{CATEGORY_NOT_FOUND, Failure, Suggestion, TAG_NOT_FOUND, TASK_NOT_FOUND};
use crate::caller::Caller;
use crate::error::ServiceError;
use crate::guard::rate_limit;
use crate::tasks::labels::{self, Kind};
use crate::tasks::list::order::{Order, Sort};
use crate::tasks::list::query::TaskQuery;
use crate::tasks::{search, service};

/// Maximum number of suggestions.
const MAX_SUGGESTIONS: usize = 5;

/// How many of the most recently changed tasks are compared.
const CANDIDATES: u32 = 200;

/// How many letters of a text are compared.
const COMPARED: usize = 200;

/// Texts that are less alike than this only have a few letters in common.
const ALIKE: f64 = 0.3;

/// Adds suggestions to a refusal. The refusal is useful without them, so a failure to find any is only logged.
pub(super) async fn add(call: &mut Call, failure: &mut Failure, arguments: &Map<String, Value>) {
    match find(call, failure.code, arguments).await {
        Ok(found) => failure.suggestions = found,
        // They cost as much as a search, and the refusal does not depend on them.
        Err(ServiceError::OverLimit(_)) => {}
        Err(error) => tracing::warn!("no suggestions: {error}"),
    }
}

async fn find(
    call: &mut Call,
    code: &str,
    arguments: &Map<String, Value>,
) -> Result<Vec<Suggestion>, ServiceError> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    match code {
        TASK_NOT_FOUND => tasks(call.open().await?, text("task_id")).await,
        CATEGORY_NOT_FOUND => labels(call.open().await?, Kind::Category, text("category_id")).await,
        TAG_NOT_FOUND => {
            let listed = arguments.get("tag_ids").and_then(Value::as_array);
            let listed = listed.into_iter().flatten().filter_map(Value::as_str);
            let wanted: Vec<&str> = listed.take(10).chain([text("tag_id")]).collect();
            labels(call.open().await?, Kind::Tag, &wanted.join(" ")).await
        }
        _ => Ok(Vec::new()),
    }
}

async fn tasks(caller: &Caller, text: &str) -> Result<Vec<Suggestion>, ServiceError> {
    let query = TaskQuery {
        sort: Sort::Updated,
        order: Order::Descending,
        limit: CANDIDATES,
        ..TaskQuery::default()
    };
    rate_limit::charge(&caller.user.id, search::COST).await?;
    let recent = service::page(&caller.database, &caller.user.id, &query).await?;
    let mut candidates = searched(caller, text).await?;
    for task in recent.items {
        let id = task.id.to_string();
        if candidates.iter().all(|known| known.id != id) {
            candidates.push(Suggestion {
                id,
                title: task.title,
            });
        }
    }
    Ok(nearest(text, candidates.into_iter()))
}

/// Tasks that contain the words, however long ago they were changed.
async fn searched(caller: &Caller, text: &str) -> Result<Vec<Suggestion>, ServiceError> {
    let most = MAX_SUGGESTIONS as u32;
    match search::ranked(&caller.database, &caller.user.id, text, most, 0).await {
        Ok(found) => Ok(found
            .into_iter()
            .map(|task| Suggestion {
                id: task.id.to_string(),
                title: task.title.into(),
            })
            .collect()),
        // A text without words, or with too many, finds nothing.
        Err(ServiceError::Invalid(_)) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

async fn labels(caller: &Caller, kind: Kind, text: &str) -> Result<Vec<Suggestion>, ServiceError> {
    let first = labels::Cursor::default();
    let (labels, _) =
        labels::service::page(&caller.database, kind, &caller.user.id, &first, 0, CANDIDATES).await?;
    let candidates = labels.into_iter().map(|label| Suggestion {
        id: label.id.to_string(),
        title: label.name,
    });
    Ok(nearest(text, candidates))
}

/// The candidates that are most like the text, by title or by id. Equally similar ones keep their order.
fn nearest(text: &str, candidates: impl Iterator<Item = Suggestion>) -> Vec<Suggestion> {
    let wanted = pairs(text);
    let mut scored: Vec<(f64, Suggestion)> = candidates
        .map(|candidate| {
            let by_title = likeness(&wanted, &pairs(&candidate.title));
            let by_id = likeness(&wanted, &pairs(&candidate.id));
            (by_title.max(by_id), candidate)
        })
        .filter(|(score, _)| *score >= ALIKE)
        .collect();
    scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    scored
        .into_iter()
        .take(MAX_SUGGESTIONS)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// Pairs of adjacent letters within words, sorted.
fn pairs(text: &str) -> Vec<(char, char)> {
    let letters: Vec<char> = text.chars().take(COMPARED).flat_map(char::to_lowercase).collect();
    let mut pairs: Vec<(char, char)> = letters
        .iter()
        .zip(letters.iter().skip(1))
        .filter(|(one, other)| one.is_alphanumeric() && other.is_alphanumeric())
        .map(|(one, other)| (*one, *other))
        .collect();
    pairs.sort_unstable();
    pairs
}

/// Similarity of two texts by their sorted pairs, from 0 to 1 (Sørensen–Dice coefficient).
fn likeness(one: &[(char, char)], other: &[(char, char)]) -> f64 {
    let (mut left, mut right) = (one.iter().peekable(), other.iter().peekable());
    let mut common = 0_u32;
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        match a.cmp(b) {
            std::cmp::Ordering::Less => drop(left.next()),
            std::cmp::Ordering::Greater => drop(right.next()),
            std::cmp::Ordering::Equal => {
                common += 1;
                left.next();
                right.next();
            }
        }
    }
    let all = one.len() + other.len();
    if all == 0 {
        return 0.0;
    }
    2.0 * f64::from(common) / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(text: &str, known: &[&str]) -> Vec<String> {
        let candidates = known.iter().enumerate().map(|(index, title)| Suggestion {
            id: uuid::Uuid::from_u128(index as u128).to_string(),
            title: (*title).to_owned(),
        });
        nearest(text, candidates)
            .into_iter()
            .map(|suggestion| suggestion.title)
            .collect()
    }

    #[test]
    fn a_title_in_place_of_an_id_finds_tasks_of_such_titles() {
        let known = [
            "Call mum",
            "Pay the rent",
            "Pay the electricity bill",
            "Water plants",
        ];
        assert_eq!(titles("pay rent", &known), ["Pay the rent"]);
        assert_eq!(
            titles("PAY THE", &known),
            ["Pay the rent", "Pay the electricity bill"]
        );
        assert_eq!(titles("Zürich", &known), Vec::<String>::new());
        assert_eq!(titles("", &known), Vec::<String>::new());
    }

    #[test]
    fn a_mistyped_id_finds_the_task() {
        assert_eq!(
            titles("10000000-0000-0000-0000-000000000001", &["a", "b"]).len(),
            2
        );
    }

    #[test]
    fn there_are_at_most_five() {
        assert_eq!(titles("milk", &["milk"; 9]).len(), 5);
    }
}
