//! What does not fit the first round of a job goes on after its response.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use nudge_test_kit::dapr::{Function, Response, unavailable};
use serde_json::{Value, json};

use super::{Api, due_reminder, reminder};
use crate::support::{START, Service};

const TOPIC: &str = "task-reminders";

/// Notification half an hour after the start, when all reminders are due.
async fn start() -> Service {
    let notification = Service::start("notification").await;
    notification.pass(30 * 60);
    notification
}

/// Fires the job of the current second, which succeeds.
async fn fire(notification: &Service) {
    assert_eq!(answer(notification).await, 200);
}

/// Fires the job of the current second, and returns the status of the response.
async fn answer(notification: &Service) -> u16 {
    let start: jiff::Timestamp = START.parse().expect("an instant");
    let second = start.as_second() + 30 * 60;
    let path = format!("/job/due-{second}");
    notification
        .sidecar()
        .post(&path, &json!(second))
        .await
        .status
        .as_u16()
}

/// Fires a job for that many reminders, and returns the number of sidecar calls that publish them.
async fn calls_for(reminders: usize) -> usize {
    let notification = start().await;
    let api = Api::start(&notification.dapr, reminders);
    fire(&notification).await;
    let published = notification.dapr.wait_for(TOPIC, reminders).await.expect("all");
    assert_eq!(published.len(), reminders, "each once");
    assert_eq!(
        api.leases()[0],
        *api.leases().last().expect("one"),
        "each asks alike"
    );
    notification.dapr.all_calls()
}

#[tokio::test]
async fn many_reminders_of_one_second_cost_two_calls_for_each_round() {
    assert_eq!(calls_for(64).await, 2);
    assert_eq!(calls_for(100).await, 4);
    assert_eq!(calls_for(1_000).await, 32);
}

#[tokio::test]
async fn a_job_is_answered_after_its_first_round() {
    let notification = start().await;
    let _api = Api::start(&notification.dapr, 65);
    notification.dapr.pass_next(Function::Invoke);
    let hold = notification.dapr.hold_next(Function::Invoke);
    fire(&notification).await;
    assert_eq!(notification.dapr.published(TOPIC).len(), 64);
    hold.reached().await;
    hold.release();
    notification.dapr.wait_for(TOPIC, 65).await.expect("the rest");
}

#[tokio::test]
async fn the_pump_waits_while_too_many_are_in_flight() {
    let notification = start().await;
    let api = Api::start(&notification.dapr, 2);
    api.lock().congested = 3;
    fire(&notification).await;
    notification.dapr.wait_for(TOPIC, 2).await.expect("it goes on");
    assert_eq!(api.leases().len(), 4);
}

#[tokio::test]
async fn one_pump_serves_all_jobs_of_an_instance() {
    let notification = start().await;
    let api = Api::start(&notification.dapr, 0);
    api.lock().due = (1..=200).map(due_reminder).collect();
    notification.dapr.pass_next(Function::Invoke);
    let hold = notification.dapr.hold_next(Function::Invoke);
    fire(&notification).await;
    hold.reached().await;
    // Two more jobs while it waits: each has a round of its own, and leaves the rest to the pump that is there.
    fire(&notification).await;
    fire(&notification).await;
    assert_eq!(api.leases().len(), 3);
    assert_eq!(
        notification.dapr.calls(Function::Invoke),
        4,
        "no second pump asks"
    );
    hold.release();
    notification.dapr.wait_for(TOPIC, 200).await.expect("all");
}

/// The api's answers to requests for leases, in order; afterwards nothing is due.
fn script(notification: &Service, answers: &[(&[usize], bool)]) {
    let answers: Vec<_> = answers
        .iter()
        .map(|(items, more)| (*items, *more, false))
        .collect();
    script_pending(notification, &answers);
}

/// The same, and whether reminders may become due again.
fn script_pending(notification: &Service, answers: &[(&[usize], bool, bool)]) {
    let answers: VecDeque<Value> = answers
        .iter()
        .map(|(items, more, pending)| {
            let items: Vec<Value> = items.iter().map(|number| due_reminder(*number)).collect();
            json!({ "items": items, "more": more, "pending": pending })
        })
        .collect();
    let answers = Arc::new(Mutex::new(answers));
    notification.dapr.answer(move |_| {
        let next = answers.lock().expect("no panic").pop_front();
        let answer = next.unwrap_or_else(|| json!({ "items": [], "more": false }));
        Response {
            status: 200,
            body: answer.to_string().into_bytes(),
        }
    });
}

