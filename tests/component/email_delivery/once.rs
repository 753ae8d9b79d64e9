//! One email per reminder, whatever happens in between.

use nudge_test_kit::bindings::api::nudge::events::types as wit;
use nudge_test_kit::bindings::email_delivery::EmailDelivery;
use nudge_test_kit::dapr::{Function, failed, timeout, unavailable};
use serde_json::{Value, json};

use super::{deliver, outcomes, start};
use crate::sample::{REMINDER, reminder_due, task, wit_task};
use crate::support::{Service, Setup};

/// How long a claim blocks others, and a second.
const LEASE: u64 = 61;

const SENT: &str = "nudge.reminder.sent.v1";

fn emails(email: &Service) -> usize {
    email.dapr.binding_calls().len()
}

/// The inbox record of the sample's first reminder.
fn record(email: &Service) -> Value {
    let keys = email.dapr.keys();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let stored = email.dapr.stored(&keys[0]).expect("stored");
    assert_eq!(
        stored.ttl_seconds,
        Some(7 * 24 * 60 * 60),
        "records do not pile up"
    );
    serde_json::from_str(&stored.value).expect("JSON")
}

#[tokio::test]
async fn a_reminder_is_one_email_however_often_it_is_delivered() {
    let email = start().await;
    for _ in 0..3 {
        assert_eq!(deliver(&email, &reminder_due(&task(), 0)).await, "SUCCESS");
        email.pass(LEASE);
    }
    assert_eq!(emails(&email), 1);
    assert_eq!(
        record(&email),
        json!({ "phase": "done", "ended": { "failure": null, "at": "2026-11-21T12:00:00Z" } })
    );
    let id = format!("{REMINDER}:2026-11-21T13:30:00+01:00:{SENT}");
    let told = outcomes(&email);
    assert_eq!(
        told,
        vec![(id, SENT.to_owned(), Value::Null); 3],
        "the same event, in case the first was lost"
    );
}

#[tokio::test]
async fn a_reminder_that_moved_is_another_mail() {
    let email = start().await;
    let mut moved = task();
    moved["reminders"][0]["remindAt"] = json!("2026-11-21T13:40:00+01:00");
    deliver(&email, &reminder_due(&task(), 0)).await;
    deliver(&email, &reminder_due(&moved, 0)).await;
    // The first instant, written differently.
    moved["reminders"][0]["remindAt"] = json!("2026-11-21T12:30:00Z");
    deliver(&email, &reminder_due(&moved, 0)).await;
    assert_eq!(emails(&email), 2);
}

#[tokio::test]
async fn deliveries_at_the_same_time_are_one_mail() {
    let email = start().await;
    let event = reminder_due(&task(), 0);
    // All of them find no record before the first of them claims.
    let holds: Vec<_> = (0..4)
        .map(|_| email.dapr.hold_next(Function::StatePutMany))
        .collect();
    let release = async {
        for hold in &holds {
            hold.reached().await;
        }
        holds.iter().for_each(nudge_test_kit::dapr::Hold::release);
    };
    let (a, b, c, d, ()) = tokio::join!(
        deliver(&email, &event),
        deliver(&email, &event),
        deliver(&email, &event),
        deliver(&email, &event),
        release
    );
    assert_eq!([a, b, c, d], ["SUCCESS"; 4]);
    assert_eq!(emails(&email), 1);
    assert_eq!(outcomes(&email).len(), 1);
}

#[tokio::test]
async fn a_claim_of_a_dead_process_blocks_until_its_lease_is_over() {
    let email = start().await;
    let event = reminder_due(&task(), 0);
    // The process claims and crashes: it never gets past its request to the api.
    let hold = email.dapr.hold_next(Function::Invoke);
    let dying = async {
        tokio::select! {
            status = deliver(&email, &event) => panic!("it went on: {status}"),
            () = hold.reached() => {}
        }
    };
    dying.await;
    assert_eq!(record(&email)["phase"], "claimed");
    email.pass(LEASE - 2);
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    assert_eq!(emails(&email), 0);
    email.pass(2);
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    assert_eq!(emails(&email), 1);
    assert_eq!(outcomes(&email).len(), 1);
}

/// Delivers until the email is sent and is to be recorded, where the process crashes. Returns another one.
async fn crash_before_the_record(email: &Service, event: &Value) -> Service {
    email.dapr.pass_next(Function::StatePutMany);
    let hold = email.dapr.hold_next(Function::StatePutMany);
    tokio::select! {
        status = deliver(email, event) => panic!("it went on: {status}"),
        () = hold.reached() => {}
    }
    Setup::new("email-delivery").beside(email).start().await
}

