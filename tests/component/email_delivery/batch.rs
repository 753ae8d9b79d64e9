//! Batches: few calls, and a result for each reminder.

use nudge_test_kit::dapr::{Function, failed, timeout, unavailable};
use serde_json::{Value, json};

use super::{DEFERRALS, DELIVERIES, EVENTS, answer, asked, decide, field, outcomes, send_to, start};
use crate::sample::{batch, reminder_due, task};
use crate::support::{Service, Setup, json};

/// How long a claim blocks others, and a second.
const LEASE: u64 = 61;

const REMIND_AT: &str = "2026-11-21T13:30:00+01:00";

fn id(number: usize) -> String {
    format!("018f0000-0000-7000-9000-{number:012x}")
}

/// A due reminder of its own.
pub(super) fn due(number: usize) -> Value {
    let mut event = reminder_due(&task(), 0);
    event["data"]["reminderId"] = json!(id(number));
    event
}

pub(super) fn several(numbers: impl IntoIterator<Item = usize>) -> Vec<Value> {
    numbers.into_iter().map(due).collect()
}

/// Delivers a batch and returns its statuses, in order.
pub(super) async fn deliver_all(email: &Service, events: &[Value]) -> Vec<String> {
    let answer = json(&email.sidecar().post(EVENTS, &batch(events)).await, 200);
    let statuses = answer["statuses"].as_array().expect("a list").clone();
    let status = |(number, status): (usize, Value)| {
        assert_eq!(status["entryId"], number.to_string());
        status["status"].as_str().expect("a word").to_owned()
    };
    statuses.into_iter().enumerate().map(status).collect()
}

pub(super) fn emails(email: &Service) -> usize {
    email.dapr.binding_calls().len()
}

/// The reminders whose outcomes were published, and the reasons of failures.
pub(super) fn told(email: &Service) -> Vec<(String, Value)> {
    let told = outcomes(email).into_iter();
    told.map(|(event, _, failure)| (event.split(':').next().expect("an id").to_owned(), failure))
        .collect()
}

/// The inbox record of a reminder.
pub(super) fn record(email: &Service, number: usize) -> Value {
    let keys = email.dapr.keys();
    let key = keys.iter().find(|key| key.contains(&id(number)));
    let stored = key.and_then(|key| email.dapr.stored(key));
    let stored = stored.unwrap_or_else(|| panic!("{number} in {keys:?}"));
    serde_json::from_str(&stored.value).expect("JSON")
}

/// What gives a reminder back without a reason that its owner should know.
fn deferred(number: usize, after_seconds: u32) -> Value {
    json!({ "reminderId": id(number), "remindAt": REMIND_AT, "afterSeconds": after_seconds })
}

/// What gives a reminder back, and why.
pub(super) fn held_back(number: usize, after_seconds: u32, because: &str) -> Value {
    let mut deferral = deferred(number, after_seconds);
    deferral["because"] = json!(because);
    deferral
}

/// The number of sidecar calls for a batch whose emails are all sent.
async fn calls_for(reminders: usize) -> usize {
    let email = start().await;
    let events = several(1..=reminders);
    assert_eq!(deliver_all(&email, &events).await, vec!["SUCCESS"; reminders]);
    assert_eq!((emails(&email), told(&email).len()), (reminders, reminders));
    for (function, calls) in [
        (Function::AppMaxConcurrency, 1),
        (Function::StateGetMany, 2),
        // The claims, and what was sent, two emails together.
        (Function::StatePutMany, 1 + reminders.div_ceil(2)),
        (Function::Invoke, 1),
        (Function::Binding, reminders),
        (Function::PublishAll, 1),
    ] {
        assert_eq!(email.dapr.calls(function), calls, "{function:?}");
    }
    email.dapr.all_calls()
}

#[tokio::test]
async fn a_batch_costs_few_calls_besides_its_emails() {
    assert_eq!(calls_for(1).await, 1 + 7);
    assert_eq!(calls_for(20).await, 20 + 16);
    assert_eq!(calls_for(32).await, 32 + 22);
}

