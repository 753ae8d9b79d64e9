//! How a delivery ends: sent, refused, given up, or not yet.

use expect_test::expect_file;
use http::Method;
use nudge_test_kit::dapr::{Function, failed, unavailable};
use serde_json::{Value, json};

use super::{EVENTS, REFUSED, asked, decide, deliver, outcomes, send_to, start};
use crate::golden::stable;
use crate::sample::{reminder_due, task};
use crate::support::send;

/// The error of Dapr's smtp binding for this response of the mail server.
fn smtp(reply: &str) -> nudge_test_kit::dapr::Error {
    failed(&format!(
        "error invoking output binding smtp: error from smtp binding, sending email failed: gomail: could not send email 1: {reply}"
    ))
}

#[tokio::test]
async fn the_outcomes_look_like_this() {
    let email = start().await;
    deliver(&email, &reminder_due(&task(), 0)).await;
    email
        .dapr
        .fail_next(Function::Binding, smtp(r#"550 "5.1.1 no such user""#));
    deliver(&email, &reminder_due(&task(), 1)).await;
    let told = email.dapr.published("reminder-outcomes");
    expect_file!["../../golden/events/reminder-outcomes.sent.json"]
        .assert_eq(&stable(&told[0].delivery().unwrap()));
    expect_file!["../../golden/events/reminder-outcomes.failed.json"]
        .assert_eq(&stable(&told[1].delivery().unwrap()));
}

#[tokio::test]
async fn an_outcome_says_of_which_lease_it_is_and_how_many_attempts_came_before() {
    let email = start().await;
    let mut event = reminder_due(&task(), 0);
    event["data"]["leaseId"] = json!("0193f0c1-7a00-7000-8000-0000000000b1");
    event["data"]["handedOverAt"] = json!("2026-11-21T12:30:00.25Z");
    email
        .dapr
        .fail_next(Function::Binding, smtp("451 4.3.0 try later"));
    for _ in 0..2 {
        assert_eq!(deliver(&email, &event).await, "SUCCESS");
    }
    let outcome = email.dapr.published("reminder-outcomes")[0].data().expect("JSON");
    for field in ["leaseId", "handedOverAt"] {
        assert_eq!(outcome[field], event["data"][field], "{field}");
    }
    assert_eq!(outcome["attempts"], 1);
}

#[tokio::test]
async fn an_email_that_is_refused_permanently_has_failed() {
    let email = start().await;
    email
        .dapr
        .fail_next(Function::Binding, smtp(r#"550 "5.1.1 no such user""#));
    let event = reminder_due(&task(), 0);
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    let told = outcomes(&email);
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].1.as_str(), &told[0].2),
        (
            "nudge.reminder.failed.v1",
            &json!("the mail server refused it with 550")
        )
    );
    deliver(&email, &event).await;
    assert_eq!(email.dapr.calls(Function::Binding), 1, "it is not tried again");
}

#[tokio::test]
async fn a_recipient_that_is_refused_is_reported_to_the_api_and_another_failure_is_not() {
    let item = |fault: Value| json!({ "userId": "alice", "email": "alice@example.com", "fault": fault });
    for (reply, reported) in [
        (
            "550 5.1.1 no such user",
            Some(json!({ "kind": "refused", "code": 550 })),
        ),
        ("550 5.7.1 your address is on a list", None),
        ("552 5.2.2 mailbox full", None),
        ("451 4.3.0 try later", None),
    ] {
        let email = start().await;
        email.dapr.fail_next(Function::Binding, smtp(reply));
        deliver(&email, &reminder_due(&task(), 0)).await;
        let expected: Vec<Vec<Value>> = reported.map(|fault| vec![item(fault)]).into_iter().collect();
        assert_eq!(asked(&email, REFUSED), expected, "{reply}");
    }
    let email = start().await;
    decide(&email, send_to("bob..b@example.net", &task()));
    deliver(&email, &reminder_due(&task(), 0)).await;
    let reported = asked(&email, REFUSED);
    assert_eq!(
        reported,
        [[json!({ "userId": "alice", "email": "bob..b@example.net", "fault": { "kind": "invalid" } })]]
    );
}

#[tokio::test]
async fn a_reminder_that_the_api_does_not_let_out_fails_with_the_reason_of_the_api() {
    let email = start().await;
    decide(
        &email,
        json!({ "decision": "noAddress", "reason": "emails are stopped" }),
    );
    deliver(&email, &reminder_due(&task(), 0)).await;
    assert_eq!(outcomes(&email)[0].2, "emails are stopped");
    assert_eq!(email.dapr.calls(Function::Binding), 0);
}

#[tokio::test]
async fn a_reminder_to_an_address_set_under_older_rules_fails_and_the_outcome_does_not_repeat_it() {
    for (address, reason) in [
        (
            "bob..b@example.net",
            "a dot before the @ must have another character on each side",
        ),
        ("bób@example.net", "without SMTPUTF8"),
        ("bob@exam_ple.net", "`_` is not allowed after the @"),
    ] {
        let email = start().await;
        decide(&email, send_to(address, &task()));
        assert_eq!(deliver(&email, &reminder_due(&task(), 0)).await, "SUCCESS");
        assert_eq!(email.dapr.calls(Function::Binding), 0, "{address}");
        let told = outcomes(&email);
        assert_eq!((told.len(), told[0].1.as_str()), (1, "nudge.reminder.failed.v1"));
        let failure = told[0].2.as_str().expect("a reason");
        assert!(failure.contains(reason), "{failure}");
        assert!(
            !failure.contains("ple.net") && !failure.contains("bob"),
            "{failure}"
        );
    }
}

#[tokio::test]
async fn a_recipient_that_the_binding_calls_invalid_has_failed_and_a_sender_waits() {
    let invalid = |address: &str| {
        smtp(&format!(
            "gomail: invalid address \"{address}\": mail: missing '@' or angle-addr"
        ))
    };
    let email = start().await;
    email
        .dapr
        .fail_next(Function::Binding, invalid("alice@example.com"));
    deliver(&email, &reminder_due(&task(), 0)).await;
    assert_eq!(
        outcomes(&email)[0].2,
        "Dapr's mail binding cannot send to the address in your profile"
    );
    email
        .dapr
        .fail_next(Function::Binding, invalid("nudge..x@example.com"));
    deliver(&email, &reminder_due(&task(), 1)).await;
    assert_eq!(outcomes(&email).len(), 1, "the setup may be mended");
}

#[tokio::test]
async fn an_email_that_cannot_be_sent_for_now_is_released_and_sent_by_the_next_delivery() {
    for error in [
        smtp(r#"451 "4.3.0 try later""#),
        smtp(r#"535 "5.7.8 log in first""#),
        failed(
            "error invoking output binding smtp: smtp binding error: emailFrom property not supplied in configuration- or \
             request-metadata",
        ),
        failed(
            "error invoking output binding smtp: error from smtp binding, sending email failed: 554 5.7.1 not from there",
        ),
        unavailable("no sidecar"),
        failed("dial tcp: connection refused"),
    ] {
        let email = start().await;
        email.dapr.fail_next(Function::Binding, error.clone());
        let event = reminder_due(&task(), 0);
        assert_eq!(
            deliver(&email, &event).await,
            "SUCCESS",
            "RETRY would hold up every other reminder: {error:?}"
        );
        assert_eq!(outcomes(&email), [], "{error:?}");
        assert_eq!(deliver(&email, &event).await, "SUCCESS");
        assert_eq!(email.dapr.binding_calls().len(), 1, "{error:?}");
        assert_eq!(outcomes(&email).len(), 1, "{error:?}");
    }
}

#[tokio::test]
async fn an_email_that_cannot_be_sent_for_a_day_is_given_up() {
    let email = start().await;
    email
        .dapr
        .down(Function::Binding, smtp(r#"451 "4.3.0 try later""#));
    let event = reminder_due(&task(), 0);
    // The reminder's instant is half an hour after the start.
    for (wait, told) in [(0, 0), (24 * 60 * 60 + 29 * 60, 0), (2 * 60, 1)] {
        email.pass(wait);
        assert_eq!(deliver(&email, &event).await, "SUCCESS");
        assert_eq!(outcomes(&email).len(), told);
    }
    assert_eq!(outcomes(&email)[0].2, "the email could not be sent for a day");
}

#[tokio::test]
async fn an_email_that_is_first_tried_days_late_is_not_given_up_at_its_first_failure() {
    let email = start().await;
    let event = reminder_due(&task(), 0);
    email.pass(3 * 24 * 60 * 60);
    email
        .dapr
        .fail_next(Function::Binding, smtp(r#"451 "4.3.0 try later""#));
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    assert_eq!(outcomes(&email), [], "it was tried once");
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    assert_eq!(email.dapr.binding_calls().len(), 1);
    assert_eq!(outcomes(&email).len(), 1);
}

#[tokio::test]
async fn a_reminder_that_is_no_longer_wanted_is_not_sent_and_not_marked_done() {
    let email = start().await;
    decide(
        &email,
        json!({ "decision": "skip", "reason": "the reminder was moved" }),
    );
    let event = reminder_due(&task(), 0);
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    assert_eq!((email.dapr.binding_calls().len(), outcomes(&email).len()), (0, 0));
    // It was moved back to its previous instant.
    decide(&email, send_to("alice@example.com", &task()));
    assert_eq!(deliver(&email, &event).await, "SUCCESS");
    assert_eq!((email.dapr.binding_calls().len(), outcomes(&email).len()), (1, 1));
}

#[tokio::test]
async fn a_reminder_of_a_user_without_an_address_has_failed() {
    let email = start().await;
    decide(&email, json!({ "decision": "noAddress" }));
    assert_eq!(deliver(&email, &reminder_due(&task(), 0)).await, "SUCCESS");
    assert!(email.dapr.binding_calls().is_empty());
    assert_eq!(outcomes(&email)[0].2, "there is no email address in your profile");
}

#[tokio::test]
async fn an_api_that_does_not_answer_well_is_asked_again_without_waiting_for_the_lease() {
    for answer in [
        (503, json!({})),
        (404, Value::Null),
        (200, json!({ "decision": "perhaps" })),
    ] {
        let email = start().await;
        email.dapr.answer_json(answer.0, &answer.1);
        let event = reminder_due(&task(), 0);
        assert_eq!(deliver(&email, &event).await, "RETRY", "{answer:?}");
        decide(&email, send_to("alice@example.com", &task()));
        assert_eq!(deliver(&email, &event).await, "SUCCESS", "{answer:?}");
        assert_eq!(email.dapr.binding_calls().len(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn only_the_sidecar_delivers_events_and_anybody_may_ask_for_health() {
    let email = start().await;
    let call = || {
        email
            .anybody()
            .call(Method::POST, EVENTS)
            .json(&reminder_due(&task(), 0))
    };
    assert_eq!(send(call()).await.status, 401);
    assert_eq!(send(call().header("dapr-api-token", "guessed")).await.status, 403);
    assert!(email.dapr.keys().is_empty());
    assert_eq!(email.anybody().get("/email-delivery/health").await.status, 200);
}
