//! Bulk subscriptions. Where brokers differ, the embedded sidecar does what daprd does on Kafka.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use test_app::{Scripted, Seen, entries, statuses};

use crate::bench::{Setup, Subject, World};

const PUBLISH: &str = "/v1.0/publish/pubsub";

/// Longer than a case takes, so only full batches are delivered.
const NEVER: Duration = Duration::from_secs(600);

const RETRIES: &str = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    \
    retries: {in: {policy: constant, duration: 100ms, maxRetries: 2}}\n  targets:\n    \
    components: {pubsub: {inbound: {retry: in}}}\n";

/// A bulk subscription to `t`, without a dead-letter topic.
fn plain(max: u32, max_await: Duration) -> Setup {
    let setup = Setup::default().subscription("t", "{default: /on/t}", None, false);
    setup.bulk(max, max_await)
}

/// The same with a dead-letter topic, and a subscription to that.
fn with_dead_letters(max: u32) -> Setup {
    let setup = Setup::default().subscription("t", "{default: /on/t}", Some("dead"), false);
    setup.bulk(max, NEVER).topic("dead")
}

/// Publishes numbers with one key.
async fn publish(world: &World, numbers: std::ops::Range<u64>) {
    for number in numbers {
        let path = format!("{PUBLISH}/t?metadata.partitionKey=one");
        assert_eq!(world.post(&path, &number.to_string()).await.status, 204);
    }
}

/// Publishes bytes without an envelope, with the same key.
async fn publish_raw(world: &World, bytes: &str) {
    let path = format!("{PUBLISH}/t?metadata.partitionKey=one&metadata.rawPayload=true");
    assert_eq!(world.post(&path, bytes).await.status, 204);
}

/// Answers `t` by the number of each event.
fn answer(app: &Scripted, status: impl Fn(u64) -> Option<&'static str> + Send + Sync + 'static) {
    app.responds("/on/t", move |seen| {
        statuses(seen, |entry| {
            status(entry["event"]["data"].as_u64().expect("a number"))
        })
    });
}

fn success(app: &Scripted) {
    answer(app, |_| Some("SUCCESS"));
}

