//! What happens to categories and tags.

use jiff::Timestamp;
use nudge_component::Problem;
use nudge_component::trace::Traceparent;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::auth::User;
use crate::db::Database;
use crate::input::conditions::Conditions;
use crate::tasks::labels;
use crate::tasks::labels::store::{Kind, Label, Names};
use crate::tasks::service::{ATTEMPTS, change, contended};
use crate::tasks::store;

/// Tasks that a label is taken off between two looks for more.
const PAGE: u32 = 100;

/// Creates a label of this id, or gives back the one that an earlier attempt of the same request created.
pub(crate) async fn create(
    user: &User,
    kind: Kind,
    id: Uuid,
    body: Map<String, Value>,
) -> Result<Label, Problem> {
    let label = labels::store::apply(kind, None, body, id)?;
    let database = Database::open().await?;
    let now = Timestamp::now();
    if labels::store::insert(&database, kind, user.id.as_str(), &label, Names::Alike, now).await? {
        return Ok(label);
    }
    match labels::store::find(&database, kind, user.id.as_str(), id).await? {
        Some(label) => Ok(label),
        None => Err(name_taken(kind)),
    }
}

/// Reads a label.
pub(crate) async fn read(user: &User, kind: Kind, id: Uuid) -> Result<Label, Problem> {
    find(&Database::open().await?, user, kind, id, &Conditions::NONE).await
}

/// Changes a label by a merge patch. A change that changes nothing is none.
pub(crate) async fn patch(
    user: &User,
    kind: Kind,
    id: Uuid,
    expected: &Conditions,
    body: &Map<String, Value>,
) -> Result<Label, Problem> {
    let database = Database::open().await?;
    for _ in 0..ATTEMPTS {
        let before = find(&database, user, kind, id, expected).await?;
        let mut label = labels::store::apply(kind, Some(before.clone()), body.clone(), id)?;
        if label == before {
            return Ok(label);
        }
        label.version += 1;
        if labels::store::update(&database, kind, user.id.as_str(), &label, Names::Alike).await? {
            return Ok(label);
        }
        let now = labels::store::find(&database, kind, user.id.as_str(), id).await?;
        if now.is_some_and(|now| now.version == before.version) {
            return Err(name_taken(kind));
        }
    }
    Err(contended(kind.name(), id))
}

async fn find(
    database: &Database,
    user: &User,
    kind: Kind,
    id: Uuid,
    expected: &Conditions,
) -> Result<Label, Problem> {
    let label = labels::store::find(database, kind, user.id.as_str(), id)
        .await?
        .ok_or_else(|| Problem::not_found(kind.name()))?;
    expected.check_tagged(kind.name(), label.version, label.etag())?;
    Ok(label)
}

fn name_taken(kind: Kind) -> Problem {
    Problem::new(
        http::StatusCode::CONFLICT,
        "name_taken",
        format!(
            "you have another {} of that name, or of one that differs in case alone: choose another name",
            kind.name()
        ),
    )
}

/// Deletes a category or a tag, after taking it off the tasks that wear it.
pub(crate) async fn delete(
    user: &User,
    kind: Kind,
    id: Uuid,
    expected: &Conditions,
    trace: &Traceparent,
) -> Result<(), Problem> {
    let database = Database::open().await?;
    for _ in 0..ATTEMPTS {
        let label = find(&database, user, kind, id, expected).await?;
        strip(&database, user, kind, id, trace).await?;
        let version = (!expected.is_none()).then_some(label.version);
        if labels::store::delete(&database, kind, user.id.as_str(), id, version).await? {
            // Off the tasks that began to wear it meanwhile; from now on none can.
            return strip(&database, user, kind, id, trace).await;
        }
        // Changed meanwhile, or gone: the next look tells.
    }
    Err(contended(kind.name(), id))
}

/// Takes a label off a user's tasks, each once: a task that keeps it does not hold up the others.
async fn strip(
    database: &Database,
    user: &User,
    kind: Kind,
    id: Uuid,
    trace: &Traceparent,
) -> Result<(), Problem> {
    let mut after = None;
    loop {
        let page = store::wearing(database, user.id.as_str(), kind, id, after, PAGE).await?;
        for (_, task) in &page {
            let stripped = change(
                database,
                user.id.as_str(),
                *task,
                &Conditions::NONE,
                trace,
                |task, _| {
                    match kind {
                        Kind::Category => {
                            task.category_id = task.category_id.filter(|category| *category != id)
                        }
                        Kind::Tag => task.tag_ids.retain(|tag| *tag != id),
                    }
                    Ok(())
                },
            )
            .await;
            match stripped {
                Err(problem) if problem.status() != http::StatusCode::NOT_FOUND => return Err(problem),
                _ => {}
            }
        }
        if page.len() < PAGE as usize {
            return Ok(());
        }
        after = page.last().copied();
    }
}