#[tokio::test]
async fn what_is_given_back_is_published_again_without_another_job() {
    let notification = start().await;
    script_pending(
        &notification,
        &[
            (&[1, 2], false, true),
            (&[], false, true),
            (&[2], false, true),
            (&[], false, false),
        ],
    );
    fire(&notification).await;
    assert_eq!(
        published(&notification, 3).await,
        [reminder(1), reminder(2), reminder(2)]
    );
}

#[tokio::test]
async fn a_single_reminder_costs_one_request_more_after_it_was_sent() {
    let notification = start().await;
    script_pending(
        &notification,
        &[(&[1], false, true), (&[], false, false), (&[2], false, false)],
    );
    fire(&notification).await;
    let asked = || (notification.dapr.calls(Function::Invoke) == 2).then_some(());
    notification.dapr.until(asked).await.expect("the pump asks");
    // The next job is not left to a pump that is still there, so it gets the reminder itself.
    fire(&notification).await;
    assert_eq!(published(&notification, 2).await, [reminder(1), reminder(2)]);
    assert_eq!(notification.dapr.calls(Function::Invoke), 3);
}

#[tokio::test]
async fn the_pump_goes_on_as_long_as_reminders_are_published() {
    let notification = start().await;
    script(
        &notification,
        &[(&[1], true), (&[2], true), (&[3], true), (&[4], false)],
    );
    // The second round takes longer than the pump waits without publishing.
    notification.dapr.pass_next(Function::Invoke);
    let hold = notification.dapr.hold_next(Function::Invoke);
    fire(&notification).await;
    hold.reached().await;
    notification.pass(31);
    hold.release();
    assert_eq!(published(&notification, 4).await.len(), 4);
}

/// What was published, once there is that much.
async fn published(notification: &Service, count: usize) -> Vec<String> {
    let published = notification.dapr.wait_for(TOPIC, count).await.expect("all");
    published
        .iter()
        .map(|due| due.event.id.split(':').next().expect("an id").to_owned())
        .collect()
}

#[tokio::test]
async fn a_job_that_comes_while_the_pump_ends_is_not_missed() {
    let notification = start().await;
    // The job, a second job, the pump, and the pump again because of the second job.
    script(
        &notification,
        &[(&[1], true), (&[2], true), (&[], false), (&[3], false)],
    );
    notification.dapr.pass_next(Function::Invoke);
    let hold = notification.dapr.hold_next(Function::Invoke);
    fire(&notification).await;
    hold.reached().await;
    fire(&notification).await;
    hold.release();
    assert_eq!(
        published(&notification, 3).await,
        [reminder(1), reminder(2), reminder(3)]
    );
}

#[tokio::test]
async fn the_pump_goes_on_as_long_as_something_is_published() {
    let notification = start().await;
    let _api = Api::start(&notification.dapr, 193);
    notification.dapr.pass_next(Function::Invoke);
    let first = notification.dapr.hold_next(Function::Invoke);
    fire(&notification).await;
    first.reached().await;
    let second = notification.dapr.hold_next(Function::Invoke);
    notification.pass(20);
    first.release();
    second.reached().await;
    notification.pass(20);
    second.release();
    let published = notification.dapr.wait_for(TOPIC, 193).await.expect("all");
    assert_eq!(published.len(), 193);
}

#[tokio::test]
async fn a_failure_does_not_end_the_pump() {
    let notification = start().await;
    let _api = Api::start(&notification.dapr, 65);
    notification.dapr.pass_next(Function::Invoke);
    notification
        .dapr
        .fail_next(Function::Invoke, unavailable("the api is away"));
    fire(&notification).await;
    notification.dapr.wait_for(TOPIC, 65).await.expect("all");
}

#[tokio::test]
async fn an_event_that_the_broker_refuses_holds_up_no_other() {
    let notification = start().await;
    let api = Api::start(&notification.dapr, 200);
    // Those that are given back rest.
    api.lock().rests = true;
    notification
        .dapr
        .refuse_event(&format!("{}:2026-11-21T13:30:00+01:00", reminder(1)));
    assert_eq!(answer(&notification).await, 503);
    notification.dapr.wait_for(TOPIC, 199).await.expect("the others");
    assert_eq!(api.deferrals().len(), 1);
    assert_eq!(api.deferrals()[0]["items"][0]["afterSeconds"], 5);
}
