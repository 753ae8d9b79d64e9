//! What happens to the entries that an app does not handle.

use dapr_sidecar::App;

use super::*;

/// Steps until the app has seen `count` batches, and returns the time that passed.
async fn time_until(bench: &Bench, app: &Scripted, count: usize) -> Duration {
    let before = bench.clock.now();
    bench
        .step_until(Duration::from_millis(100), || app.seen("/on/t").len() >= count)
        .await;
    bench.clock.now().duration_since(before).expect("time goes on")
}

#[tokio::test]
async fn a_poisoned_entry_is_dead_lettered_alone_and_unchanged() {
    for (number, status) in [Some("RETRY"), Some("BOGUS"), Some(""), None]
        .into_iter()
        .enumerate()
    {
        let (bench, app) = Bench::with_app(&with_dead_letters()).await;
        answer(&app, 1, status);
        publish(&bench, 0..4).await;
        let letter = app.wait("/on/dead", 1).await.remove(0);
        assert_eq!((dead(&app), batches(&app).len()), (vec![json!(1)], 1), "{number}");
        let entry = entries(&app.seen("/on/t")[0]).remove(1);
        assert_eq!(letter.json(), entry["event"]);
        for name in ["__topic", "__offset", "__partition", "__key"] {
            assert_eq!(letter.header(name), entry["metadata"][name].as_str(), "{name}");
        }
        publish(&bench, 4..8).await;
        app.wait("/on/t", 2).await;
        assert_eq!(numbers(&app.seen("/on/t")[1]), [4, 5, 6, 7], "the topic goes on");
    }
}

#[tokio::test]
async fn the_policy_sends_the_failed_entries_again_together_and_with_their_ids() {
    let (bench, app) = Bench::with_app(&format!("{}{RETRIES}", with_dead_letters())).await;
    app.responds("/on/t", |seen| {
        let first = entries(seen).len() == 4;
        statuses(seen, |entry| match entry["event"]["data"].as_u64() {
            Some(1) => Some("RETRY"),
            // Handled at the second attempt.
            Some(3) if first => None,
            _ => Some("SUCCESS"),
        })
    });
    publish(&bench, 0..6).await;
    app.wait("/on/t", 1).await;
    let waited = time_until(&bench, &app, 3).await;
    assert!(waited >= Duration::from_secs(1), "twice 500 ms, not {waited:?}");
    app.wait("/on/dead", 1).await;
    assert_eq!(dead(&app), [1]);
    let seen = app.seen("/on/t");
    let sent: Vec<_> = seen.iter().take(3).map(numbers).collect();
    assert_eq!(sent, [vec![0, 1, 2, 3], vec![1, 3], vec![1]]);
    let ids = |seen: &Seen| seen.json()["id"].clone();
    assert_eq!(
        (ids(&seen[0]), &entries(&seen[1])[1]["entryId"]),
        (ids(&seen[2]), &json!("3"))
    );
    // What follows waited for the last attempt.
    time_until(&bench, &app, 4).await;
    assert_eq!(numbers(&app.seen("/on/t")[3]), [4, 5]);
}

#[tokio::test]
async fn without_policy_and_dead_letter_topic_a_failed_entry_repeats_the_whole_batch_every_five_seconds() {
    let (bench, app) = Bench::with_app(&plain()).await;
    answer(&app, 3, Some("RETRY"));
    publish(&bench, 0..8).await;
    app.wait("/on/t", 1).await;
    for count in 2..4 {
        let waited = time_until(&bench, &app, count).await;
        assert!(waited >= Duration::from_secs(5), "{waited:?}");
    }
    answer(&app, 0, Some("SUCCESS"));
    time_until(&bench, &app, 5).await;
    let all = [0, 1, 2, 3].as_slice();
    assert_eq!(batches(&app), [all, all, all, all, &[4, 5, 6, 7]]);
}

