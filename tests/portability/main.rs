//! The main path on real parts: the same components beside real sidecars, whatever the broker, the state store and the database.
//!
//! Beside that, what only a real scheduler shows: replicas, and the loss of all jobs.
//!
//! Each combination starts parts of its own: a broker, PostgreSQL, Redis, the scheduler, a sidecar for each service, and the
//! host with all four services. What `scripts/get-dapr.sh`, `get-kafka.sh`, `get-redis.sh` and `get-rabbitmq.sh` did not get is ignored, and counted so.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod recipients;
mod scheduler;
mod system;
mod unsendable;

use http::Method;
use libtest_mimic::Arguments;
use serde_json::{Value, json};
use test_real::{Broker, Parts, State, in_seconds};
use test_trial::trial;

use system::{Combination, Data, System};

async fn main_path(combination: Combination) {
    let system = System::start(combination).await;
    let create = async |task: Value| system.send(Method::POST, "/api/v1/tasks", Some(task), 201).await;
    let path = |task: &Value| format!("/api/v1/tasks/{}", task["id"].as_str().expect("an id"));

    // A reminder is emailed; one that is moved is emailed once, at its new time; one whose task is deleted is not.
    let remind = |title: &str, seconds: i64| json!({ "title": title, "due": in_seconds(3_600).to_string(), "reminders": [{ "at": in_seconds(seconds).to_string() }] });
    let kept = create(remind("Kept", 6)).await;
    let moved = create(remind("Moved", 5)).await;
    let deleted = create(remind("Deleted", 5)).await;
    let later = json!({ "reminders": [{ "at": in_seconds(9).to_string() }] });
    system.send(Method::PATCH, &path(&moved), Some(later), 200).await;
    system.send(Method::DELETE, &path(&deleted), None, 204).await;

    // A recurring task has one next occurrence, however often it is completed.
    let recurring =
        json!({ "title": "Water the plants", "due": in_seconds(7_200).to_string(), "recurrence": "daily" });
    let recurring = create(recurring).await;
    for _ in 0..2 {
        let complete = format!("{}/complete", path(&recurring));
        system.send(Method::POST, &complete, None, 200).await;
    }
    system
        .until("the next occurrence is there", async |system| {
            let list = "/api/v1/tasks?status=pending&text=plants";
            let page = system.send(Method::GET, list, None, 200).await;
            page["items"].as_array().is_some_and(|items| items.len() == 1)
        })
        .await;

    for (task, title) in [(&kept, "Kept"), (&moved, "Moved")] {
        system
            .until(&format!("the reminder of {title} is sent"), async |system| {
                let task = system.send(Method::GET, &path(task), None, 200).await;
                task["reminders"][0]["status"] == "sent"
            })
            .await;
    }
    let mut subjects = system.subjects();
    subjects.sort();
    assert_eq!(subjects, ["Reminder: Kept", "Reminder: Moved"]);
    let page = system
        .send(Method::GET, "/api/v1/tasks?text=plants", None, 200)
        .await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(2), "{page:#}");
}

fn main() {
    let mut arguments = Arguments::from_args();
    // A broker, a database, a scheduler, four sidecars and a host are enough for a small machine.
    arguments.test_threads = Some(1);
    let before = system::digest();
    let mut trials = Vec::new();
    for broker in [Broker::Kafka, Broker::RedisStreams, Broker::RabbitMq] {
        for state in [State::Postgresql, State::Redis] {
            for data in [Data::Sqlite, Data::Postgresql] {
                let parts = Parts { broker, state };
                let name = format!("{broker:?}, {state:?} state, {data:?}");
                let combination = Combination { parts, data };
                trials.push(trial(&name, parts.missing(), move || main_path(combination)));
            }
        }
    }
    trials.push(trial(
        "three replicas of notification, 1,000 reminders in one second",
        Parts::USUAL.missing(),
        scheduler::three_replicas,
    ));
    trials.push(trial(
        "a slow consumer",
        Parts::USUAL.missing(),
        scheduler::slow_consumer,
    ));
    trials.push(trial(
        "the scheduler loses its data",
        Parts::USUAL.missing(),
        scheduler::loses_its_data,
    ));
    trials.push(trial(
        "1,000 reminders of 200 people in one second reach the right people",
        recipients::PARTS.missing(),
        recipients::the_right_people,
    ));
    trials.push(trial(
        "recipients that no mail server takes do not delay others",
        Parts::USUAL.missing(),
        unsendable::others_are_in_time,
    ));
    let conclusion = libtest_mimic::run(&arguments, trials);
    assert_eq!(
        before,
        system::digest(),
        "the components are the same ones all along"
    );
    conclusion.exit();
}
