//! Recipients whose mail server takes too long: they rest, and others do not wait for them.

use nudge_test_kit::dapr::{Function, timeout};
use serde_json::{Value, json};

use super::batch::{deliver_all, due, emails, held_back, record, several, told};
use super::{DEFERRALS, DELIVERIES, asked, start};
use crate::support::{Service, Setup};

/// A day in seconds.
const DAY: u64 = 24 * 60 * 60;

/// A due reminder of another user.
fn of(user: &str, number: usize) -> Value {
    let mut event = due(number);
    event["data"]["task"]["userId"] = json!(user);
    event
}

fn several_of(user: &str, numbers: impl IntoIterator<Item = usize>) -> Vec<Value> {
    numbers.into_iter().map(|number| of(user, number)).collect()
}

fn records(email: &Service) -> usize {
    email
        .dapr
        .keys()
        .iter()
        .filter(|key| key.contains("slow-"))
        .count()
}

fn attempts(email: &Service) -> usize {
    email.dapr.calls(Function::Binding)
}

/// Lets alice begin a rest.
async fn slow() -> Service {
    let email = start().await;
    email.dapr.fail_next(Function::Binding, timeout("no answer"));
    deliver_all(&email, &several([1])).await;
    assert_eq!(asked(&email, DEFERRALS), [[held_back(1, 30, "slowRecipient")]]);
    email
}

#[tokio::test]
async fn the_emails_of_others_in_the_batch_are_sent_and_those_of_the_slow_one_are_not_tried() {
    let email = start().await;
    email.dapr.fail_next(Function::Binding, timeout("no answer"));
    let events = [several_of("mallory", 1..=10), several(11..=14)].concat();
    assert_eq!(deliver_all(&email, &events).await, ["SUCCESS"; 14]);
    assert_eq!((attempts(&email), emails(&email), told(&email).len()), (5, 4, 4));
    let all: Vec<Value> = (1..=10)
        .map(|number| held_back(number, 30, "slowRecipient"))
        .collect();
    assert_eq!(asked(&email, DEFERRALS), [all]);
    let counted = [1, 2, 10].map(|number| record(&email, number)["attempts"].clone());
    assert_eq!(counted, [1, 0, 0].map(Value::from));
    assert_eq!(record(&email, 2)["since"], Value::Null);
    assert_eq!(records(&email), 1);
}

#[tokio::test]
async fn a_user_who_rests_is_neither_claimed_nor_asked_about_until_the_rest_is_over() {
    let email = slow().await;
    email.pass(10);
    let before = email.dapr.all_calls();
    assert_eq!(deliver_all(&email, &several(2..=11)).await, ["SUCCESS"; 10]);
    // Whether one email is sent at a time, the records, and what is given back.
    assert_eq!(email.dapr.all_calls(), before + 3);
    let all: Vec<Value> = (2..=11)
        .map(|number| held_back(number, 20, "slowRecipient"))
        .collect();
    assert_eq!(asked(&email, DEFERRALS).last(), Some(&all));
    assert_eq!((attempts(&email), asked(&email, DELIVERIES).len()), (1, 1));
    // Others are sent beside them.
    let events = [several([2]), several_of("bob", [12])].concat();
    deliver_all(&email, &events).await;
    assert_eq!(emails(&email), 1);
    email.pass(20);
    assert_eq!(deliver_all(&email, &several(1..=11)).await, ["SUCCESS"; 11]);
    assert_eq!((emails(&email), told(&email).len()), (12, 12));
}

#[tokio::test]
async fn each_rest_is_twice_as_long_and_has_one_attempt() {
    let email = start().await;
    email.dapr.down(Function::Binding, timeout("no answer"));
    let mut rests = Vec::new();
    for attempt in 1..=8 {
        // Another one each time.
        let events = several(attempt * 10..attempt * 10 + 5);
        deliver_all(&email, &events).await;
        assert_eq!(attempts(&email), attempt);
        let deferrals = asked(&email, DEFERRALS).pop().expect("they are given back");
        let seconds = deferrals[4]["afterSeconds"].as_u64().expect("seconds");
        assert!(deferrals.iter().all(|one| one["afterSeconds"] == seconds));
        email.pass(seconds - 1);
        deliver_all(&email, &events).await;
        assert_eq!(attempts(&email), attempt, "the rest is not over");
        email.pass(1);
        rests.push(seconds);
    }
    assert_eq!(rests, [30, 60, 120, 240, 480, 960, 1800, 1800]);
    let before = attempts(&email);
    email.pass(2 * 60 * 60);
    deliver_all(&email, &several([99])).await;
    assert_eq!(attempts(&email), before + 1);
    let last = asked(&email, DEFERRALS).pop().expect("it is given back");
    assert_eq!(
        last,
        [held_back(99, 30, "slowRecipient")],
        "after two hours it is forgotten"
    );
}

