//! Leases of due reminders, as notification asks for them.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{sent, settled};
use crate::support::{Service, Setup, json as body, text};

pub(crate) const LEASES: &str = "/internal/reminders/leases";
pub(crate) const DEFERRALS: &str = "/internal/reminders/deferrals";
const OUTCOMES: &str = "/internal/events/reminder-outcomes";

/// The instant some seconds from now.
fn after(api: &Service, seconds: i64) -> String {
    let now = jiff::Timestamp::try_from(api.clock.now()).unwrap();
    (now + jiff::SignedDuration::from_secs(seconds)).to_string()
}

/// A user's task with a reminder some seconds from now.
pub(crate) async fn remind(api: &Service, user: &str, title: &str, seconds: i64) -> Value {
    let task = json!({ "title": title, "reminders": [{ "at": after(api, seconds) }] });
    api.user(user).create("/api/v1/tasks", &task).await
}

fn path(task: &Value) -> String {
    format!("/api/v1/tasks/{}", text(task, "id"))
}

pub(crate) async fn lease(api: &Service, limit: u32) -> Value {
    body(&api.sidecar().post(LEASES, &json!({ "limit": limit })).await, 200)
}

/// The titles of the tasks whose reminders were leased, and whether there is more.
pub(crate) fn titles(leased: &Value) -> (Vec<&str>, bool) {
    let items = leased["items"].as_array().unwrap();
    let titles = items.iter().map(|item| text(&item["task"], "title"));
    (titles.collect(), leased["more"].as_bool().unwrap())
}

/// The reminder of a task, and the instant it is due, as requests name it.
pub(crate) fn due(task: &Value) -> Value {
    let reminder = &task["reminders"][0];
    json!({ "reminderId": reminder["id"], "remindAt": reminder["remindAt"] })
}

async fn defer(api: &Service, reminder: &Value, seconds: u32) {
    let mut item = reminder.clone();
    item["afterSeconds"] = json!(seconds);
    let answer = api.sidecar().post(DEFERRALS, &json!({ "items": [item] })).await;
    assert_eq!(answer.status, 204, "{:?}", answer.body);
}

/// The response when nothing is due or in flight.
fn nothing() -> Value {
    json!({ "items": [], "more": false, "pending": false })
}

async fn due_seconds(api: &Service, horizon: u32) -> Value {
    let path = format!("/internal/reminders/due-seconds?seconds={horizon}");
    body(&api.sidecar().get(&path).await, 200)["seconds"].clone()
}

/// Unix time some seconds after the start of the test.
fn second(after_start: i64) -> i64 {
    crate::support::START
        .parse::<jiff::Timestamp>()
        .unwrap()
        .as_second()
        + after_start
}

/// A lease is exclusive; when it expires, as after a crash of the caller, the reminder is leased again.
pub(crate) async fn exclusive_until_it_expires(api: &Service) {
    let first = remind(api, "alice", "first", 1).await;
    remind(api, "alice", "second", 2).await;
    assert_eq!(lease(api, 10).await, nothing());
    api.pass(2);
    let leased = lease(api, 1).await;
    let mut snapshot = first.clone();
    snapshot["userId"] = json!("alice");
    snapshot["seriesStart"] = Value::Null;
    let reminder = &first["reminders"][0];
    assert_eq!(
        leased,
        json!({
            "items": [{
                "reminderId": reminder["id"],
                "remindAt": reminder["remindAt"],
                "leaseId": leased["items"][0]["leaseId"],
                "task": snapshot,
            }],
            "more": true,
            "pending": true,
        })
    );
    assert_eq!(titles(&lease(api, 10).await), (vec!["second"], false));
    api.pass(59);
    assert_eq!(titles(&lease(api, 10).await), (vec![], false));
    api.pass(1);
    assert_eq!(titles(&lease(api, 10).await), (vec!["first", "second"], false));
    api.sidecar().post(OUTCOMES, &sent(&first, 0)).await;
    api.pass(60);
    assert_eq!(titles(&lease(api, 10).await), (vec!["second"], false));
}

#[tokio::test]
async fn a_lease_is_exclusive_until_it_expires() {
    exclusive_until_it_expires(&Service::start("api").await).await;
}