#[tokio::test]
async fn each_reminder_of_a_batch_has_its_own_fate() {
    let email = start().await;
    answer(&email, |reminder| match &reminder["reminderId"] {
        known if *known == id(4) => json!({ "decision": "noAddress" }),
        known if *known == id(5) => json!({ "decision": "skip", "reason": "the reminder was moved" }),
        _ => send_to("alice@example.com", &task()),
    });
    // One was sent before, and one is being sent by another process, which stops before its email.
    deliver_all(&email, &several([7])).await;
    let elsewhere = Setup::new("email-delivery").beside(&email).start().await;
    let hold = elsewhere.dapr.hold_next(Function::Binding);
    let events = several([6]);
    tokio::select! {
        statuses = deliver_all(&elsewhere, &events) => panic!("it went on: {statuses:?}"),
        () = hold.reached() => {}
    }
    let refused = |reply: &str| {
        failed(&format!(
            "error invoking output binding smtp: error from smtp binding, sending email failed: gomail: could not send email 1: {reply}"
        ))
    };
    email.dapr.pass_next(Function::Binding);
    email
        .dapr
        .fail_next(Function::Binding, refused("451 4.3.0 try later"));
    email
        .dapr
        .fail_next(Function::Binding, refused("550 5.1.1 no such user"));

    let statuses = deliver_all(&email, &several([1, 2, 3, 4, 5, 6, 7, 1, 8])).await;

    assert_eq!(statuses, ["SUCCESS"; 9]);
    let mut told = told(&email);
    told.sort_by_key(|(id, _)| id.clone());
    let refused = json!("the mail server refused it with 550");
    let no_address = json!("there is no email address in your profile");
    let expected = [
        (1, Value::Null),
        (3, refused),
        (4, no_address),
        (7, Value::Null),
        (7, Value::Null),
        (8, Value::Null),
    ];
    assert_eq!(told, expected.map(|(number, failure)| (id(number), failure)));
    assert_eq!(emails(&email), 3);
    // Should the other process have crashed, the reminder comes again.
    assert_eq!(
        asked(&email, DEFERRALS),
        [[deferred(6, 30), held_back(2, 30, "refusedForNow")]]
    );
    let phase = |number| record(&email, number)["phase"].clone();
    let phases = [1, 2, 3, 4, 5, 6, 7, 8].map(phase);
    assert_eq!(
        phases,
        ["done", "free", "done", "done", "free", "claimed", "done", "done"]
    );
    let attempts = |number| record(&email, number)["attempts"].clone();
    assert_eq!((attempts(2), attempts(5)), (json!(1), json!(0)));
}

#[tokio::test]
async fn an_api_that_does_not_answer_gets_the_batch_again_and_no_attempt_is_counted() {
    let email = start().await;
    email
        .dapr
        .fail_next(Function::Invoke, unavailable("the api is away"));
    let events = several(1..=3);
    assert_eq!(deliver_all(&email, &events).await, ["RETRY"; 3]);
    assert_eq!(
        record(&email, 2),
        json!({ "phase": "free", "attempts": 0, "since": null })
    );
    assert_eq!(deliver_all(&email, &events).await, ["SUCCESS"; 3]);
    assert_eq!((emails(&email), told(&email).len()), (3, 3));
}

#[tokio::test]
async fn an_event_names_its_lease_and_the_latest_one_counts() {
    let email = start().await;
    let lease = |number: usize| format!("0193f0c1-7a00-7000-8000-{number:012x}");
    let of = |number: usize, of: usize| {
        let mut event = due(number);
        event["data"]["leaseId"] = json!(lease(of));
        event
    };
    answer(&email, move |reminder| match &reminder["leaseId"] {
        known if *known == lease(2) => send_to("alice@example.com", &task()),
        other => json!({ "decision": "skip", "reason": format!("{other} has ended") }),
    });
    email
        .dapr
        .fail_next(Function::Binding, failed("451 4.3.0 try later"));
    // The copy of an earlier lease may come first or last.
    let events = [of(1, 1), of(1, 2), of(2, 2), of(2, 1), of(3, 1), due(4)];
    assert_eq!(deliver_all(&email, &events).await, ["SUCCESS"; 6]);
    assert_eq!(emails(&email), 1);
    let mut first = held_back(1, 30, "refusedForNow");
    first["leaseId"] = json!("0193f0c1-7a00-7000-8000-000000000002");
    assert_eq!(asked(&email, DEFERRALS), [[first]]);
    assert_eq!(asked(&email, DELIVERIES)[0].len(), 4);
    assert_eq!(record(&email, 3)["phase"], "free");
}

