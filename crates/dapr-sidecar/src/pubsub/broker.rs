//! Topics on SQLite: partitions, positions and one consumer group per app, as Kafka has them.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::params;
use step_clock::Clock;
use tokio::sync::watch;

pub(crate) use super::table::{Message, Stored, Topic};
use super::table::{append, read};
use crate::store::{Store, StoreError, millis};

/// Partitions of every topic.
pub(crate) const PARTITIONS: u32 = 8;

/// Kafka's default `max.message.bytes` as Dapr sets it: larger messages are refused.
pub(crate) const LARGEST_MESSAGE: usize = 1024 * 1024;

/// How long a message is kept after every consumer has seen it; Kafka's default retention.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);

/// Each topic's end positions, watched by its consumers.
type Ends = Vec<watch::Sender<i64>>;

pub(crate) struct Broker {
    store: Store,
    clock: Clock,
    topics: Mutex<HashMap<Topic, Arc<Ends>>>,
    round_robin: AtomicU64,
}

impl Broker {
    pub(crate) fn new(store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            topics: Mutex::default(),
            round_robin: AtomicU64::new(0),
        }
    }

    /// Stores messages, in order; those of one `partitionKey` stay in order. Returns once they are durable.
    pub(crate) async fn append(&self, topic: &Topic, messages: Vec<Message>) -> Result<(), StoreError> {
        let placed: Vec<(u32, Option<String>, Message)> = messages
            .into_iter()
            .map(|message| {
                let key = message.metadata.get("partitionKey").cloned();
                let number = match &key {
                    Some(key) => fnv1a(key),
                    None => self.round_robin.fetch_add(1, Ordering::Relaxed),
                };
                ((number % u64::from(PARTITIONS)) as u32, key, message)
            })
            .collect();
        let now = millis(self.clock.now());
        let owned = topic.clone();
        let ends = self.store.run(move |db| {
            let mut ends = BTreeMap::new();
            for (partition, key, message) in placed {
                let position = append(db, &owned, partition, key.as_deref(), &message, now)?;
                ends.insert(partition, position + 1);
            }
            Ok::<_, StoreError>(ends)
        });
        let ends = ends.await?;
        self.reached(topic, ends);
        Ok(())
    }

    /// Tells the consumers of a topic where its partitions end.
    fn reached(&self, topic: &Topic, ends: impl IntoIterator<Item = (u32, i64)>) {
        let watched = self.ends(topic);
        for (partition, end) in ends {
            if let Some(watched) = watched.get(partition as usize) {
                watched.send_if_modified(|current| std::mem::replace(current, end.max(*current)) < end);
            }
        }
    }

    /// Makes an app a consumer of a topic, from the end of the topic or from its last position.
    pub(crate) async fn subscribe(&self, app_id: &str, topic: &Topic) -> Result<(), StoreError> {
        let (app_id, owned) = (app_id.to_owned(), topic.clone());
        let subscribed = self.store.run(move |db| {
            let topic = owned;
            for partition in 0..PARTITIONS {
                db.prepare_cached(
                    "INSERT OR IGNORE INTO consumer (app_id, pubsub, topic, partition, position)
                     VALUES (?1, ?2, ?3, ?4, coalesce((SELECT position FROM topic_end
                             WHERE pubsub = ?2 AND topic = ?3 AND partition = ?4), 0))",
                )?
                .execute(params![app_id, topic.pubsub, topic.name, partition])?;
            }
            let mut ends = db.prepare_cached(
                "SELECT partition, position FROM topic_end WHERE pubsub = ?1 AND topic = ?2",
            )?;
            let ends = ends.query_map(params![topic.pubsub, topic.name], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            Ok::<_, StoreError>(ends.collect::<Result<Vec<(u32, i64)>, _>>()?)
        });
        let ends = subscribed.await?;
        self.reached(topic, ends);
        Ok(())
    }

    /// Where a partition of a topic that has been subscribed to ends: the position of its next message.
    pub(crate) fn end(&self, topic: &Topic, partition: u32) -> Option<watch::Receiver<i64>> {
        let ends = self.ends(topic);
        ends.get(partition as usize).map(watch::Sender::subscribe)
    }

    /// The position of the next message for an app in a partition.
    pub(crate) async fn position(
        &self,
        app_id: &str,
        topic: &Topic,
        partition: u32,
    ) -> Result<i64, StoreError> {
        let (app_id, topic) = (app_id.to_owned(), topic.clone());
        let position = self.store.run(move |db| {
            let mut position = db.prepare_cached(
                "SELECT position FROM consumer WHERE app_id = ?1 AND pubsub = ?2 AND topic = ?3 AND partition = ?4",
            )?;
            let parameters = params![app_id, topic.pubsub, topic.name, partition];
            Ok::<_, StoreError>(position.query_row(parameters, |row| row.get(0))?)
        });
        position.await
    }

    /// The next messages for an app in a partition, in order, at most `limit`; none if there are none now.
    pub(crate) async fn batch(
        &self,
        app_id: &str,
        topic: &Topic,
        partition: u32,
        limit: u32,
    ) -> Result<Vec<Stored>, StoreError> {
        let (app_id, topic) = (app_id.to_owned(), topic.clone());
        let found = self
            .store
            .run(move |db| read(db, &app_id, &topic, partition, limit));
        found.await
    }

    /// The next message for an app in a partition; waits if there is none.
    pub(crate) async fn next(
        &self,
        app_id: &str,
        topic: &Topic,
        partition: u32,
    ) -> Result<Stored, StoreError> {
        let ends = self.ends(topic);
        let mut end = ends.get(partition as usize).map(watch::Sender::subscribe);
        loop {
            if let Some(end) = &mut end {
                end.mark_unchanged();
            }
            let found = self.batch(app_id, topic, partition, 1).await?;
            if let Some(stored) = found.into_iter().next() {
                return Ok(stored);
            }
            match &mut end {
                Some(end) => end.changed().await.map_err(|_| StoreError::NotCommitted)?,
                None => return Err(StoreError::NotCommitted),
            }
        }
    }

    /// Records that an app is done with a message and those before it in its partition.
    pub(crate) async fn commit(&self, app_id: &str, topic: &Topic, last: &Stored) -> Result<(), StoreError> {
        let (app_id, topic) = (app_id.to_owned(), topic.clone());
        let (partition, position) = (last.partition, last.position + 1);
        let committed = self.store.run(move |db| {
            db.prepare_cached(
                "UPDATE consumer SET position = ?5
                 WHERE app_id = ?1 AND pubsub = ?2 AND topic = ?3 AND partition = ?4",
            )?
            .execute(params![app_id, topic.pubsub, topic.name, partition, position])?;
            Ok::<_, StoreError>(())
        });
        committed.await
    }

    /// Removes messages that are past retention and that every consumer of their topic has seen.
    pub(crate) async fn prune(&self) -> Result<usize, StoreError> {
        let before = millis(self.clock.now()) - i64::try_from(RETENTION.as_millis()).unwrap_or(i64::MAX);
        let pruned = self.store.run(move |db| {
            Ok::<_, StoreError>(db.execute(
                "DELETE FROM message WHERE published < ?1 AND NOT EXISTS (
                     SELECT 1 FROM consumer c WHERE c.pubsub = message.pubsub AND c.topic = message.topic
                     AND c.partition = message.partition AND c.position <= message.position)",
                [before],
            )?)
        });
        pruned.await
    }

    fn ends(&self, topic: &Topic) -> Arc<Ends> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        let ends = topics.entry(topic.clone());
        ends.or_insert_with(|| Arc::new((0..PARTITIONS).map(|_| watch::Sender::new(0)).collect()))
            .clone()
    }
}