/// Copies of a task with one reminder each, due in the order of their numbers, without the requests that would create them.
pub(crate) const COPIES: &str = "
    WITH RECURSIVE copy (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < 5000),
      named AS (SELECT n, SUBSTR('000000000000' || n, LENGTH('000000000000' || n) - 11) AS digits FROM copy)
    INSERT INTO task (id, user_id, title, status, priority, time_zone, tag_ids, recurrence_from, occurrence, version, created_at,
        updated_at, event_type, event_data, terms, reminders)
      SELECT '018f0000-0000-7000-8000-' || digits, user_id, title || ' ' || n, status, priority, time_zone, tag_ids,
        recurrence_from, occurrence, version, created_at, updated_at, event_type, event_data, terms,
        '[{\"id\":\"018f0000-0000-7000-9000-' || digits || '\",\"remindAt\":' || (created_at + n) || ',\"status\":\"scheduled\"}]'
      FROM task, named WHERE title = 'burst'";

/// A burst of one user's reminders does not delay another user's.
pub(crate) async fn passes_a_burst(api: &Service, sql: impl AsyncFn(&str)) {
    remind(api, "alice", "burst", 6).await;
    remind(api, "bob", "other", 6).await;
    sql(COPIES).await;
    api.pass(6);
    let first = lease(api, 50).await;
    let (first, more) = titles(&first);
    assert_eq!((first.len(), more), (50, true));
    assert_eq!(
        (first[0], first[1], first[2], first[49]),
        ("burst 1", "other", "burst 2", "burst 49")
    );
    // Someone else's becomes due while something of the burst is in flight.
    remind(api, "carol", "another", 1).await;
    api.pass(1);
    let second = lease(api, 50).await;
    let (second, more) = titles(&second);
    assert_eq!((second.len(), more), (50, true));
    assert_eq!(
        (second[0], second[1], second[49]),
        ("burst 50", "another", "burst 98")
    );
}

#[tokio::test]
async fn a_burst_of_one_user_does_not_delay_the_reminder_of_another() {
    let api = Service::start("api").await;
    passes_a_burst(&api, async |sql: &str| api.sql(sql)).await;
}

/// Users take turns within a lease, and those that wait for nothing yet come first.
pub(crate) async fn take_turns(api: &Service) {
    for (who, name) in [("alice", "a"), ("bob", "b")] {
        for n in 1..=3 {
            remind(api, who, &format!("{name}{n}"), n).await;
        }
    }
    api.pass(3);
    assert_eq!(titles(&lease(api, 4).await), (vec!["a1", "b1", "a2", "b2"], true));
    remind(api, "carol", "c1", 1).await;
    remind(api, "carol", "c2", 1).await;
    api.pass(1);
    assert_eq!(titles(&lease(api, 3).await), (vec!["a3", "c1", "c2"], true));
    assert_eq!(titles(&lease(api, 3).await), (vec!["b3"], false));
}

#[tokio::test]
async fn users_take_turns() {
    take_turns(&Service::start("api").await).await;
}

async fn bounded(bound: &str) -> Service {
    let setup = Setup::new("api").variable("reminders_in_flight", bound);
    setup.start().await
}

#[tokio::test]
async fn no_more_reminders_are_in_flight_than_the_variable_says() {
    let api = bounded("3").await;
    let mut tasks = Vec::new();
    for n in 1..=5 {
        tasks.push(remind(&api, "alice", &n.to_string(), n).await);
    }
    api.pass(5);
    assert_eq!(titles(&lease(&api, 100).await), (vec!["1", "2", "3"], true));
    assert_eq!(titles(&lease(&api, 100).await), (vec![], true));
    api.sidecar().post(OUTCOMES, &sent(&tasks[1], 0)).await;
    assert_eq!(titles(&lease(&api, 100).await), (vec!["4"], true));
    // Those that were lost are no longer in flight.
    api.pass(60);
    assert_eq!(titles(&lease(&api, 2).await), (vec!["1", "5"], true));
}

#[tokio::test]
async fn a_bound_that_lets_nothing_through_is_refused() {
    for bound in ["0", "-1", "many"] {
        let api = bounded(bound).await;
        let answer = api.sidecar().post(LEASES, &json!({ "limit": 1 })).await;
        assert_eq!(answer.status, 500, "{bound}");
    }
}

/// The scheduler's clock may be ahead of the api's, by a little.
pub(crate) async fn ahead(api: &Service) {
    remind(api, "alice", "soon", 5).await;
    remind(api, "alice", "later", 6).await;
    let lease = async |due_by: &str| {
        let asked = json!({ "limit": 10, "dueBy": due_by });
        body(&api.sidecar().post(LEASES, &asked).await, 200)
    };
    assert_eq!(titles(&lease("2026-11-21T12:00:04Z").await), (vec![], false));
    assert_eq!(
        titles(&lease("2026-11-21T12:00:05Z").await),
        (vec!["soon"], false)
    );
    assert_eq!(titles(&lease("2026-11-21T12:01:06Z").await), (vec![], false));
    api.pass(6);
    assert_eq!(
        titles(&lease("2026-11-21T12:00:05Z").await),
        (vec!["later"], false),
        "what is due now is due, however late the job is"
    );
}

