//! Messages in the database.

use std::collections::BTreeMap;
use std::time::SystemTime;

use rusqlite::{Connection, params};

use crate::store::{StoreError, from_millis};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Topic {
    pub(crate) pubsub: String,
    pub(crate) name: String,
}

/// A message to be published.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// A message to be delivered.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) partition: u32,
    pub(crate) position: i64,
    pub(crate) key: Option<String>,
    pub(crate) published: SystemTime,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// Stores a message at the end of a partition, and returns its position.
pub(super) fn append(
    db: &Connection,
    topic: &Topic,
    partition: u32,
    key: Option<&str>,
    message: &Message,
    now: i64,
) -> Result<i64, StoreError> {
    let position: i64 = db
        .prepare_cached(
            "INSERT INTO topic_end (pubsub, topic, partition, position) VALUES (?1, ?2, ?3, 1)
             ON CONFLICT DO UPDATE SET position = position + 1 RETURNING position - 1",
        )?
        .query_row(params![topic.pubsub, topic.name, partition], |row| row.get(0))?;
    db.prepare_cached(
        "INSERT INTO message (pubsub, topic, partition, position, key, metadata, body, published)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        topic.pubsub,
        topic.name,
        partition,
        position,
        key,
        serde_json::to_string(&message.metadata)?,
        message.body,
        now
    ])?;
    Ok(position)
}

/// The next messages for an app in a partition, in order, at most `limit`.
pub(super) fn read(
    db: &Connection,
    app_id: &str,
    topic: &Topic,
    partition: u32,
    limit: u32,
) -> Result<Vec<Stored>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT m.position, m.key, m.published, m.metadata, m.body FROM consumer c
         JOIN message m ON m.pubsub = c.pubsub AND m.topic = c.topic AND m.partition = c.partition
                       AND m.position >= c.position
         WHERE c.app_id = ?1 AND c.pubsub = ?2 AND c.topic = ?3 AND c.partition = ?4
         ORDER BY m.position LIMIT ?5",
    )?;
    let mut rows = statement.query(params![app_id, topic.pubsub, topic.name, partition, limit])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(Stored {
            partition,
            position: row.get(0)?,
            key: row.get(1)?,
            published: from_millis(row.get(2)?),
            metadata: serde_json::from_str(&row.get::<_, String>(3)?)?,
            body: row.get(4)?,
        });
    }
    Ok(messages)
}
