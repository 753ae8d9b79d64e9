//! Bulk subscriptions: batches, statuses, retries and dead letters.

mod batches;
mod failures;

use std::time::Duration;

use serde_json::{Value, json};
use test_app::{Scripted, Seen, entries, statuses};

use crate::bench::{BASICS, Bench, subscription};

/// How often partial batches are delivered here.
const INTERVAL: Duration = Duration::from_secs(2);

/// An inbound policy: two more attempts, 500 ms apart.
const RETRIES: &str = "---\napiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    \
    retries: {in: {policy: constant, duration: 500ms, maxRetries: 2}}\n  targets:\n    \
    components: {pubsub: {inbound: {retry: in}}}\n";

/// A bulk subscription of the app `orders` to batches of up to `max` messages, to be appended to [`BASICS`].
fn bulk(topic: &str, routes: &str, dead_letter: Option<&str>, max: u32) -> String {
    let limits = format!(
        "{{enabled: true, maxMessagesCount: {max}, maxAwaitDurationMs: {}}}",
        INTERVAL.as_millis()
    );
    subscription(topic, routes, dead_letter)
        .replace("scopes:", &format!("  bulkSubscribe: {limits}\nscopes:"))
}

/// A bulk subscription to `t` in batches of up to four, without a dead-letter topic.
fn plain() -> String {
    format!("{BASICS}{}", bulk("t", "{default: /on/t}", None, 4))
}

/// The same with a dead-letter topic, and a subscription to that.
fn with_dead_letters() -> String {
    let dead = subscription("dead", "{default: /on/dead}", None);
    format!("{BASICS}{}{dead}", bulk("t", "{default: /on/t}", Some("dead"), 4))
}

/// Publishes numbers with one key.
async fn publish(bench: &Bench, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let path = "/v1.0/publish/pubsub/t?metadata.partitionKey=k";
        assert_eq!(bench.post(path, &number.to_string()).await.status, 204);
    }
}

/// Publishes bytes as they are, with the same key.
async fn publish_raw(bench: &Bench, bytes: &str) {
    let path = "/v1.0/publish/pubsub/t?metadata.partitionKey=k&metadata.rawPayload=true";
    assert_eq!(bench.post(path, bytes).await.status, 204);
}

/// Answers `t` with `status` for the entry of the number `poisoned`, and `SUCCESS` for the others.
fn answer(app: &Scripted, poisoned: u32, status: Option<&'static str>) {
    app.responds("/on/t", move |seen| {
        statuses(seen, |entry| {
            if entry["event"]["data"] == poisoned {
                status
            } else {
                Some("SUCCESS")
            }
        })
    });
}

/// The numbers of a batch.
fn numbers(seen: &Seen) -> Vec<Value> {
    entries(seen)
        .iter()
        .map(|entry| entry["event"]["data"].clone())
        .collect()
}

/// The numbers of all batches so far.
fn batches(app: &Scripted) -> Vec<Vec<Value>> {
    app.seen("/on/t").iter().map(numbers).collect()
}

/// The numbers of the dead letters so far.
fn dead(app: &Scripted) -> Vec<Value> {
    app.seen("/on/dead")
        .iter()
        .map(|seen| seen.json()["data"].clone())
        .collect()
}