#[tokio::test]
async fn an_email_that_is_sent_writes_no_record_and_ends_no_rest_early() {
    let email = slow().await;
    email.pass(30);
    let writes = email.dapr.calls(Function::StatePutMany);
    deliver_all(&email, &several([1])).await;
    assert_eq!(emails(&email), 1);
    assert_eq!(
        email.dapr.calls(Function::StatePutMany),
        writes + 2,
        "the claim and what was sent"
    );
    email.dapr.fail_next(Function::Binding, timeout("no answer"));
    deliver_all(&email, &several([2])).await;
    let last = asked(&email, DEFERRALS).pop().expect("it is given back");
    assert_eq!(last, [held_back(2, 60, "slowRecipient")]);
}

#[tokio::test]
async fn another_process_knows_who_rests() {
    let email = slow().await;
    let next = Setup::new("email-delivery").beside(&email).start().await;
    deliver_all(&next, &several([2, 3])).await;
    assert_eq!(attempts(&next), 1);
    assert_eq!(
        asked(&next, DEFERRALS).last(),
        Some(&vec![
            held_back(2, 30, "slowRecipient"),
            held_back(3, 30, "slowRecipient")
        ])
    );
}

#[tokio::test]
async fn a_user_who_was_slow_lately_comes_last_in_a_batch() {
    let email = slow().await;
    email.pass(30);
    for _ in 0..2 {
        email.dapr.pass_next(Function::Binding);
    }
    email.dapr.fail_next(Function::Binding, timeout("no answer"));
    let events = [several([1, 2]), several_of("bob", [3, 4])].concat();
    deliver_all(&email, &events).await;
    assert_eq!(told(&email).len(), 2);
    assert_eq!(
        asked(&email, DEFERRALS).last(),
        Some(&vec![
            held_back(1, 60, "slowRecipient"),
            held_back(2, 60, "slowRecipient")
        ])
    );
}

#[tokio::test]
async fn reminders_to_a_recipient_that_is_slow_for_a_day_are_given_up_whether_or_not_each_was_tried() {
    let email = start().await;
    email.dapr.down(Function::Binding, timeout("no answer"));
    let events = several(1..=5);
    let mut passed = 0;
    // The reminder's instant is half an hour after the start.
    while passed <= DAY + 30 * 60 {
        assert_eq!(told(&email), [], "after {passed} s");
        deliver_all(&email, &events).await;
        let deferrals = asked(&email, DEFERRALS).pop().expect("they are given back");
        let seconds = deferrals.iter().filter_map(|one| one["afterSeconds"].as_u64());
        let seconds = seconds.min().expect("seconds");
        email.pass(seconds);
        passed += seconds;
    }
    deliver_all(&email, &events).await;
    let told = told(&email);
    assert_eq!(told.len(), 5);
    for (_, failure) in &told {
        assert_eq!(failure, "the email could not be sent for a day");
    }
    // Those that become due afterwards wait for the rest.
    let mut late = due(6);
    late["data"]["remindAt"] = json!("2026-11-22T12:30:00Z");
    deliver_all(&email, &[late]).await;
    assert_eq!(asked(&email, DEFERRALS).pop().expect("given back").len(), 1);
}

#[tokio::test]
async fn no_second_email_of_a_user_begins_beside_one_that_takes_long() {
    let email = Setup::new("email-delivery")
        .variable("smtp_components", "smtp, smtp-2")
        .start()
        .await;
    super::decide(
        &email,
        super::send_to("alice@example.com", &crate::sample::task()),
    );
    let (first, second) = (
        email.dapr.hold_next(Function::Binding),
        email.dapr.hold_next(Function::Binding),
    );
    let events = [several([1, 2, 3]), several_of("bob", [4])].concat();
    let meanwhile = async {
        first.reached().await;
        second.reached().await;
        email.pass(2);
        // Those of alice and bob are on their way. The lane that is free finds only others of alice, and leaves them.
        second.release();
        let bob = || (emails(&email) == 1).then_some(());
        email.dapr.until(bob).await.expect("one lane goes on");
        let recorded = || (record(&email, 4)["phase"] == "done").then_some(());
        email.dapr.until(recorded).await.expect("its lane has ended");
        assert_eq!(attempts(&email), 2);
        first.release();
    };
    let (statuses, ()) = tokio::join!(deliver_all(&email, &events), meanwhile);
    assert_eq!(statuses, ["SUCCESS"; 4]);
    assert_eq!(emails(&email), 4);
}
