//! Delivery of a bulk subscription: batches of one partition, as daprd does on Kafka.
//!
//! A full batch is delivered at once, a smaller one when the ticker of its partition ticks. An app gets one batch of a component at a
//! time, over all its bulk topics and partitions, and the next one after the former is settled.
//!
//! | the app answers | with dead-letter topic | without |
//! | --- | --- | --- |
//! | `SUCCESS` for an entry | done | done |
//! | `RETRY`, an unknown or no status for an entry | the entry is dead-lettered after the inbound retry policy | the whole batch is redelivered every 5 s |
//! | no statuses, 3xx to 5xx, no answer | every entry is dead-lettered after the policy | the whole batch is redelivered every 5 s |
//! | `DROP` for an entry | see `Call::drop` | dropped |
//! | 404 | the whole batch is dropped | dropped |
//!
//! The policy sends only the failed entries again, together.

mod call;
mod entry;
mod results;

use std::sync::Arc;

use step_clock::Ticker;
use tokio::sync::{Mutex, MutexGuard, watch};

use self::call::{Call, Completed};
use self::entry::Entry;
use self::results::Results;
use super::broker::Stored;
use super::deliver::{Delivery, REDELIVERY};
use crate::app::chain;
use crate::resources::Bulk;
use crate::store::StoreError;

/// Held during a batch: one per component and app.
pub(crate) type Turn = Arc<Mutex<()>>;

/// A bulk subscription of one app, as the delivery tasks of its partitions see it.
pub(crate) struct BulkDelivery {
    delivery: Delivery,
    limits: Bulk,
    turn: Turn,
}

/// How a pass over a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pass {
    /// The batch is done: its position can be committed.
    Settled,
    /// The whole batch must be delivered again.
    Failed,
    /// The sidecar stopped.
    Stopped,
}

impl BulkDelivery {
    pub(crate) fn new(delivery: Delivery, limits: Bulk, turn: Turn) -> Self {
        Self {
            delivery,
            limits,
            turn,
        }
    }

    /// Delivers a partition, batch by batch, until the sidecar stops. A call in flight is finished.
    pub(crate) async fn run(&self, partition: u32, mut ticker: Ticker) {
        let Delivery { sidecar, topic, .. } = &self.delivery;
        let shared = &sidecar.shared;
        let Some(end) = shared.broker.end(topic, partition) else {
            return;
        };
        let mut position = None;
        loop {
            let next = self.next(partition, position.take(), &mut ticker, &end);
            let next = tokio::select! {
                biased;
                () = shared.stopped() => return,
                next = next => next,
            };
            let finished = match next {
                Ok((_turn, batch)) => {
                    if !self.deliver(&batch).await {
                        return;
                    }
                    self.commit(&batch).await
                }
                Err(error) => Err(error),
            };
            match finished {
                Ok(next) => position = next,
                Err(error) => {
                    tracing::error!(
                        error = chain(&error),
                        topic = topic.name,
                        partition,
                        "delivery waits for the database"
                    );
                    shared.clock.sleep(REDELIVERY).await;
                }
            }
        }
    }

    /// The next batch, which is full or was there when the ticker ticked, and the turn to deliver it. `position` is that of its first
    /// message; `None` reads it.
    async fn next(
        &self,
        partition: u32,
        position: Option<i64>,
        ticker: &mut Ticker,
        end: &watch::Receiver<i64>,
    ) -> Result<(MutexGuard<'_, ()>, Vec<Stored>), StoreError> {
        let Delivery { sidecar, topic, .. } = &self.delivery;
        let (app_id, broker) = (&sidecar.app.app_id, &sidecar.shared.broker);
        let position = match position {
            Some(position) => position,
            None => broker.position(app_id, topic, partition).await?,
        };
        let full = position + i64::from(self.limits.max_messages);
        loop {
            let mut watched = end.clone();
            if *watched.borrow() <= position {
                // The ticks until a message arrives would find nothing: there is no reason to wake up for them.
                let arrived = async { watched.wait_for(|end| *end > position).await.map(drop) };
                let arrived = ticker.drop_until(arrived).await;
                arrived.map_err(|_| StoreError::NotCommitted)?;
            }
            let is_full = async { watched.wait_for(|end| *end >= full).await.map(drop) };
            let until = tokio::select! {
                () = ticker.tick() => full.min(*end.borrow()),
                reached = is_full => reached.map(|()| full).map_err(|_| StoreError::NotCommitted)?,
            };
            // What arrives from now on, while others have their turn, is for a later batch.
            let Some(waiting) = u32::try_from(until - position)
                .ok()
                .filter(|waiting| *waiting > 0)
            else {
                continue;
            };
            let turn = self.turn.lock().await;
            // Last, because the app may have become unhealthy during the wait.
            sidecar.channel.ready().await;
            let batch = broker.batch(app_id, topic, partition, waiting).await?;
            if batch.is_empty() {
                return Err(StoreError::NotCommitted);
            }
            return Ok((turn, batch));
        }
    }

