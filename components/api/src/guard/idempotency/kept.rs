//! What is kept of a response: its body, or which versions of tasks it shows.
//!
//! A task may have 40 KB, and a bulk response a hundred of them. Each version is stored with its event anyway, so a response that is
//! not small keeps ids and versions in place of the tasks, and is put together again from the events.

use std::collections::BTreeMap;

use nudge_contract::api::{BulkAnswer, BulkResult};
use nudge_contract::task::Task;
use nudge_domain::id::{TaskId, UserId};
use serde::{Deserialize, Serialize};

use crate::db::{Database, DbError};
use crate::events::feed;

/// Maximum size of a body that is kept as it is whatever it is, in bytes.
const SMALL: usize = 1024;

/// Maximum size of what is kept of one response, in bytes: a bulk response of refusals, each with everything that is wrong.
const LARGEST: usize = 256 * 1024;

/// What is kept of the body of a response.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The body.
    Body(String),
    /// JSON of [`Shown`].
    Versions(String),
    /// Nothing: it is too large, or has a secret. The request is known to be done.
    Nothing,
}

/// A response about tasks, with versions in place of the tasks.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Shown {
    Task(Version),
    Bulk { results: Vec<ShownResult> },
}

/// A version of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Version {
    id: TaskId,
    version: u32,
}

/// The result of an operation.
#[derive(Debug, Serialize, Deserialize)]
struct ShownResult {
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<Version>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<serde_json::Value>,
}

impl From<&Task> for Version {
    fn from(task: &Task) -> Self {
        Self {
            id: task.id,
            version: task.version,
        }
    }
}

/// What to keep of a body.
pub(super) fn of(body: &str) -> Kept {
    if body.len() > SMALL
        && let Some(shown) = shown(body)
        && let Ok(versions) = serde_json::to_string(&shown)
        && versions.len() <= LARGEST
    {
        Kept::Versions(versions)
    } else if body.len() <= LARGEST {
        Kept::Body(body.to_owned())
    } else {
        Kept::Nothing
    }
}

fn shown(body: &str) -> Option<Shown> {
    if let Ok(task) = serde_json::from_str::<Task>(body) {
        return Some(Shown::Task(Version::from(&task)));
    }
    let answer: BulkAnswer = serde_json::from_str(body).ok()?;
    let results = answer.results.into_iter().map(|result| ShownResult {
        status: result.status,
        task: result.task.as_ref().map(Version::from),
        problem: result.problem,
    });
    Some(Shown::Bulk {
        results: results.collect(),
    })
}

/// The body that [`Kept::Versions`] was made of; `None` if a version is gone: a task has had many more since.
pub(super) async fn restore(
    database: &Database,
    user_id: &UserId,
    versions: &str,
) -> Result<Option<String>, DbError> {
    let unreadable = |error: serde_json::Error| DbError::Unreadable(format!("a kept response: {error}"));
    let shown: Shown = serde_json::from_str(versions).map_err(unreadable)?;
    let wanted: Vec<Version> = match &shown {
        Shown::Task(version) => vec![*version],
        Shown::Bulk { results } => results.iter().filter_map(|result| result.task).collect(),
    };
    let wanted = wanted.into_iter().map(|version| (version.id, version.version));
    let tasks = feed::versions(database, user_id, wanted).await?;
    put_together(shown, &tasks).transpose().map_err(unreadable)
}

fn put_together(
    shown: Shown,
    tasks: &BTreeMap<(TaskId, u32), Task>,
) -> Option<Result<String, serde_json::Error>> {
    let task = |version: Version| tasks.get(&(version.id, version.version)).cloned();
    match shown {
        Shown::Task(version) => Some(serde_json::to_string(&task(version)?)),
        Shown::Bulk { results } => {
            let results: Option<Vec<BulkResult>> = results
                .into_iter()
                .map(|result| {
                    Some(BulkResult {
                        status: result.status,
                        task: match result.task {
                            Some(version) => Some(task(version)?),
                            None => None,
                        },
                        problem: result.problem,
                    })
                })
                .collect();
            Some(serde_json::to_string(&BulkAnswer { results: results? }))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn task(description: &str) -> Task {
        let task: Value = json!({
            "id": "018f0000-0000-7000-8000-000000000001",
            "title": "Water",
            "description": description,
            "status": "pending",
            "priority": "medium",
            "due": null,
            "estimateMinutes": null,
            "timeZone": "UTC",
            "categoryId": null,
            "tagIds": [],
            "recurrence": null,
            "recurrenceFrom": "due",
            "reminders": [],
            "seriesId": null,
            "occurrence": 1,
            "version": 3,
            "createdAt": "2026-11-21T12:00:00Z",
            "updatedAt": "2026-11-21T12:00:00Z",
            "completedAt": null,
        });
        serde_json::from_value(task).unwrap()
    }

    #[test]
    fn a_response_comes_back_as_it_was() {
        let long = task(&"x".repeat(10_000));
        let known = [((long.id, long.version), long.clone())].into_iter().collect();
        let bulk = BulkAnswer {
            results: vec![
                BulkResult {
                    status: 200,
                    task: Some(long.clone()),
                    problem: None,
                },
                BulkResult {
                    status: 404,
                    task: None,
                    problem: Some(json!({ "code": "not_found" })),
                },
                BulkResult {
                    status: 204,
                    task: None,
                    problem: None,
                },
            ],
        };
        for body in [
            serde_json::to_string(&long).unwrap(),
            serde_json::to_string(&bulk).unwrap(),
        ] {
            let Kept::Versions(versions) = of(&body) else {
                panic!("{body}")
            };
            assert!(versions.len() < 300, "{versions}");
            let shown: Shown = serde_json::from_str(&versions).unwrap();
            assert_eq!(put_together(shown, &known).unwrap().unwrap(), body);
            let shown: Shown = serde_json::from_str(&versions).unwrap();
            assert!(
                put_together(shown, &BTreeMap::new()).is_none(),
                "the version is gone"
            );
        }
    }

    #[test]
    fn what_is_small_or_about_something_else_is_kept_as_it_is_unless_it_is_too_large() {
        let small = serde_json::to_string(&task("")).unwrap();
        assert_eq!(of(&small), Kept::Body(small.clone()));
        let other = json!({ "name": "x".repeat(SMALL) }).to_string();
        assert_eq!(of(&other), Kept::Body(other.clone()));
        assert_eq!(of(&"x".repeat(LARGEST + 1)), Kept::Nothing);
    }
}
