//! Much work for few requests.

use std::time::{Duration, Instant};

use http::Method;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::honest::{SLOW, Visitor};
use crate::target::{Target, in_seconds};

/// Requests of the attacker.
const CALLS: usize = 40;

/// Bulk calls of 100 tasks with 5 reminders each, one after another.
///
/// Before: all were accepted, 4,000 tasks and 20,000 reminders in 34 s. Another user's creates took 30 ms instead of 12 (median), at most
/// 0.3 s.
pub(crate) async fn bulk_calls() {
    let attack = "40 bulk calls of 100 tasks";
    let target = Target::start(&[]).await;
    let alice = target.user("alice");
    let create = alice
        .call(Method::POST, "/api/v1/tasks")
        .json(&json!({ "title": "Buy milk" }));
    let before = Visitor::sending(create.clone());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = before.stop().await;

    let mallory = target.user("mallory");
    let visitor = Visitor::sending(create);
    let begun = Instant::now();
    let (mut accepted, mut refused) = (0, 0);
    for call in 0..CALLS {
        let answer = mallory.bulk(&tasks(call)).await;
        match answer.status.as_u16() {
            200 => {
                let answer = answer.json().unwrap();
                let results = answer["results"].as_array().unwrap();
                accepted += results.iter().filter(|result| result["status"] == 201).count();
            }
            429 => {
                let wait: u64 = answer
                    .header("retry-after")
                    .parse()
                    .expect("a refusal says when to come back");
                assert!(wait >= 1, "{:?}", answer.headers);
                refused += 1;
            }
            status => panic!("{status}: {:?}", answer.body),
        }
    }
    let took = begun.elapsed();
    let visits = visitor.stop().await;
    eprintln!(
        "{attack}: {accepted} tasks in {took:?}, {refused} calls were refused; another user's creates before: {before}; meanwhile: {visits}"
    );
    visits.check(attack);
    assert!(
        refused > 0,
        "{attack}: one user created {accepted} tasks with five reminders each in {took:?}"
    );
    // The limit of a minute, twice if another one begins.
    assert!(accepted <= 2_400, "{attack}: {accepted} tasks");
    assert!(
        visits.times.median() < SLOW / 8,
        "{attack}: half of another user's creates take longer than {:?}",
        SLOW / 8
    );
}

/// A hundred tasks with five reminders each, of which a hundred are due in any minute.
fn tasks(call: usize) -> Vec<Value> {
    let minutes = i64::try_from(call).unwrap() * 10;
    let due = in_seconds(86_400 + minutes * 60).to_string();
    let reminders: Vec<Value> = (1..=5)
        .map(|minutes| json!({ "minutesBefore": minutes }))
        .collect();
    (0..100)
        .map(|number| json!({ "title": format!("Mallory {number}"), "due": due, "reminders": reminders }))
        .collect()
}

/// 100 requests of about 400 bytes, each with a key of its own and an answer of a quarter of a megabyte.
///
/// Before: the database grew by 24.3 MB, for a day.
pub(crate) async fn kept_answers() {
    let attack = "100 keys with large answers";
    let target = Target::start(&[]).await;
    let mallory = target.user("mallory");
    // Four bytes each.
    let description = "\u{1F300}".repeat(10_000);
    let task = json!({ "title": "Mallory", "description": description });
    let created = mallory.post("/api/v1/tasks", &task).await.unwrap();
    assert_eq!(created.status, 201, "{:?}", created.body);
    let id = created.json().unwrap()["id"].clone();
    let complete = json!({ "op": "complete", "id": id });
    let body = json!({ "operations": vec![complete; 6] });
    let before = size(&target);
    let mut refused = 0;
    for number in 0..100 {
        let call = mallory
            .call(Method::POST, "/api/v1/tasks/bulk")
            .header("idempotency-key", format!("key-{number}"))
            .json(&body);
        let answer = call.send().await.unwrap();
        match answer.status.as_u16() {
            200 => {}
            429 => refused += 1,
            status => panic!("{status}: {:?}", answer.body),
        }
    }
    let grown = size(&target) - before;
    eprintln!("{attack}: the database grew by {grown} bytes, {refused} requests were refused");
    assert!(grown < KEPT, "{attack}: the database grew by {grown} bytes");
}

/// The bytes that are in use in the database of the api.
fn size(target: &Target) -> i64 {
    let database = Connection::open(target.folder.path().join("sqlite_db.db")).unwrap();
    let pragma = |name: &str| -> i64 { database.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
    (pragma("page_count") - pragma("freelist_count")) * pragma("page_size")
}

/// The bytes of answers that are kept for one user by default, and some rows.
const KEPT: i64 = 17 * 1024 * 1024;