    /// Commits a whole batch, and returns the position after it.
    async fn commit(&self, batch: &[Stored]) -> Result<Option<i64>, StoreError> {
        let Delivery { sidecar, topic, .. } = &self.delivery;
        let Some(last) = batch.last() else {
            return Ok(None);
        };
        let broker = &sidecar.shared.broker;
        broker.commit(&sidecar.app.app_id, topic, last).await?;
        Ok(Some(last.position + 1))
    }

    /// Delivers a batch until it is settled; `false` if the sidecar stopped before that.
    async fn deliver(&self, batch: &[Stored]) -> bool {
        let sidecar = &self.delivery.sidecar;
        loop {
            match self.pass(batch).await {
                Pass::Settled => return true,
                Pass::Stopped => return false,
                Pass::Failed => {}
            }
            tokio::select! {
                () = async {
                    sidecar.shared.clock.sleep(REDELIVERY).await;
                    sidecar.channel.ready().await;
                } => {}
                () = sidecar.shared.stopped() => return false,
            }
        }
    }

    /// One pass over a batch: a call per path, each with the retry policy, then the dead letters.
    async fn pass(&self, batch: &[Stored]) -> Pass {
        let results = Results::new(batch.len());
        let mut entries = Vec::with_capacity(batch.len());
        for stored in batch {
            entries.push(self.delivery.entry(stored).await);
        }
        // daprd keeps the error of the last step that could fail, and redelivers only if there is one. A readable event clears that of an
        // unreadable one before it: that one is then acknowledged and lost, unless there is a dead-letter topic.
        let mut redeliver = false;
        let mut any_failed = false;
        let mut calls: Vec<(&str, Vec<usize>)> = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            match entry {
                Entry::Unreadable => {
                    (redeliver, any_failed) = (true, true);
                    results.set(index, true);
                }
                Entry::Dropped => {
                    redeliver = false;
                    results.set(index, false);
                }
                Entry::Deliverable { path, .. } => {
                    redeliver = false;
                    match calls.iter_mut().find(|(known, _)| known == path) {
                        Some((_, indices)) => indices.push(index),
                        None => calls.push((path, vec![index])),
                    }
                }
            }
        }
        for (path, indices) in calls {
            let call = Call::new(&self.delivery, path, &entries, indices, &results);
            let failed = match self.make(&call).await {
                None => return Pass::Stopped,
                Some(Ok(Completed::Crashed)) => return Pass::Failed,
                Some(Ok(Completed::Answered)) => false,
                Some(Err(())) => true,
            };
            if failed {
                (redeliver, any_failed) = (true, true);
            }
            // Also entries of other paths, as in daprd; those are overwritten by their own calls unless these time out.
            results.set_others(failed);
        }
        if any_failed && let Some(dead_letter) = &self.delivery.subscription.dead_letter {
            let indexed = batch.iter().enumerate();
            let failed = indexed.filter(|(index, _)| results.failed(*index));
            let failed: Vec<&Stored> = failed.map(|(_, stored)| stored).collect();
            if failed.is_empty() || self.delivery.dead_letter(&failed, dead_letter).await {
                return Pass::Settled;
            }
        }
        if redeliver { Pass::Failed } else { Pass::Settled }
    }

    /// Makes a call with the inbound policy; `None` if the sidecar stopped before it ended.
    async fn make(&self, call: &Call<'_>) -> Option<Result<Completed, ()>> {
        let Delivery { sidecar, topic, .. } = &self.delivery;
        let result = self.delivery.attempts(|| call.attempt()).await?;
        Some(result.map_err(|error| {
            let app_id = &sidecar.app.app_id;
            tracing::warn!(app_id, topic = topic.name, "a bulk delivery failed: {error}");
        }))
    }
}