#[tokio::test]
async fn a_scheduler_whose_clock_is_ahead_gets_what_its_job_is_for() {
    ahead(&Service::start("api").await).await;
}

#[tokio::test]
async fn a_task_that_cannot_be_read_takes_no_place_of_another_user() {
    let api = bounded("1").await;
    remind(&api, "alice", "broken", 1).await;
    remind(&api, "bob", "other", 2).await;
    api.sql("UPDATE task SET time_zone = 'Mars/Base' WHERE title = 'broken'");
    api.pass(2);
    assert_eq!(titles(&lease(&api, 1).await), (vec![], true));
    assert_eq!(titles(&lease(&api, 1).await), (vec!["other"], false));
    api.sql("UPDATE task SET time_zone = 'UTC' WHERE title = 'broken'");
    api.pass(60);
    assert_eq!(titles(&lease(&api, 1).await), (vec!["broken"], true));
}

/// A change of a task keeps the lease of its reminder; moving or cancelling the reminder ends it.
pub(crate) async fn kept_by_a_change(api: &Service) {
    let alice = api.user("alice");
    let task = alice
        .create(
            "/api/v1/tasks",
            &json!({ "title": "x", "due": "2026-11-21T13:10", "reminders": [{ "minutesBefore": 10 }, { "minutesBefore": 9 }] }),
        )
        .await;
    assert_eq!(titles(&lease(api, 10).await), (vec!["x"], false));
    body(&alice.patch(&path(&task), &json!({ "title": "y" })).await, 200);
    assert_eq!(titles(&lease(api, 10).await), (vec![], false), "it is leased");
    // Both reminders move by five seconds.
    let moved = json!({ "due": "2026-11-21T13:10:05" });
    body(&alice.patch(&path(&task), &moved).await, 200);
    api.pass(5);
    assert_eq!(titles(&lease(api, 10).await), (vec!["y"], false), "it was moved");
    api.pass(54);
    assert_eq!(
        titles(&lease(api, 10).await),
        (vec![], false),
        "it is leased again"
    );
    api.pass(6);
    assert_eq!(titles(&lease(api, 10).await), (vec!["y", "y"], false));
    body(
        &alice.post(&format!("{}/complete", path(&task)), &json!({})).await,
        200,
    );
    api.pass(60);
    assert_eq!(lease(api, 10).await, nothing());

    let task = remind(api, "alice", "z", 1).await;
    api.pass(1);
    assert_eq!(titles(&lease(api, 10).await), (vec!["z"], false));
    let (first, second) = (
        due(&task),
        json!({ "reminders": [{ "at": "2026-11-21T12:03:00Z" }] }),
    );
    body(&alice.patch(&path(&task), &second).await, 200);
    defer(api, &first, 0).await;
    assert_eq!(
        titles(&lease(api, 10).await),
        (vec![], false),
        "the first is gone"
    );
    assert_eq!(alice.delete(&path(&task)).await.status, 204);
    api.pass(60);
    assert_eq!(lease(api, 10).await, nothing());
}

#[tokio::test]
async fn a_change_of_the_task_keeps_the_lease_and_a_move_of_the_reminder_ends_it() {
    kept_by_a_change(&Service::start("api").await).await;
}

/// A deferred reminder is leased again when its deferral ends, unless it was moved.
pub(crate) async fn deferred(api: &Service) {
    let task = remind(api, "alice", "x", 1).await;
    let reminder = due(&task);
    let leased = async || titles(&lease(api, 10).await).0.len();
    api.pass(1);
    assert_eq!(leased().await, 1);
    let mut moved = reminder.clone();
    moved["remindAt"] = json!("2026-11-21T12:00:02Z");
    defer(api, &moved, 0).await;
    assert_eq!(leased().await, 0, "it is leased for another instant");
    defer(api, &reminder, 0).await;
    assert_eq!(leased().await, 1, "it was not attempted");
    defer(api, &reminder, 300).await;
    assert_eq!(due_seconds(api, 600).await, json!([second(301)]));
    api.pass(299);
    assert_eq!(leased().await, 0);
    api.pass(1);
    assert_eq!(leased().await, 1);
    let nothing = json!({ "items": [] });
    assert_eq!(api.sidecar().post(DEFERRALS, &nothing).await.status, 204);
    api.sidecar().post(OUTCOMES, &sent(&task, 0)).await;
    defer(api, &reminder, 0).await;
    assert_eq!(leased().await, 0, "it is sent");
}