#[tokio::test]
async fn a_decision_that_is_missing_delivers_its_event_again() {
    let email = start().await;
    // That of an api that does not say which reminder it is about.
    let decision = send_to("alice@example.com", &task());
    email.dapr.answer_json(200, &json!({ "items": [decision] }));
    assert_eq!(deliver_all(&email, &several([1, 2])).await, ["SUCCESS", "RETRY"]);
    assert_eq!(emails(&email), 1);
}

#[tokio::test]
async fn the_api_is_asked_about_as_much_as_its_response_may_hold() {
    let email = start().await;
    let mut long = task();
    long["description"] = json!("d".repeat(300_000));
    let events: Vec<Value> = (1..=4)
        .map(|number| {
            let mut event = due(number);
            event["data"]["task"] = long.clone();
            event
        })
        .collect();
    assert_eq!(deliver_all(&email, &events).await, ["SUCCESS"; 4]);
    assert_eq!(deliver_all(&email, &several(5..=105)).await, ["SUCCESS"; 101]);
    let sizes: Vec<usize> = asked(&email, DELIVERIES).iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1, 100, 1]);
}

#[tokio::test]
async fn outcomes_that_are_not_published_are_told_by_the_next_delivery() {
    let email = start().await;
    let events = several(1..=3);
    email
        .dapr
        .fail_next(Function::PublishAll, unavailable("the broker is away"));
    assert_eq!(deliver_all(&email, &events).await, ["RETRY"; 3]);
    let refused = format!("{}:{REMIND_AT}:nudge.reminder.sent.v1", id(2));
    email.dapr.refuse_event(&refused);
    assert_eq!(
        deliver_all(&email, &events).await,
        ["SUCCESS"; 3],
        "RETRY would hold up every other reminder"
    );
    assert_eq!(asked(&email, DEFERRALS), [[deferred(2, 5)]]);
    email.dapr.accept_events();
    assert_eq!(deliver_all(&email, &several([2])).await, ["SUCCESS"]);
    let told: Vec<String> = told(&email).into_iter().map(|(id, _)| id).collect();
    assert_eq!((told, emails(&email)), ([1, 3, 2].map(id).to_vec(), 3));
}

#[tokio::test]
async fn a_crash_sends_no_more_a_second_time_than_one_group_and_the_next_email() {
    for (writes, sent, again) in [(1, 3, 10), (2, 5, 8), (5, 10, 2)] {
        let email = start().await;
        for _ in 0..writes {
            email.dapr.pass_next(Function::StatePutMany);
        }
        let hold = email.dapr.hold_next(Function::StatePutMany);
        let events = several(1..=10);
        tokio::select! {
            statuses = deliver_all(&email, &events) => panic!("it went on: {statuses:?}"),
            () = hold.reached() => {}
        }
        assert_eq!(emails(&email), sent);
        let next = Setup::new("email-delivery").beside(&email).start().await;
        next.pass(LEASE);
        assert_eq!(deliver_all(&next, &events).await, ["SUCCESS"; 10]);
        assert_eq!((emails(&next), told(&next).len()), (sent + again, 10));
    }
}

#[tokio::test]
async fn what_was_sent_is_recorded_while_the_next_email_takes_long() {
    let email = start().await;
    email.dapr.pass_next(Function::Binding);
    let hold = email.dapr.hold_next(Function::Binding);
    let events = several([1, 2]);
    let meanwhile = async {
        hold.reached().await;
        let recorded = || (record(&email, 1)["phase"] == "done").then_some(());
        email.dapr.until(recorded).await.expect("the first is recorded");
        assert_eq!(
            (emails(&email), record(&email, 2)["phase"].clone()),
            (1, json!("claimed"))
        );
        hold.release();
    };
    let (statuses, ()) = tokio::join!(deliver_all(&email, &events), meanwhile);
    assert_eq!((statuses, told(&email).len()), (vec!["SUCCESS".to_owned(); 2], 2));
}