/// FNV-1a: a key must be in the same partition after an upgrade, which std's hasher does not guarantee.
fn fnv1a(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    struct Bench {
        broker: Broker,
        clock: Clock,
        topic: Topic,
        _dir: tempfile::TempDir,
    }

    fn bench() -> Bench {
        let dir = tempfile::tempdir().expect("a folder");
        let clock = Clock::stepped(SystemTime::UNIX_EPOCH + RETENTION);
        let broker = Broker::new(
            Store::open(&dir.path().join("db"), crate::Synchronous::Full).expect("a database"),
            clock.clone(),
        );
        let topic = Topic {
            pubsub: "pubsub".to_owned(),
            name: "t".to_owned(),
        };
        Bench {
            broker,
            clock,
            topic,
            _dir: dir,
        }
    }

    fn keyed(key: &str, body: &str) -> Message {
        let metadata = BTreeMap::from([("partitionKey".to_owned(), key.to_owned())]);
        Message {
            metadata,
            body: body.as_bytes().to_vec(),
        }
    }

    impl Bench {
        /// What an app reads from all partitions until nothing is left.
        async fn drain(&self, app_id: &str) -> Vec<(u32, String)> {
            let mut seen = Vec::new();
            for partition in 0..PARTITIONS {
                loop {
                    let found = self.broker.batch(app_id, &self.topic, partition, 3).await;
                    let found = found.expect("readable");
                    let Some(last) = found.last() else {
                        break;
                    };
                    self.broker
                        .commit(app_id, &self.topic, last)
                        .await
                        .expect("committed");
                    for stored in found {
                        seen.push((partition, String::from_utf8(stored.body).expect("text")));
                    }
                }
            }
            seen
        }
    }

    #[tokio::test]
    async fn messages_of_a_key_stay_in_one_partition_and_in_order() {
        let bench = bench();
        bench
            .broker
            .subscribe("app", &bench.topic)
            .await
            .expect("subscribed");
        for number in 0..20 {
            let key = if number % 2 == 0 { "even" } else { "odd" };
            let message = keyed(key, &format!("{number:02}"));
            bench
                .broker
                .append(&bench.topic, vec![message])
                .await
                .expect("stored");
        }
        let seen = bench.drain("app").await;
        for parity in 0..2 {
            let of_key: Vec<_> = seen
                .iter()
                .filter(|(_, body)| body.parse::<u32>().expect("a number") % 2 == parity)
                .collect();
            assert_eq!(of_key.len(), 10);
            assert!(of_key.is_sorted_by_key(|(_, body)| body), "{of_key:?}");
            assert!(
                of_key.iter().all(|(partition, _)| *partition == of_key[0].0),
                "{of_key:?}"
            );
        }
    }

    #[tokio::test]
    async fn each_app_has_its_own_position_and_a_new_one_starts_at_the_end() {
        let bench = bench();
        bench
            .broker
            .subscribe("first", &bench.topic)
            .await
            .expect("subscribed");
        bench
            .broker
            .append(&bench.topic, vec![keyed("k", "a")])
            .await
            .expect("stored");
        bench
            .broker
            .subscribe("second", &bench.topic)
            .await
            .expect("subscribed");
        bench
            .broker
            .append(&bench.topic, vec![keyed("k", "b")])
            .await
            .expect("stored");
        assert_eq!(bench.drain("first").await.len(), 2);
        assert_eq!(bench.drain("second").await.len(), 1);
        bench
            .broker
            .subscribe("first", &bench.topic)
            .await
            .expect("subscribed again");
        assert_eq!(bench.drain("first").await.len(), 0);
    }

    #[tokio::test]
    async fn removes_old_messages_only_after_every_consumer_has_seen_them() {
        let bench = bench();
        bench
            .broker
            .subscribe("app", &bench.topic)
            .await
            .expect("subscribed");
        bench
            .broker
            .append(&bench.topic, vec![keyed("k", "a"), keyed("k", "b")])
            .await
            .expect("stored");
        bench.clock.advance(RETENTION + Duration::from_secs(1));
        assert_eq!(bench.broker.prune().await.expect("pruned"), 0);
        bench.drain("app").await;
        assert_eq!(bench.broker.prune().await.expect("pruned"), 2);
        bench
            .broker
            .append(&bench.topic, vec![keyed("k", "c")])
            .await
            .expect("stored");
        assert_eq!(
            bench.drain("app").await.len(),
            1,
            "positions continue after a removal"
        );
    }
}
