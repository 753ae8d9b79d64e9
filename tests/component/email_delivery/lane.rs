//! Only one email is sent at a time: Dapr's smtp binding mixes up concurrent ones.

use nudge_test_kit::dapr::{Function, unavailable};
use nudge_test_kit::http::DEADLINE;
use serde_json::{Value, json};

use super::{decide, deliver, field, outcomes, send_to, start};
use crate::sample::{reminder_due, task};
use crate::support::{Service, json};

/// How long an answer of the sidecar is valid.
const GOOD_FOR: u64 = 1;

const READY: &str = "/email-delivery/ready";

fn emails(email: &Service) -> usize {
    email.dapr.binding_calls().len()
}

fn asked(email: &Service) -> usize {
    email.dapr.calls(Function::AppMaxConcurrency)
}

#[tokio::test]
async fn without_the_setting_nothing_is_sent_and_nothing_is_lost() {
    for limit in [None, Some(2), Some(16)] {
        let email = start().await;
        email.dapr.set_app_max_concurrency(limit);
        let event = reminder_due(&task(), 0);
        // Not RETRY, which would end on the dead-letter topic. The reminder stays overdue, and its event is repeated.
        assert_eq!(deliver(&email, &event).await, "SUCCESS", "{limit:?}");
        assert_eq!(email.dapr.calls(Function::Binding), 0, "{limit:?}");
        assert!(email.dapr.keys().is_empty(), "no attempt is counted: {limit:?}");
        assert!(outcomes(&email).is_empty(), "it has not failed: {limit:?}");
        // Days later, too: what is given up after a day are emails that were tried.
        email.pass(2 * 24 * 60 * 60);
        assert_eq!(deliver(&email, &event).await, "SUCCESS", "{limit:?}");
        assert!(outcomes(&email).is_empty(), "{limit:?}");

        email.dapr.set_app_max_concurrency(Some(1));
        email.pass(GOOD_FOR);
        assert_eq!(deliver(&email, &event).await, "SUCCESS", "{limit:?}");
        assert_eq!((emails(&email), outcomes(&email).len()), (1, 1), "{limit:?}");
    }
}

#[tokio::test]
async fn readiness_names_the_setting_and_how_to_set_it() {
    let email = start().await;
    assert_eq!(email.anybody().get(READY).await.status, 200);
    for (limit, says) in [
        (Some(16), "may deliver 16 reminders at the same time"),
        (None, "may deliver any number of reminders at the same time"),
    ] {
        // The caller is told how it is, or was less than a second ago.
        email.dapr.set_app_max_concurrency(limit);
        let problem = refusal(&email, says).await;
        assert_eq!(problem["code"], "emails_would_mix");
        let detail = problem["detail"].as_str().expect("a text");
        for part in [
            says,
            "--app-max-concurrency 1",
            "dapr.io/app-max-concurrency: \"1\"",
            "appMaxConcurrency: 1",
        ] {
            assert!(detail.contains(part), "{part} in {detail}");
        }
        // It lives, and its sidecar goes on asking (decision 0022).
        assert_eq!(email.anybody().get("/email-delivery/health").await.status, 200);
    }
}

/// The first refusal of readiness that says so.
async fn refusal(email: &Service, says: &str) -> Value {
    let refused = async {
        loop {
            let answer = email.anybody().get(READY).await;
            let problem = answer.json().unwrap_or_default();
            if answer.status == 503
                && problem["detail"]
                    .as_str()
                    .is_some_and(|detail| detail.contains(says))
            {
                return problem;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, refused).await.expect(says)
}

#[tokio::test]
async fn a_sidecar_that_cannot_be_asked_delivers_again() {
    let email = start().await;
    email
        .dapr
        .down(Function::AppMaxConcurrency, unavailable("no sidecar"));
    assert_eq!(deliver(&email, &reminder_due(&task(), 0)).await, "RETRY");
    assert_eq!((emails(&email), email.dapr.keys().len()), (0, 0));
    let problem = json(&email.anybody().get(READY).await, 503);
    assert_eq!(problem["code"], "unavailable");
    email.dapr.up(Function::AppMaxConcurrency);
    assert_eq!(deliver(&email, &reminder_due(&task(), 0)).await, "SUCCESS");
    assert_eq!(emails(&email), 1);
}

#[tokio::test]
async fn the_sidecar_is_not_asked_for_each_email_and_asked_again_after_a_second() {
    const EMAILS: u64 = 20;
    let email = start().await;
    for minute in 0..EMAILS {
        let mut task = task();
        task["reminders"][0]["remindAt"] = json!(format!("2026-11-21T13:{minute:02}:00+01:00"));
        deliver(&email, &reminder_due(&task, 0)).await;
    }
    assert_eq!(emails(&email) as u64, EMAILS);
    // Once in an instance, and an instance takes many requests.
    let before = asked(&email);
    assert!(before < EMAILS as usize / 2, "{before}");
    email.pass(GOOD_FOR);
    deliver(&email, &reminder_due(&task(), 1)).await;
    assert_eq!(asked(&email), before + 1);
}

#[tokio::test]
async fn a_sidecar_that_lost_the_setting_is_found_out_while_the_instance_lives() {
    let email = start().await;
    deliver(&email, &reminder_due(&task(), 0)).await;
    assert_eq!(emails(&email), 1);
    // It was restarted without the setting.
    email.dapr.set_app_max_concurrency(None);
    email.pass(GOOD_FOR);
    assert_eq!(deliver(&email, &reminder_due(&task(), 1)).await, "SUCCESS");
    assert_eq!(emails(&email), 1);
}

/// A sidecar that times out waiting for a delivery begins the next one.
#[tokio::test]
async fn an_instance_that_is_sending_does_not_send_a_second_email_at_the_same_time() {
    let email = start().await;
    let (first, second) = (reminder_due(&task(), 0), reminder_due(&task(), 1));
    let hold = email.dapr.hold_next(Function::Binding);
    let meanwhile = async {
        hold.reached().await;
        assert_eq!(deliver(&email, &second).await, "SUCCESS");
        assert_eq!(email.dapr.calls(Function::Binding), 1, "the second one waits");
        hold.release();
    };
    let (sent, ()) = tokio::join!(deliver(&email, &first), meanwhile);
    assert_eq!((sent.as_str(), emails(&email)), ("SUCCESS", 1));
    assert_eq!(outcomes(&email).len(), 1);
    // It comes again with the job that looks for overdue reminders.
    assert_eq!(deliver(&email, &second).await, "SUCCESS");
    assert_eq!((emails(&email), outcomes(&email).len()), (2, 2));
}

#[tokio::test]
async fn an_email_that_fails_does_not_block_the_next() {
    let email = start().await;
    decide(&email, send_to("alice@example.com", &task()));
    email
        .dapr
        .fail_next(Function::Binding, unavailable("the mail server is away"));
    deliver(&email, &reminder_due(&task(), 0)).await;
    assert_eq!(emails(&email), 0);
    deliver(&email, &reminder_due(&task(), 1)).await;
    assert_eq!(emails(&email), 1);
    assert_eq!(
        field(&email.dapr.binding_calls()[0], "emailTo"),
        "alice@example.com"
    );
}