#[tokio::test]
async fn a_deferred_reminder_is_leased_again_later() {
    deferred(&Service::start("api").await).await;
}

/// Each second in which reminders become due, once.
pub(crate) async fn seconds(api: &Service) {
    assert_eq!(due_seconds(api, 3600).await, json!([]));
    for at in [1, 60, 60, 120, 121] {
        remind(api, "alice", "x", at).await;
        remind(api, "bob", "x", at).await;
    }
    let all = [1, 60, 120, 121].map(second);
    assert_eq!(due_seconds(api, 120).await, json!(all[..3]));
    assert_eq!(due_seconds(api, 3600).await, json!(all));
    api.pass(1);
    assert_eq!(due_seconds(api, 119).await, json!(all[1..3]), "one is due");
    let leased = lease(api, 10).await;
    assert_eq!(titles(&leased).0.len(), 2);
    assert_eq!(
        due_seconds(api, 3600).await,
        json!(all[1..]),
        "leases are not due"
    );
    api.clock.advance(Duration::from_millis(1));
    defer(api, &leased["items"][0], 30).await;
    let all = [32, 60, 120, 121].map(second);
    assert_eq!(due_seconds(api, 3600).await, json!(all), "rounded up");
    defer(api, &leased["items"][1], 58).await;
    assert_eq!(
        due_seconds(api, 3600).await,
        json!(all),
        "it is due in a second that has others"
    );
}

#[tokio::test]
async fn due_seconds_are_each_named_once() {
    seconds(&Service::start("api").await).await;
}

/// What does not fit into a response is given back at once.
pub(crate) async fn large(api: &Service) {
    let alice = api.user("alice");
    for n in 0..40 {
        let task = json!({
            "title": n.to_string(), "description": "🎶".repeat(10_000), "reminders": [{ "at": after(api, 1) }],
        });
        alice.create("/api/v1/tasks", &task).await;
    }
    api.pass(1);
    let answer = api.sidecar().post(LEASES, &json!({ "limit": 100 })).await;
    assert!(
        answer.body.len() < 1024 * 1024 + 64 * 1024,
        "{}",
        answer.body.len()
    );
    let first = body(&answer, 200);
    let (first, more) = titles(&first);
    assert!(more && (20..40).contains(&first.len()), "{first:?}");
    let second = lease(api, 100).await;
    let (second, more) = titles(&second);
    assert_eq!((first.len() + second.len(), more), (40, false));
    let all: BTreeSet<&str> = first.into_iter().chain(second).collect();
    assert_eq!(all.len(), 40);
}

#[tokio::test]
async fn a_response_ends_where_it_is_large_and_the_rest_is_not_leased() {
    large(&Service::start("api").await).await;
}

#[tokio::test]
async fn what_no_service_would_ask_is_refused() {
    let api = Service::start("api").await;
    let sidecar = api.sidecar();
    for limit in [0, 101] {
        let refused = body(&sidecar.post(LEASES, &json!({ "limit": limit })).await, 400);
        let error = &refused["errors"][0];
        assert_eq!(
            (&error["field"], &error["code"]),
            (&json!("limit"), &json!("invalid_limit"))
        );
    }
    assert_eq!(
        body(&sidecar.post(LEASES, &json!({})).await, 400)["code"],
        "invalid_body"
    );
    for query in ["", "?seconds=0", "?seconds=3601", "?seconds=-1", "?seconds=soon"] {
        let path = format!("/internal/reminders/due-seconds{query}");
        let refused = body(&sidecar.get(&path).await, 400);
        assert_eq!(refused["errors"][0]["field"], "seconds", "{query}");
    }
    let reminder =
        json!({ "reminderId": "018f0000-0000-7000-8000-000000000001", "remindAt": "2026-11-21T12:00:00Z" });
    let mut deferral = reminder.clone();
    deferral["afterSeconds"] = json!(0);
    let successor =
        json!({ "taskId": "018f0000-0000-7000-8000-000000000001", "successor": { "kind": "ended" } });
    for (path, item) in [
        ("/internal/reminders/deliveries", reminder),
        (DEFERRALS, deferral),
        ("/internal/successors", successor),
    ] {
        let asked = json!({ "items": vec![item; 101] });
        let refused = body(&sidecar.post(path, &asked).await, 400);
        assert_eq!(refused["errors"][0]["field"], "items", "{path}");
    }
}