/// The numbers of a batch, in their order.
fn numbers(seen: &Seen) -> Vec<u64> {
    let numbers = entries(seen);
    numbers
        .iter()
        .map(|entry| entry["event"]["data"].as_u64().expect("a number"))
        .collect()
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

/// The numbers of the first `count` dead letters, sorted.
async fn dead(world: &World, count: usize) -> Vec<u64> {
    let dead = world.app().wait("/on/dead", count).await;
    sorted(
        dead.iter()
            .map(|seen| seen.json()["data"].as_u64().expect("a number"))
            .collect(),
    )
}

/// Whether its broker has partitions, whose events are delivered in order, and gives up whole batches only.
fn partitioned(subject: &Subject) -> bool {
    !matches!(subject, Subject::Redis(_) | Subject::RabbitMq(_))
}

pub(crate) async fn a_batch_is_an_envelope_of_events(subject: Subject) {
    let world = plain(2, NEVER).start(&subject).await;
    world
        .app()
        .responds("/on/t", |seen| statuses(seen, |_| Some("SUCCESS")));
    let mut traces = BTreeMap::new();
    for (id, data) in [("e-1", r#"{"n":9007199254740993,"f":3.0}"#), ("e-2", "[1]")] {
        let path =
            format!("{PUBLISH}/t?metadata.partitionKey=one&metadata.custom=abc&metadata.cloudevent.id={id}");
        let answer = world.post(&path, data).await;
        assert_eq!(answer.status, 204);
        traces.insert(id, answer.header("traceparent").to_owned());
    }
    let seen = world.app().wait("/on/t", 1).await.remove(0);
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    assert_eq!(seen.header("pubsubname"), Some("pubsub"));
    assert_eq!(
        seen.header("custom"),
        None,
        "metadata of events are in the entries"
    );
    let mut body = seen.json();
    let id = body["id"].take();
    assert_eq!(id.as_str().map(str::len), Some(36), "a UUID: {id}");
    let mut all = entries(&seen);
    let last = all[1]["event"]["id"].as_str().expect("text").to_owned();
    let hop = seen.header("traceparent").expect("a traceparent");
    assert_eq!(
        hop[..36],
        traces[last.as_str()][..36],
        "the trace of the last entry"
    );
    let (first, text) = (&all[0], seen.text());
    assert!(
        text.starts_with(&format!(
            r#"{{"entries":[{{"entryId":{},"event":{{"data":"#,
            first["entryId"]
        )),
        "{text}"
    );
    assert!(
        text.contains(r#""n":9007199254740992"#),
        "numbers are floats of Go: {text}"
    );
    assert!(text.contains(r#""f":3,"#), "numbers are floats of Go: {text}");
    all.sort_by_key(|entry| entry["event"]["id"].to_string());
    for (index, (entry, data)) in all
        .iter_mut()
        .zip([json!({"f": 3, "n": 9_007_199_254_740_992_u64}), json!([1])])
        .enumerate()
    {
        let id = ["e-1", "e-2"][index];
        let entry_id = entry["entryId"].as_str().expect("text").to_owned();
        let metadata = entry["metadata"].take();
        if matches!(subject, Subject::RabbitMq(_)) {
            assert_eq!(metadata, json!({}), "it delivers no metadata");
        } else {
            assert_eq!(metadata["custom"], "abc", "{metadata}");
            assert_eq!(metadata["partitionKey"], "one", "{metadata}");
        }
        if partitioned(&subject) {
            assert_eq!(entry_id, index.to_string());
            assert_eq!(
                (&metadata["__key"], &metadata["__offset"], &metadata["__topic"]),
                (&json!("one"), &json!(index.to_string()), &json!("t"))
            );
            let number = |name: &str| metadata[name].as_str().and_then(|text| text.parse::<u64>().ok());
            assert!(
                number("__partition").is_some() && number("__timestamp").is_some(),
                "{metadata}"
            );
        }
        for name in ["traceid", "traceparent"] {
            assert_eq!(entry["event"][name], traces[id], "{name}");
        }
        let time = entry["event"]["time"].take();
        assert_eq!(time.as_str().map(str::len), Some(20), "whole seconds: {time}");
        let expected = json!({
            "entryId": entry_id, "contentType": "application/cloudevents+json", "metadata": null,
            "event": {
                "specversion": "1.0", "id": id, "source": "orders", "type": "com.dapr.event.sent", "time": null,
                "datacontenttype": "application/json", "data": data, "pubsubname": "pubsub", "topic": "t",
                "traceid": traces[id], "traceparent": traces[id], "tracestate": "",
            },
        });
        assert_eq!(*entry, expected);
    }
    body["entries"] = Value::Null;
    let expected = json!({
        "id": null, "entries": null, "type": "com.dapr.event.sent.bulk", "topic": "t", "pubsubname": "pubsub",
        "metadata": { "pubsubName": "pubsub" },
    });
    assert_eq!(body, expected);
}

pub(crate) async fn each_entry_has_a_status_of_its_own(subject: Subject) {
    let world = with_dead_letters(6).start(&subject).await;
    answer(world.app(), |number| match number {
        1 => Some("RETRY"),
        2 => Some("BOGUS"),
        3 => Some(""),
        4 => None,
        _ => Some("SUCCESS"),
    });
    publish(&world, 0..6).await;
    assert_eq!(dead(&world, 4).await, [1, 2, 3, 4]);
    let seen = world.app().seen("/on/t");
    assert_eq!(seen.len(), 1, "no second attempt without a policy");
    let event = |number: u64| {
        let all = entries(&seen[0]);
        all.into_iter()
            .find(|entry| entry["event"]["data"] == number)
            .expect("sent")["event"]
            .take()
    };
    for letter in world.app().seen("/on/dead") {
        let letter = letter.json();
        assert_eq!(
            letter,
            event(letter["data"].as_u64().expect("a number")),
            "the same event"
        );
    }
    success(world.app());
    publish(&world, 6..12).await;
    assert_eq!(
        sorted(numbers(&world.app().wait("/on/t", 2).await[1])),
        [6, 7, 8, 9, 10, 11]
    );
    assert_eq!(world.app().seen("/on/dead").len(), 4, "the others are done");
}

pub(crate) async fn a_response_without_statuses_fails_every_entry(subject: Subject) {
    let world = with_dead_letters(2).start(&subject).await;
    for (number, (status, body)) in [
        (200, ""),
        (200, "{}"),
        (200, r#"{"status":"SUCCESS"}"#),
        (204, ""),
        (500, ""),
    ]
    .into_iter()
    .enumerate()
    {
        world.app().answers("/on/t", &[(status, body)]);
        let from = 2 * number as u64;
        publish(&world, from..from + 2).await;
        assert_eq!(
            dead(&world, 2 * (number + 1)).await,
            (0..from + 2).collect::<Vec<_>>(),
            "{status} {body}"
        );
        assert_eq!(
            world.app().seen("/on/t").len(),
            number + 1,
            "one attempt for {status} {body}"
        );
    }
}

pub(crate) async fn a_404_drops_the_batch(subject: Subject) {
    let world = with_dead_letters(2).start(&subject).await;
    world.app().answers("/on/t", &[(404, ""), (500, "")]);
    publish(&world, 0..2).await;
    world.app().wait("/on/t", 1).await;
    publish(&world, 2..4).await;
    assert_eq!(dead(&world, 2).await, [2, 3]);
}

pub(crate) async fn one_entry_to_retry(subject: Subject) {
    let world = plain(3, Duration::from_secs(1)).start(&subject).await;
    let attempts = AtomicUsize::new(0);
    answer(world.app(), move |number| match number {
        1 if attempts.fetch_add(1, Ordering::Relaxed) == 0 => Some("RETRY"),
        _ => Some("SUCCESS"),
    });
    publish(&world, 0..3).await;
    let batches = loop {
        let seen = world.app().seen("/on/t");
        let batches: Vec<Vec<u64>> = seen.iter().map(numbers).collect();
        if batches.iter().flatten().filter(|number| **number == 1).count() == 2 {
            break batches;
        }
        world.app().wait("/on/t", seen.len() + 1).await;
    };
    publish(&world, 3..6).await;
    let last = async {
        loop {
            let seen = world.app().seen("/on/t");
            if seen.iter().flat_map(numbers).any(|number| number == 5) {
                break seen;
            }
            world.app().wait("/on/t", seen.len() + 1).await;
        }
    };
    let all: Vec<u64> = last.await.iter().flat_map(numbers).collect();
    let count = |number: u64| all.iter().filter(|other| **other == number).count();
    // The whole batch again, or that entry alone.
    let first = batches
        .iter()
        .find(|batch| batch.contains(&1))
        .expect("delivered");
    for number in [0, 2] {
        let again = usize::from(partitioned(&subject) && first.contains(&number));
        assert_eq!(count(number), 1 + again, "{number} in {batches:?}");
    }
    assert_eq!([3, 4, 5].map(count), [1, 1, 1], "{all:?}");
}

pub(crate) async fn retries_send_what_failed_and_then_it_is_a_dead_letter(subject: Subject) {
    let world = with_dead_letters(3).resiliency(RETRIES).start(&subject).await;
    let attempts = AtomicUsize::new(0);
    answer(world.app(), move |number| match number {
        0 => Some("RETRY"),
        // Handled at the second attempt.
        1 if attempts.fetch_add(1, Ordering::Relaxed) == 0 => None,
        _ => Some("SUCCESS"),
    });
    publish(&world, 0..3).await;
    assert_eq!(dead(&world, 1).await, [0]);
    let seen = world.app().seen("/on/t");
    let batches: Vec<Vec<u64>> = seen.iter().map(|seen| sorted(numbers(seen))).collect();
    assert_eq!(batches, [vec![0, 1, 2], vec![0, 1], vec![0]]);
    let id = |seen: &Seen| {
        let all = entries(seen);
        let entry = all
            .into_iter()
            .find(|entry| entry["event"]["data"] == 0)
            .expect("sent");
        (seen.json()["id"].clone(), entry["entryId"].clone())
    };
    assert_eq!(id(&seen[0]), id(&seen[2]), "the same envelope and entry");
}

pub(crate) async fn events_of_one_key_stay_in_order(subject: Subject) {
    const COUNT: u64 = 40;
    let world = plain(4, Duration::from_secs(1)).start(&subject).await;
    success(world.app());
    for number in 0..COUNT {
        let path = format!("{PUBLISH}/t?metadata.partitionKey=key-{}", number % 5);
        assert_eq!(world.post(&path, &number.to_string()).await.status, 204);
    }
    let batches = until_seen(&world, COUNT as usize).await;
    let all = batches.iter().flat_map(numbers).collect::<Vec<_>>();
    assert_eq!(sorted(all.clone()), (0..COUNT).collect::<Vec<_>>(), "each once");
    if partitioned(&subject) {
        for key in 0..5 {
            let of_key = all.iter().filter(|number| **number % 5 == key);
            assert!(of_key.is_sorted(), "{all:?}");
        }
        for batch in &batches {
            let batch = entries(batch);
            let partition = |entry: &Value| entry["metadata"]["__partition"].clone();
            assert!(
                batch.iter().all(|entry| partition(entry) == partition(&batch[0])),
                "{batch:?}"
            );
        }
    }
}

/// The batches when `count` entries have come.
async fn until_seen(world: &World, count: usize) -> Vec<Seen> {
    loop {
        let seen = world.app().seen("/on/t");
        if seen.iter().map(|seen| entries(seen).len()).sum::<usize>() >= count {
            return seen;
        }
        world.app().wait("/on/t", seen.len() + 1).await;
    }
}

pub(crate) async fn a_batch_is_as_large_as_configured(subject: Subject) {
    let world = plain(4, NEVER).start(&subject).await;
    success(world.app());
    publish(&world, 0..12).await;
    let seen = until_seen(&world, 12).await;
    let sizes: Vec<usize> = seen.iter().map(|seen| entries(seen).len()).collect();
    assert_eq!(sizes, [4, 4, 4]);
}

pub(crate) async fn a_batch_that_is_not_full_waits_for_the_tick(subject: Subject) {
    let world = plain(100, Duration::from_secs(1)).start(&subject).await;
    success(world.app());
    publish(&world, 0..5).await;
    let seen = until_seen(&world, 5).await;
    // The tick may fall between two of them.
    assert!(seen.len() <= 2, "{seen:#?}");
}

pub(crate) async fn the_next_batch_waits(subject: Subject) {
    let setup = plain(2, NEVER).subscription("other", "{default: /on/other}", None, false);
    let world = setup.bulk(1, NEVER).topic("single").start(&subject).await;
    success(world.app());
    world
        .app()
        .responds("/on/other", |seen| statuses(seen, |_| Some("SUCCESS")));
    let gate = world.app().gate("/on/t");
    publish(&world, 0..2).await;
    world.app().wait("/on/t", 1).await;
    publish(&world, 2..4).await;
    for topic in ["other", "single"] {
        assert_eq!(world.post(&format!("{PUBLISH}/{topic}"), "1").await.status, 204);
    }
    world.app().wait("/on/single", 1).await;
    if partitioned(&subject) {
        assert!(
            world.app().seen("/on/other").is_empty(),
            "one batch of a component at a time"
        );
    } else {
        world.app().wait("/on/other", 1).await;
    }
    assert_eq!(
        world.app().seen("/on/t").len(),
        1,
        "one batch of a topic at a time"
    );
    gate.notify_one();
    world.app().wait("/on/t", 2).await;
    gate.notify_one();
    world.app().wait("/on/other", 1).await;
}

pub(crate) async fn what_matches_no_rule_goes_to_the_root(subject: Subject) {
    let rules =
        "{rules: [{match: 'event.type == \"a\"', path: /on/a}, {match: 'event.type == \"b\"', path: /on/b}]}";
    let setup = Setup::default().subscription("t", rules, None, false);
    let world = setup.bulk(4, NEVER).start(&subject).await;
    for path in ["/on/a", "/on/b", "/"] {
        world
            .app()
            .responds(path, |seen| statuses(seen, |_| Some("SUCCESS")));
    }
    for (number, kind) in ["a", "b", "c", "a"].iter().enumerate() {
        let path = format!("{PUBLISH}/t?metadata.partitionKey=one&metadata.cloudevent.type={kind}");
        assert_eq!(world.post(&path, &number.to_string()).await.status, 204);
    }
    for (path, expected) in [("/on/a", &[0, 3][..]), ("/on/b", &[1]), ("/", &[2])] {
        let seen = world.app().wait(path, 1).await;
        assert_eq!(sorted(numbers(&seen[0])), expected, "one call for {path}");
    }
}

pub(crate) async fn what_cannot_be_read_is_lost(subject: Subject) {
    // Without partitions, the two may come in any order; then the first one waits for an event that is delivered with it.
    let tick = if partitioned(&subject) {
        NEVER
    } else {
        Duration::from_secs(1)
    };
    let world = plain(2, tick).start(&subject).await;
    success(world.app());
    publish_raw(&world, "{oops").await;
    publish(&world, 1..2).await;
    let batches = until_seen(&world, 1).await;
    assert_eq!(batches.iter().flat_map(numbers).collect::<Vec<_>>(), [1]);
    publish(&world, 2..4).await;
    let batches = until_seen(&world, 3).await;
    let all = batches.iter().flat_map(numbers).collect();
    assert_eq!(sorted(all), [1, 2, 3], "the topic goes on");
}

pub(crate) async fn a_dropped_entry_may_become_another_dead_letter(subject: Subject) {
    let world = with_dead_letters(3).start(&subject).await;
    answer(world.app(), |number| {
        (number == 1).then_some("DROP").or(Some("SUCCESS"))
    });
    publish(&world, 0..3).await;
    assert_eq!(dead(&world, 1).await, [1], "all three were sent");
    // Which one it is depends on what precedes it; in some orders daprd crashes.
    if partitioned(&subject) {
        answer(world.app(), |number| {
            (number == 4).then_some("DROP").or(Some("SUCCESS"))
        });
        publish_raw(&world, "[]").await;
        publish(&world, 4..6).await;
        assert_eq!(dead(&world, 2).await, [1, 5], "the neighbour of what was dropped");
    }
}