#[tokio::test]
async fn when_the_time_of_a_batch_is_up_the_rest_is_given_back() {
    let email = start().await;
    let hold = email.dapr.hold_next(Function::Binding);
    let events = several(1..=3);
    let slow = async {
        hold.reached().await;
        email.pass(8);
        hold.release();
    };
    let (statuses, ()) = tokio::join!(deliver_all(&email, &events), slow);
    assert_eq!(statuses, ["SUCCESS"; 3]);
    assert_eq!((emails(&email), told(&email).len()), (1, 1));
    assert_eq!(
        asked(&email, DEFERRALS),
        [[held_back(2, 0, "queued"), held_back(3, 0, "queued")]]
    );
    assert_eq!(
        record(&email, 3),
        json!({ "phase": "free", "attempts": 0, "since": null }),
        "it was not attempted"
    );
    assert_eq!(deliver_all(&email, &events).await, ["SUCCESS"; 3]);
    assert_eq!((emails(&email), told(&email).len()), (3, 4));
}

/// What Dapr's binding says if it cannot connect.
fn refused() -> nudge_test_kit::dapr::Error {
    failed(
        "error invoking output binding smtp: error from smtp binding, sending email failed: dial tcp 127.0.0.1:587: connect: \
         connection refused",
    )
}

#[tokio::test]
async fn a_batch_ends_when_the_mail_server_is_away_and_nothing_counts_as_an_attempt() {
    let events = several(1..=3);
    for error in [
        refused(),
        unavailable("no sidecar"),
        failed(
            "error invoking output binding smtp: error from smtp binding, sending email failed: 535 5.7.8 log in first",
        ),
    ] {
        let email = start().await;
        email.dapr.fail_next(Function::Binding, error);
        assert_eq!(deliver_all(&email, &events).await, ["SUCCESS"; 3]);
        assert_eq!(email.dapr.calls(Function::Binding), 1, "the others are not tried");
        assert_eq!(
            asked(&email, DEFERRALS),
            [[1, 2, 3].map(|number| held_back(number, 0, "mailServerAway"))]
        );
        let attempts = [1, 2, 3].map(|number| record(&email, number)["attempts"].clone());
        assert_eq!(attempts, [0, 0, 0].map(Value::from));
        // A day of that is enough.
        assert_eq!(record(&email, 1)["since"], "2026-11-21T12:00:00Z");
        assert_eq!(record(&email, 2)["since"], Value::Null);
        assert_eq!(deliver_all(&email, &events).await, ["SUCCESS"; 3]);
        assert_eq!(emails(&email), 3);
    }
}

#[tokio::test]
async fn an_email_that_the_mail_server_is_too_slow_for_is_an_attempt_and_lets_its_user_rest() {
    let email = start().await;
    email.dapr.pass_next(Function::Binding);
    email.dapr.fail_next(Function::Binding, timeout("no answer"));
    let events = several(1..=4);
    assert_eq!(deliver_all(&email, &events).await, ["SUCCESS"; 4]);
    assert_eq!(email.dapr.calls(Function::Binding), 2);
    assert_eq!(
        asked(&email, DEFERRALS),
        [[2, 3, 4].map(|number| held_back(number, 30, "slowRecipient"))]
    );
    let attempts = [2, 3].map(|number| record(&email, number)["attempts"].clone());
    assert_eq!(attempts, [1, 0].map(Value::from));
}

#[tokio::test]
async fn a_lane_whose_mail_server_is_away_leaves_the_rest_to_the_others() {
    let email = Setup::new("email-delivery")
        .variable("smtp_components", "smtp, smtp-2")
        .start()
        .await;
    decide(&email, send_to("alice@example.com", &task()));
    email.dapr.fail_next(Function::Binding, refused());
    let events = several(1..=5);
    assert_eq!(deliver_all(&email, &events).await, ["SUCCESS"; 5]);
    assert_eq!(
        (emails(&email), asked(&email, DEFERRALS)),
        (4, vec![vec![held_back(1, 0, "mailServerAway")]])
    );
}