#[tokio::test]
async fn a_crash_between_the_email_and_its_record_sends_a_second_email_only_after_the_lease() {
    let email = start().await;
    let event = reminder_due(&task(), 0);
    let email = crash_before_the_record(&email, &event).await;
    assert_eq!((emails(&email), outcomes(&email).len()), (1, 0));
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    assert_eq!(emails(&email), 1);
    email.pass(LEASE);
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    assert_eq!(
        (emails(&email), outcomes(&email).len()),
        (2, 1),
        "mail servers have no way to ask"
    );
}

#[tokio::test]
async fn an_email_that_was_sent_is_told_even_if_it_cannot_be_recorded() {
    let email = start().await;
    let event = reminder_due(&task(), 0);
    email.dapr.pass_next(Function::StatePutMany);
    email
        .dapr
        .fail_next(Function::StatePutMany, unavailable("the state store is away"));
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    // The api knows, and does not want it a second time.
    assert_eq!((emails(&email), outcomes(&email).len()), (1, 1));
    assert_eq!(record(&email)["phase"], "claimed");
}

#[tokio::test]
async fn a_crash_after_the_record_tells_the_outcome_again_and_not_the_mail() {
    let email = start().await;
    let event = reminder_due(&task(), 0);
    email
        .dapr
        .fail_next(Function::PublishAll, unavailable("the broker is away"));
    assert_eq!(deliver(&email, &event).await, "RETRY");
    assert_eq!((emails(&email), outcomes(&email).len()), (1, 0));
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    assert_eq!((emails(&email), outcomes(&email).len()), (1, 1));
}

#[tokio::test]
async fn a_claim_that_fails_sends_no_email() {
    for function in [Function::StateGetMany, Function::StatePutMany] {
        let email = start().await;
        let event = reminder_due(&task(), 0);
        email.dapr.fail_next(function, failed("away"));
        assert_eq!(deliver(&email, &event).await, "RETRY", "{function:?}");
        assert_eq!(emails(&email), 0, "{function:?}");
        assert_eq!(deliver(&email, &event).await, "SUCCESS", "{function:?}");
        assert_eq!(emails(&email), 1, "{function:?}");
    }
    // It cannot be read back.
    let email = start().await;
    let event = reminder_due(&task(), 0);
    email.dapr.pass_next(Function::StateGetMany);
    email.dapr.fail_next(Function::StateGetMany, failed("away"));
    assert_eq!(deliver(&email, &event).await, "RETRY");
    email.pass(LEASE);
    assert_eq!(
        (emails(&email), deliver(&email, &event).await.as_str()),
        (0, "SUCCESS")
    );
    assert_eq!(emails(&email), 1);
}

#[tokio::test]
async fn a_claim_whose_response_is_lost_is_read_back() {
    let email = start().await;
    email
        .dapr
        .lose_answer(Function::StatePutMany, timeout("no answer"));
    assert_eq!(deliver(&email, &reminder_due(&task(), 0)).await, "SUCCESS");
    assert_eq!((emails(&email), outcomes(&email).len()), (1, 1));
}

#[tokio::test]
async fn the_wit_export_does_what_the_route_does() {
    let email = start().await;
    let event = wit::ReminderDue {
        reminder_id: REMINDER.to_owned(),
        remind_at: "2026-11-21T13:30:00+01:00".to_owned(),
        lease_id: None,
        minutes_left: Some(60),
        task: wit_task(),
        traceparent: None,
    };
    let bad = wit::ReminderDue {
        remind_at: "soon".to_owned(),
        ..event.clone()
    };
    let (mut store, instance) = email
        .host
        .component("email-delivery")
        .unwrap()
        .instantiate()
        .await
        .unwrap();
    let exports = EmailDelivery::new(&mut store, &instance).unwrap();
    let handler = exports.nudge_events_task_reminders_handler();
    let results = store
        .run_concurrent(async |accessor| handler.call_handle(accessor, vec![bad, event]).await)
        .await
        .unwrap()
        .unwrap();
    assert!(
        matches!(&results[..], [Err(wit::Disposition::Drop(reason)), Ok(())] if reason.contains("soon")),
        "{results:?}"
    );
    deliver(&email, &reminder_due(&task(), 0)).await;
    assert_eq!(emails(&email), 1, "both ways share the inbox");
}
