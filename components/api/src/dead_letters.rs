//! Events that a consumer could not handle: kept with the reason until an operator replays or discards them.
//!
//! Two kinds come on the topic `dead-letter`. A consumer that refuses an event puts it there itself, with the reason
//! (`nudge.event.rejected.v1`). What Dapr puts there, when its retries are over, is the event alone, with the topic it was on.
//!
//! What is published once more keeps its id, so a consumer that handled it before does nothing. Rows go after 30 days.
//!
//! Users take turns in the list, and so in what is replayed: the events of one user come before no more than one of each other's. A user
//! has at most [`OF_A_USER`] rows, so that one whose events cannot be handled fills no disk; the oldest go first. The database has
//! the change of each event all the same.

use jiff::{SignedDuration, Timestamp};
use nudge_component::dapr::pubsub::{self, CloudEvent as Outgoing};
use nudge_component::publish::describe;
use nudge_contract::api::{DeadLetter, DeadLetters, DeadLettersDone, RefusedDeadLetter};
use nudge_contract::event::{CloudEvent, RejectedEvent};
use nudge_contract::names::component::PUBSUB;
use nudge_domain::task::{FieldName, Mistake};
use serde_json::Value;
use uuid::Uuid;

use crate::db::{self, Database, DbError, Row};
use crate::error::ServiceError;
use crate::events::outbox::PublishError;
use crate::profile;

/// Maximum number of rows per answer, and per request.
const PAGE: usize = 100;

/// How long they are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Maximum number of rows about one user.
const OF_A_USER: u32 = 100;

/// Maximum number of rows about no known user: events that cannot be read, or whose account was deleted.
const OF_NO_USER: u32 = 1_000;

/// Number of rows beyond the maximum that are deleted at a time: one, unless an older version left more.
const EXCESS: u32 = 1_000;

/// Why Dapr dead-letters an event.
const BY_DAPR: &str = "every attempt to deliver it failed; the log of its consumer says why";

const COLUMNS: &str = "id, topic, consumer, reason, event, arrived_at";

/// What came on the topic.
#[derive(Debug, PartialEq, Eq)]
struct Arrived {
    id: String,
    topic: Option<String>,
    consumer: Option<String>,
    reason: String,
    event: String,
    user_id: Option<String>,
}

impl Arrived {
    fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body).into_owned();
        if let Ok(rejected) = CloudEvent::parse::<RejectedEvent>(body) {
            let event: Option<CloudEvent<Value>> = serde_json::from_str(&rejected.data.event).ok();
            return Self {
                id: rejected.id,
                topic: event.as_ref().and_then(|event| event.topic.clone()),
                consumer: Some(rejected.data.consumer),
                reason: rejected.data.reason,
                user_id: user_of(&rejected.data.event),
                event: rejected.data.event,
            };
        }
        let event: Option<CloudEvent<Value>> = serde_json::from_str(&text).ok();
        let id = match &event {
            // Ids are unique within a topic.
            Some(event) => format!("{}:{}", event.topic.as_deref().unwrap_or_default(), event.id),
            None => Uuid::new_v5(&Uuid::NAMESPACE_OID, body).to_string(),
        };
        Self {
            id,
            topic: event.as_ref().and_then(|event| event.topic.clone()),
            consumer: None,
            reason: BY_DAPR.to_owned(),
            user_id: user_of(&text),
            event: text,
        }
    }
}