#[tokio::test]
async fn a_response_without_statuses_fails_every_entry() {
    for (status, body) in [
        (200, ""),
        (204, ""),
        (200, "{}"),
        (200, r#"{"status":"SUCCESS"}"#),
        (500, ""),
    ] {
        let (bench, app) = Bench::with_app(&with_dead_letters()).await;
        app.answers("/on/t", &[(status, body)]);
        publish(&bench, 0..4).await;
        app.wait("/on/dead", 4).await;
        assert_eq!(dead(&app), [0, 1, 2, 3], "{status} {body}");
        assert_eq!(batches(&app).len(), 1);
    }
}

#[tokio::test]
async fn a_404_drops_the_whole_batch_without_dead_letters() {
    let (bench, app) = Bench::with_app(&with_dead_letters()).await;
    app.answers("/on/t", &[(404, ""), (500, "")]);
    publish(&bench, 0..8).await;
    app.wait("/on/dead", 4).await;
    assert_eq!(dead(&app), [4, 5, 6, 7]);
}

#[tokio::test]
async fn a_status_for_an_unknown_entry_is_ignored() {
    let (bench, app) = Bench::with_app(&with_dead_letters()).await;
    app.responds("/on/t", |seen| {
        let (status, body) = statuses(seen, |_| Some("SUCCESS"));
        let more = r#"{"statuses":[{"entryId":"7","status":"RETRY"},{"entryId":"01","status":"RETRY"},"#;
        (status, body.replace("{\"statuses\":[", more))
    });
    publish(&bench, 0..8).await;
    app.wait("/on/t", 2).await;
    assert_eq!(batches(&app), [[0, 1, 2, 3], [4, 5, 6, 7]]);
    assert!(dead(&app).is_empty());
}

#[tokio::test]
async fn a_time_limit_abandons_the_call_and_repeats_the_whole_batch() {
    let limited = RETRIES
        .replace("retries:", "timeouts: {short: 20ms}\n    retries:")
        .replace("retry: in", "retry: in, timeout: short");
    let (bench, app) = Bench::with_app(&format!("{}{limited}", with_dead_letters())).await;
    let _gate = app.gate("/on/t");
    publish(&bench, 0..4).await;
    app.wait("/on/t", 1).await;
    bench
        .step_until(Duration::from_millis(100), || dead(&app).len() >= 4)
        .await;
    assert_eq!(batches(&app), [[0, 1, 2, 3]; 3]);
}

#[tokio::test]
async fn an_open_circuit_breaker_fails_the_batch_without_a_call() {
    let breaker = "---\napiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    \
        circuitBreakers: {one: {trip: consecutiveFailures >= 1, timeout: 60s}}\n  targets:\n    \
        components: {pubsub: {inbound: {circuitBreaker: one}}}\n";
    let (bench, app) = Bench::with_app(&format!("{}{breaker}", plain())).await;
    // One failed entry is a failed call.
    answer(&app, 1, Some("RETRY"));
    publish(&bench, 0..4).await;
    app.wait("/on/t", 1).await;
    answer(&app, 0, Some("SUCCESS"));
    let waited = time_until(&bench, &app, 2).await;
    assert!(waited >= Duration::from_secs(60), "{waited:?}");
}

#[tokio::test]
async fn drop_is_the_end_of_an_entry_without_a_dead_letter_topic() {
    let (bench, app) = Bench::with_app(&plain()).await;
    answer(&app, 1, Some("DROP"));
    publish(&bench, 0..8).await;
    app.wait("/on/t", 2).await;
    assert_eq!(batches(&app), [[0, 1, 2, 3], [4, 5, 6, 7]]);
}

#[tokio::test]
async fn drop_dead_letters_the_entry_if_the_whole_batch_was_sent_and_a_neighbour_otherwise() {
    let (bench, app) = Bench::with_app(&with_dead_letters()).await;
    answer(&app, 1, Some("DROP"));
    publish(&bench, 0..4).await;
    app.wait("/on/dead", 1).await;
    assert_eq!(dead(&app), [1]);
    // An unreadable message in front moves the list by one.
    answer(&app, 5, Some("DROP"));
    publish_raw(&bench, "[]").await;
    publish(&bench, 5..8).await;
    let letters = app.wait("/on/dead", 2).await;
    assert_eq!(letters[1].json()["data"], 6, "5 is lost");
    assert_eq!(numbers(&app.seen("/on/t")[1]), [5, 6, 7]);
}

#[tokio::test]
async fn a_drop_that_crashes_daprd_repeats_the_whole_batch() {
    let (bench, app) = Bench::with_app(&format!("{}{RETRIES}", with_dead_letters())).await;
    app.responds("/on/t", |seen| {
        let alone = entries(seen).len() == 1;
        statuses(seen, |entry| match entry["event"]["data"].as_u64() {
            Some(3) if alone => Some("DROP"),
            Some(3) => Some("RETRY"),
            _ => Some("SUCCESS"),
        })
    });
    publish(&bench, 0..4).await;
    app.wait("/on/t", 1).await;
    time_until(&bench, &app, 2).await;
    let waited = time_until(&bench, &app, 3).await;
    assert!(waited >= Duration::from_secs(4), "{waited:?}");
    assert_eq!(numbers(&app.seen("/on/t")[2]), [0, 1, 2, 3]);
    assert!(dead(&app).is_empty());
}

#[tokio::test]
async fn an_unreadable_message_is_lost_before_a_readable_one_and_blocks_the_partition_as_the_last_one() {
    let (bench, app) = Bench::with_app(&plain()).await;
    answer(&app, 9, None);
    for bytes in ["{oops", "[1]"] {
        publish_raw(&bench, bytes).await;
    }
    publish(&bench, 2..4).await;
    app.wait("/on/t", 1).await;
    publish(&bench, 4..7).await;
    publish_raw(&bench, "{oops").await;
    publish(&bench, 8..12).await;
    time_until(&bench, &app, 4).await;
    let again = [4, 5, 6].as_slice();
    assert_eq!(batches(&app), [&[2, 3], again, again, again]);
}

#[tokio::test]
async fn unreadable_expired_and_unrouted_messages_are_dead_lettered() {
    let yaml = with_dead_letters().replace(
        "{default: /on/t}",
        "{rules: [{match: 'event.type == \"a\"', path: /on/t}]}",
    );
    let mut bench = Bench::bind(&yaml, vec![App::new("orders")]).await;
    publish_raw(&bench, "{oops").await;
    for (number, more) in [
        "cloudevent.type=b",
        "cloudevent.type=a&metadata.ttlInSeconds=60",
        "cloudevent.type=a",
    ]
    .iter()
    .enumerate()
    {
        let path = format!("/v1.0/publish/pubsub/t?metadata.partitionKey=k&metadata.{more}");
        bench.post(&path, &number.to_string()).await;
    }
    bench.clock.advance(Duration::from_secs(120));
    let app = Scripted::start().await;
    for path in ["/on/t", "/"] {
        app.responds(path, |seen| statuses(seen, |_| Some("SUCCESS")));
    }
    bench.serve(&[("orders", &app)]);
    app.wait("/on/t", 1).await;
    assert_eq!(batches(&app), [[2]]);
    assert_eq!(numbers(&app.wait("/", 1).await[0]), [0], "also sent to the root");
    // The unreadable one can be read by a raw subscription only; it blocks the partition of the dead letters, which are of one key.
    app.wait("/on/dead", 1).await;
    assert_eq!(dead(&app), [0]);
}