#[tokio::test]
async fn each_attempt_that_fails_makes_the_next_pause_longer() {
    let email = start().await;
    let reply = "error invoking output binding smtp: error from smtp binding, sending email failed: gomail: could not send email 1: 451 later";
    email.dapr.down(Function::Binding, failed(reply));
    let mut pauses = Vec::new();
    for attempt in 1..=9 {
        deliver_all(&email, &several([1])).await;
        let deferrals = asked(&email, DEFERRALS);
        assert_eq!(deferrals.len(), attempt);
        pauses.push(
            deferrals[attempt - 1][0]["afterSeconds"]
                .as_u64()
                .expect("seconds"),
        );
    }
    assert_eq!(pauses, [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]);
    // Another reminder begins anew.
    deliver_all(&email, &several([2])).await;
    assert_eq!(asked(&email, DEFERRALS)[9], [held_back(2, 30, "refusedForNow")]);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_lengthen_the_time_of_a_batch() {
    let email = start().await;
    let hold = email.dapr.hold_next(Function::Binding);
    let events = several([1, 2]);
    let step = async {
        hold.reached().await;
        email.clock.set_back(std::time::Duration::from_secs(60));
        hold.release();
    };
    tokio::join!(deliver_all(&email, &events), step);
    assert_eq!(asked(&email, DEFERRALS), [[held_back(2, 0, "queued")]]);
}

#[tokio::test]
async fn two_lanes_send_at_the_same_time_and_each_one_email() {
    let email = Setup::new("email-delivery")
        .variable("smtp_components", "smtp, smtp-2")
        .start()
        .await;
    decide(&email, send_to("alice@example.com", &task()));
    let (first, second) = (
        email.dapr.hold_next(Function::Binding),
        email.dapr.hold_next(Function::Binding),
    );
    let events = several(1..=5);
    let meanwhile = async {
        first.reached().await;
        second.reached().await;
        assert_eq!(email.dapr.calls(Function::Binding), 2, "each lane sends one");
        // One of them goes on, and takes all that is left.
        first.release();
        let rest = || (emails(&email) == 4).then_some(());
        email.dapr.until(rest).await.expect("the lane goes on");
        let calls = email.dapr.binding_calls();
        let used: std::collections::BTreeSet<&str> = calls.iter().map(|call| call.binding.as_str()).collect();
        assert_eq!(used.len(), 1, "the other lane waits for its email");
        second.release();
    };
    let (statuses, ()) = tokio::join!(deliver_all(&email, &events), meanwhile);
    assert_eq!(statuses, ["SUCCESS"; 5]);
    let calls = email.dapr.binding_calls();
    let last = calls.last().expect("five");
    assert_eq!((calls.len(), told(&email).len()), (5, 5));
    assert_ne!(last.binding, calls[0].binding);
    let mut used: Vec<&str> = calls.iter().map(|call| call.binding.as_str()).collect();
    used.sort_unstable();
    used.dedup();
    assert_eq!(used, ["smtp", "smtp-2"]);
    assert_eq!(field(last, "emailTo"), "alice@example.com");
}

#[tokio::test]
async fn two_replicas_that_get_the_same_batch_send_each_email_once() {
    let email = start().await;
    let other = Setup::new("email-delivery").beside(&email).start().await;
    // Both find no record before the first of them claims.
    let holds = [(); 2].map(|()| email.dapr.hold_next(Function::StatePutMany));
    let release = async {
        for hold in &holds {
            hold.reached().await;
        }
        holds.iter().for_each(nudge_test_kit::dapr::Hold::release);
    };
    let events = several(1..=10);
    let (one, two, ()) = tokio::join!(
        deliver_all(&email, &events),
        deliver_all(&other, &events),
        release
    );
    assert_eq!([one, two].concat(), ["SUCCESS"; 20]);
    assert_eq!((emails(&email), told(&email).len()), (10, 10));
}