/// Whose data is in it, so that it goes with them: an event of ours, or a message of the system that is replaced.
fn user_of(event: &str) -> Option<String> {
    let event: Value = serde_json::from_str(event).ok()?;
    let user = ["/data/task/userId", "/data/userId", "/user_id"]
        .iter()
        .find_map(|place| event.pointer(place))?;
    match user {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Keeps what came on the topic. One that comes again after it was published once more waits again.
pub(crate) async fn keep(database: &Database, body: &[u8]) -> Result<(), DbError> {
    let mut arrived = Arrived::read(body);
    let owner = arrived.user_id.as_ref().and_then(|id| id.parse().ok());
    if let Some(user) = &owner
        && profile::find(database, user).await?.is_none()
    {
        // The account was deleted: the event is counted, and not kept.
        arrived.user_id = None;
        arrived.event = String::new();
    }
    tracing::error!(
        id = arrived.id,
        topic = arrived.topic,
        consumer = arrived.consumer,
        "an event could not be handled and waits for an operator to decide (nudge dead-letters): {}",
        arrived.reason
    );
    let sql = "INSERT INTO dead_letter (id, topic, consumer, reason, event, user_id, arrived_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (id) DO UPDATE SET arrived_at = excluded.arrived_at, replayed_at = NULL";
    let parameters: [db::Value; 7] = [
        arrived.id.into(),
        arrived.topic.into(),
        arrived.consumer.into(),
        arrived.reason.into(),
        // PostgreSQL's texts have no NUL.
        arrived.event.replace('\0', "\u{fffd}").into(),
        arrived.user_id.clone().into(),
        Timestamp::now().into(),
    ];
    database.execute(sql, parameters).await?;
    bound(database, arrived.user_id.as_deref()).await
}

/// Deletes the rows of a user that are too many: those that were published again first, then the oldest.
async fn bound(database: &Database, user_id: Option<&str>) -> Result<(), DbError> {
    let (of_user, most) = match user_id {
        Some(_) => ("user_id = $1", OF_A_USER),
        None => ("user_id IS NULL AND CAST($1 AS TEXT) IS NULL", OF_NO_USER),
    };
    let sql = format!(
        "DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter WHERE {of_user} \
         ORDER BY CASE WHEN replayed_at IS NULL THEN 0 ELSE 1 END, arrived_at DESC, id DESC LIMIT {EXCESS} OFFSET {most}) \
         RETURNING id"
    );
    let deleted = database.query(&sql, [user_id.map(str::to_owned).into()]).await?;
    if !deleted.is_empty() {
        tracing::warn!(
            events = deleted.len(),
            "the oldest dead letters of a user were deleted: there are more than {most}"
        );
    }
    Ok(())
}

/// Those that wait, in turns of their users, each user's oldest first; those after one, if there is a page before. If that one was
/// deleted meanwhile, its place is not known any more, and they come from the beginning.
pub(crate) async fn list(database: &Database, after: Option<&str>) -> Result<DeadLetters, DbError> {
    // The one before stays in it when it was published again meanwhile.
    let before = match after {
        Some(_) => " UNION ALL SELECT * FROM dead_letter WHERE id = $1 AND replayed_at IS NOT NULL",
        None => "",
    };
    let from = format!(
        "WITH letter AS (SELECT * FROM dead_letter WHERE replayed_at IS NULL{before}), \
         waiting AS (SELECT {COLUMNS}, replayed_at, \
         ROW_NUMBER() OVER (PARTITION BY COALESCE(user_id, '') ORDER BY arrived_at, id) AS turn FROM letter) \
         SELECT {COLUMNS} FROM waiting WHERE replayed_at IS NULL"
    );
    let order = format!("ORDER BY turn, arrived_at, id LIMIT {PAGE}");
    let rows = match after {
        None => database.query(&format!("{from} {order}"), []).await?,
        Some(id) => {
            let behind = "(NOT EXISTS (SELECT 1 FROM waiting WHERE id = $1) \
                 OR (turn, arrived_at, id) > (SELECT turn, arrived_at, id FROM waiting WHERE id = $1))";
            let sql = format!("{from} AND {behind} {order}");
            database.query(&sql, [id.into()]).await?
        }
    };
    let items: Result<Vec<_>, _> = rows.iter().map(read).collect();
    Ok(DeadLetters {
        items: items?,
        count: database
            .count("SELECT COUNT(*) FROM dead_letter WHERE replayed_at IS NULL")
            .await?,
    })
}

fn read(row: &Row) -> Result<DeadLetter, DbError> {
    Ok(DeadLetter {
        id: row.text(0)?.to_owned(),
        topic: row.maybe_text(1)?.map(str::to_owned),
        consumer: row.maybe_text(2)?.map(str::to_owned),
        reason: row.text(3)?.to_owned(),
        event: row.text(4)?.to_owned(),
        arrived_at: row.instant(5)?,
    })
}

/// Publishes them again on the topics that they were on. What was published before a failure is marked.
pub(crate) async fn replay(database: &Database, ids: &[String]) -> Result<DeadLettersDone, ServiceError> {
    let mut done = DeadLettersDone::default();
    for id in few(ids)? {
        note(&mut done, id, replay_one(database, id).await?);
    }
    Ok(done)
}

/// Publishes one again, or returns why not.
async fn replay_one(database: &Database, id: &str) -> Result<Result<(), String>, ServiceError> {
    let sql = format!("SELECT {COLUMNS}, replayed_at FROM dead_letter WHERE id = $1");
    let rows = database.query(&sql, [id.into()]).await?;
    let Some(row) = rows.first() else {
        return Ok(Err("there is none of that id".to_owned()));
    };
    // By this request, whose answer was lost, or by another.
    if row.maybe_int(6)?.is_some() {
        return Ok(Ok(()));
    }
    let (topic, event) = match outgoing(&read(row)?) {
        Ok(outgoing) => outgoing,
        Err(reason) => return Ok(Err(reason)),
    };
    pubsub::publish(PUBSUB.to_owned(), topic, event)
        .await
        .map_err(|error| PublishError::Publish(describe(&error)))?;
    let sql = "UPDATE dead_letter SET replayed_at = $1 WHERE id = $2";
    database
        .execute(sql, [Timestamp::now().into(), id.into()])
        .await?;
    Ok(Ok(()))
}

/// Deletes them.
pub(crate) async fn discard(database: &Database, ids: &[String]) -> Result<DeadLettersDone, ServiceError> {
    let mut done = DeadLettersDone::default();
    for id in few(ids)? {
        let sql = "DELETE FROM dead_letter WHERE id = $1 AND replayed_at IS NULL RETURNING id";
        let forgotten = match database.query(sql, [id.as_str().into()]).await?.first() {
            Some(_) => Ok(()),
            None => Err("there is none of that id that waits".to_owned()),
        };
        note(&mut done, id, forgotten);
    }
    Ok(done)
}

fn note(done: &mut DeadLettersDone, id: &str, result: Result<(), String>) {
    let id = id.to_owned();
    match result {
        Ok(()) => done.done.push(id),
        Err(reason) => done.refused.push(RefusedDeadLetter { id, reason }),
    }
}

/// Deletes those that no operator decided about, and those that were published again.
pub(crate) async fn forget_old(database: &Database, now: Timestamp) -> Result<(), DbError> {
    let before = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
    let sql = "DELETE FROM dead_letter WHERE arrived_at < $1";
    database.execute(sql, [before.into()]).await
}

fn few(ids: &[String]) -> Result<&[String], Vec<Mistake>> {
    if ids.len() > PAGE {
        let message = format!("{} are too many for one request: give at most {PAGE}", ids.len());
        let field = FieldName::Named("ids".to_owned());
        return Err(vec![Mistake::new(field, "too_many", message)]);
    }
    Ok(ids)
}

/// The event as it was published first, and its topic.
fn outgoing(letter: &DeadLetter) -> Result<(String, Outgoing), String> {
    let event: CloudEvent<Value> = serde_json::from_str(&letter.event)
        .map_err(|error| format!("it is not a complete event, so it cannot be published: {error}"))?;
    let topic = event
        .topic
        .ok_or("it does not say which topic it was on, so it cannot be published")?;
    Ok((
        topic,
        Outgoing {
            id: event.id,
            source: event.source,
            type_: event.r#type,
            partition_key: event.subject.clone(),
            subject: event.subject,
            time: event.time.unwrap_or_else(|| Timestamp::now().to_string()),
            data: event.data.to_string(),
        },
    ))
}

#[cfg(test)]
mod tests {
    use nudge_contract::event::Payload as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_consumer_refused_is_kept_with_its_reason() {
        let inner =
            json!({ "specversion": "1.0", "id": "t:1", "source": "api", "type": "x", "topic": "some-topic",
            "data": { "task": { "userId": "alice" } } })
            .to_string();
        let outer = json!({ "specversion": "1.0", "id": "r", "source": "notification", "type": RejectedEvent::TYPES[0],
            "data": { "schemaVersion": 1, "consumer": "notification", "reason": "no", "event": inner } });
        let arrived = Arrived::read(outer.to_string().as_bytes());
        assert_eq!(
            arrived,
            Arrived {
                id: "r".to_owned(),
                topic: Some("some-topic".to_owned()),
                consumer: Some("notification".to_owned()),
                reason: "no".to_owned(),
                event: inner,
                user_id: Some("alice".to_owned()),
            }
        );
    }

    #[test]
    fn what_dapr_dead_lettered_is_known_by_its_topic() {
        let event = json!({ "specversion": "1.0", "id": "t:1", "source": "api", "type": "x", "topic": "some-topic",
            "data": { "userId": "bob" } });
        let arrived = Arrived::read(event.to_string().as_bytes());
        assert_eq!((arrived.id.as_str(), arrived.consumer), ("some-topic:t:1", None));
        assert_eq!(arrived.user_id.as_deref(), Some("bob"));
        assert_eq!(arrived.event, event.to_string());
    }

    #[test]
    fn what_cannot_be_read_is_kept_all_the_same() {
        let one = Arrived::read(b"\xff nothing");
        assert_eq!((one.topic, one.user_id), (None, None));
        assert_eq!(one.event, "\u{fffd} nothing");
        assert_eq!(one.id, Arrived::read(b"\xff nothing").id);
    }
}