/// Replicas that lease at the same time get different reminders.
pub(crate) async fn disjoint(replicas: &[&Service]) {
    let first = replicas[0];
    for name in ["alice", "bob", "carol", "dave"] {
        for n in 0..25 {
            remind(first, name, &format!("{name} {n}"), 1).await;
        }
    }
    first.pass(1);
    let mut ids = Vec::new();
    for _ in 0..100 {
        let asked = json!({ "limit": 7 });
        let calls = replicas.iter().cycle().take(6);
        let calls = calls.map(|replica| {
            replica
                .sidecar()
                .call(http::Method::POST, LEASES)
                .json(&asked)
                .send()
        });
        let mut more = false;
        for answer in join_all(calls).await {
            let leased = body(&answer.unwrap(), 200);
            more |= leased["more"] == true;
            let items = leased["items"].as_array().unwrap();
            ids.extend(items.iter().map(|item| text(item, "reminderId").to_owned()));
        }
        if !more {
            break;
        }
    }
    let all: BTreeSet<&String> = ids.iter().collect();
    assert_eq!((ids.len(), all.len()), (100, 100));
}

#[tokio::test]
async fn replicas_lease_different_reminders() {
    let api = Service::start("api").await;
    let other = Setup::new("api").beside(&api).start().await;
    disjoint(&[&api, &other]).await;
}

/// Makes a database of the version before leases of one with scheduled reminders, whose triggers are `old`.
pub(crate) fn before_leases(drop_new: &str, old: &str) -> String {
    let triggers = old
        .split("\n\n")
        .filter(|statement| statement.starts_with("CREATE"))
        .map(|statement| format!("{statement};"));
    let triggers: String = triggers.collect();
    format!(
        "{drop_new} DROP INDEX reminder_due; DROP INDEX reminder_in_flight; DROP INDEX reminder_resting; DROP INDEX reminder_by_minute; \
         ALTER TABLE reminder DROP COLUMN user_id; ALTER TABLE reminder DROP COLUMN attempt_at; \
         ALTER TABLE reminder DROP COLUMN leased_until; ALTER TABLE reminder DROP COLUMN lease_id; {triggers} \
         CREATE INDEX reminder_scheduled ON reminder (remind_at) WHERE status = 'scheduled'; \
         DELETE FROM schema_migration WHERE number IN (10, 11);"
    )
}

/// A version that leases finds the reminders of the one before, and so does the older one, while both run.
pub(crate) async fn upgraded(older: &Service, newer: &Service) {
    older.pass(1);
    let leased = lease(newer, 10).await;
    assert_eq!(titles(&leased), (vec!["a", "b"], false));
    // Replicas of the older version store tasks as before.
    let task = remind(older, "alice", "c", 1).await;
    let alice = older.user("alice");
    body(&alice.patch(&path(&task), &json!({ "title": "d" })).await, 200);
    remind(older, "bob", "e", 1).await;
    older.pass(1);
    assert_eq!(titles(&lease(newer, 10).await), (vec!["d", "e"], false));
    let history = body(&alice.get(&format!("{}/history", path(&task))).await, 200);
    assert_eq!(
        history["items"].as_array().map(Vec::len),
        Some(2),
        "each change has its event"
    );
}

#[tokio::test]
async fn reminders_that_were_stored_before_leases_are_leased() {
    let api = Service::start("api").await;
    remind(&api, "alice", "a", 1).await;
    remind(&api, "bob", "b", 1).await;
    let done = remind(&api, "bob", "done", 1).await;
    let complete = format!("{}/complete", path(&done));
    body(&api.user("bob").post(&complete, &json!({})).await, 200);
    settled(&api).await;
    let old = include_str!("before_leases/sqlite.sql");
    let new = "DROP TRIGGER task_stored; DROP TRIGGER task_version_stored;";
    let before = before_leases(new, old);
    api.database().execute_batch(&before).unwrap();
    let newer = api.start_again().await;
    upgraded(&api, &newer).await;
}

/// Every statement about leases.
pub(crate) async fn everything(api: &Service) {
    large(api).await;
    let task = remind(api, "alice", "x", 1).await;
    due_seconds(api, 60).await;
    api.pass(1);
    lease(api, 1).await;
    lease(api, 1).await;
    defer(api, &due(&task), 60).await;
}
