//! Emails about accounts.

use expect_test::{expect, expect_file};
use nudge_test_kit::bindings::api::nudge::events::types as wit;
use nudge_test_kit::bindings::email_delivery::EmailDelivery;
use nudge_test_kit::dapr::{Function, Response, failed, timeout, unavailable};
use serde_json::{Value, json};

use super::{deliver as deliver_reminder, field, items};
use crate::sample::{batch, cloud_event, reminder_due, task};
use crate::support::{Service, json};

const EVENTS: &str = "/email-delivery/events/account-notices";

const ID: &str = "018f0000-0000-7000-8000-0000000000b1";

const OTHER: &str = "018f0000-0000-7000-8000-0000000000b2";

const NOTICES: &str = "internal/notices/deliveries";

const OUTCOMES: &str = "internal/notices/outcomes";

/// Email-delivery with an api that decides this about every notice.
async fn start(decision: Value) -> Service {
    let email = Service::start("email-delivery").await;
    decide(&email, decision);
    email
}

fn decide(email: &Service, decision: Value) {
    email.dapr.answer(move |invocation| {
        let request = &invocation.request;
        let (status, body) = match (request.method.as_str(), request.path.as_str()) {
            ("POST", NOTICES) => {
                let count = items(request.body.as_deref()).len();
                (200, json!({ "items": vec![decision.clone(); count] }))
            }
            ("POST", OUTCOMES) => (204, Value::Null),
            other => panic!("{other:?}"),
        };
        let body = body.to_string().into_bytes();
        Response { status, body }
    });
}

fn confirmation() -> Value {
    json!({
        "decision": "send", "email": "new@example.org", "stopLink": "https://nudge.example/email/stop/s",
        "notice": { "kind": "confirm", "link": "https://nudge.example/email/confirm/c", "until": "2026-11-22T12:00:00Z" },
    })
}

fn changed() -> Value {
    json!({
        "decision": "send", "email": "old@example.org", "stopLink": "https://nudge.example/email/stop/s",
        "notice": { "kind": "changed", "at": "2026-11-21T12:00:00Z" },
    })
}

fn requested(id: &str) -> Value {
    let data = json!({ "schemaVersion": 1, "noticeId": id, "userId": "alice" });
    cloud_event(id, "api", "nudge.notice.requested.v1", &data)
}

async fn deliver(email: &Service, id: &str) -> String {
    let answer = json(&email.sidecar().post(EVENTS, &requested(id)).await, 200);
    answer["status"].as_str().expect("one of Dapr's words").to_owned()
}

/// The reported outcomes.
fn reported(email: &Service) -> Vec<Value> {
    let invocations = email.dapr.invocations().into_iter();
    invocations
        .filter(|asked| asked.request.path == OUTCOMES)
        .flat_map(|asked| items(asked.request.body.as_deref()))
        .collect()
}

fn html(email: &Service) -> String {
    let mail = email.dapr.binding_calls().pop().expect("an email");
    serde_json::from_str(&mail.data).expect("the binding takes a JSON text")
}

#[tokio::test]
async fn a_confirmation_looks_like_this() {
    let email = start(confirmation()).await;
    assert_eq!(deliver(&email, ID).await, "SUCCESS");
    let sent = email.dapr.binding_calls().pop().expect("an email");
    assert_eq!(field(&sent, "emailTo"), "new@example.org");
    assert_eq!(field(&sent, "subject"), "Confirm your address for Nudge");
    assert_eq!(field(&sent, "priority"), "3");
    let html = html(&email);
    expect_file!["../../golden/emails/confirm.html"].assert_eq(&html);
    expect![[r#"
        Confirm your address for Nudge
        Someone asked Nudge, a task service, to send reminders to this address. If that was you, confirm it:
        Confirm this address: https://nudge.example/email/confirm/c
        If the button does not work, open this address: https://nudge.example/email/confirm/c
        The link is valid until Sunday, 22 November 2026 at 12:00 (UTC), and works once.
        If it was not you, you need not do anything. No reminder is sent to this address unless it is confirmed.
        I did not ask for this: never write to this address again: https://nudge.example/email/stop/s"#]]
    .assert_eq(&nudge::html_to_text(&html));
    assert_eq!(reported(&email), [json!({ "id": ID })]);
}

#[tokio::test]
async fn what_a_former_address_is_told_looks_like_this() {
    let email = start(changed()).await;
    deliver(&email, ID).await;
    let sent = email.dapr.binding_calls().pop().expect("an email");
    assert_eq!(field(&sent, "subject"), "Your Nudge emails go to another address");
    expect_file!["../../golden/emails/changed.html"].assert_eq(&html(&email));
}

#[tokio::test]
async fn a_notice_is_sent_once_and_its_outcome_is_reported_again() {
    let email = start(confirmation()).await;
    let events = [requested(ID), requested(ID), requested(OTHER)];
    let answer = json(&email.sidecar().post(EVENTS, &batch(&events)).await, 200);
    assert!(
        answer["statuses"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["status"] == "SUCCESS")
    );
    assert_eq!(email.dapr.binding_calls().len(), 2);
    deliver(&email, ID).await;
    assert_eq!(email.dapr.binding_calls().len(), 2);
    assert_eq!(reported(&email).len(), 3);
    // The api was away when it was told.
    email.dapr.pass_next(Function::Invoke);
    email.dapr.fail_next(Function::Invoke, unavailable("no api"));
    let third = "018f0000-0000-7000-8000-0000000000b3";
    assert_eq!(deliver(&email, third).await, "RETRY");
    assert_eq!(deliver(&email, third).await, "SUCCESS");
    assert_eq!(email.dapr.binding_calls().len(), 3);
}

#[tokio::test]
async fn a_notice_is_not_sent_if_the_api_does_not_want_it_or_the_setting_is_missing() {
    let email = start(json!({ "decision": "skip", "reason": "it was confirmed" })).await;
    assert_eq!(deliver(&email, ID).await, "SUCCESS");
    assert_eq!((email.dapr.binding_calls().len(), reported(&email).len()), (0, 0));
    decide(&email, confirmation());
    email.pass(2);
    email.dapr.set_app_max_concurrency(Some(2));
    assert_eq!(deliver(&email, ID).await, "SUCCESS");
    assert_eq!(email.dapr.binding_calls().len(), 0, "emails would mix");
    email.pass(2);
    email.dapr.set_app_max_concurrency(Some(1));
    assert_eq!(deliver(&email, ID).await, "SUCCESS");
    assert_eq!(email.dapr.binding_calls().len(), 1);
}

#[tokio::test]
async fn a_failure_is_reported_if_it_is_permanent_and_waits_for_the_api_otherwise() {
    for (reply, expected) in [
        (
            "550 5.1.1 no such user",
            Some(
                json!({ "id": ID, "failure": "the mail server refused it with 550", "fault": { "kind": "refused", "code": 550 } }),
            ),
        ),
        (
            "554 5.6.0 rejected",
            Some(json!({ "id": ID, "failure": "the mail server refused it with 554" })),
        ),
        ("451 4.3.0 try later", None),
    ] {
        let email = start(confirmation()).await;
        email.dapr.fail_next(
            Function::Binding,
            failed(&format!(
                "error invoking output binding smtp: error from smtp binding, sending email failed: gomail: could not send email 1: {reply}"
            )),
        );
        assert_eq!(deliver(&email, ID).await, "SUCCESS", "{reply}");
        let is_permanent = expected.is_some();
        assert_eq!(
            reported(&email),
            expected.into_iter().collect::<Vec<_>>(),
            "{reply}"
        );
        deliver(&email, ID).await;
        let attempts = if is_permanent { 1 } else { 2 };
        assert_eq!(email.dapr.calls(Function::Binding), attempts, "{reply}");
    }
}

#[tokio::test]
async fn notices_of_a_user_rest_if_the_mail_server_took_too_long_and_reminders_do_not() {
    let email = start(confirmation()).await;
    email.dapr.fail_next(Function::Binding, timeout("no answer"));
    let answer = json(
        &email
            .sidecar()
            .post(EVENTS, &batch(&[requested(ID), requested(OTHER)]))
            .await,
        200,
    );
    assert_eq!(answer["statuses"][1]["status"], "SUCCESS");
    assert_eq!(email.dapr.calls(Function::Binding), 1, "the other is not tried");
    email.pass(29);
    assert_eq!(deliver(&email, OTHER).await, "SUCCESS");
    assert_eq!(email.dapr.calls(Function::Binding), 1);
    email.pass(1);
    assert_eq!(deliver(&email, OTHER).await, "SUCCESS");
    assert_eq!((email.dapr.binding_calls().len(), reported(&email).len()), (1, 1));
    // A slow recipient of reminders must not keep back the confirmation of a better one, nor the other way round.
    email.dapr.fail_next(Function::Binding, timeout("no answer"));
    deliver(&email, ID).await;
    super::decide(&email, super::send_to("alice@example.com", &task()));
    deliver_reminder(&email, &reminder_due(&task(), 0)).await;
    assert_eq!(email.dapr.binding_calls().len(), 2);
}

/// The inbox record of a notice.
fn record(email: &Service, id: &str) -> Value {
    let stored = email.dapr.stored(&format!("notice-{id}")).expect("a record");
    serde_json::from_str(&stored.value).expect("JSON")
}

#[tokio::test]
async fn no_notice_is_begun_after_the_mail_server_was_away() {
    {
        let (error, attempts) = (unavailable("no sidecar"), 0);
        let email = start(confirmation()).await;
        email.dapr.fail_next(Function::Binding, error);
        let events = batch(&[requested(ID), requested(OTHER)]);
        json(&email.sidecar().post(EVENTS, &events).await, 200);
        assert_eq!(email.dapr.calls(Function::Binding), 1);
        let free = [ID, OTHER].map(|id| record(&email, id));
        assert_eq!(
            free.map(|record| (record["phase"].clone(), record["attempts"].clone())),
            [(json!("free"), json!(attempts)), (json!("free"), json!(0))]
        );
        json(&email.sidecar().post(EVENTS, &events).await, 200);
        assert_eq!(email.dapr.binding_calls().len(), 2, "they are not lost");
    }
}

#[tokio::test]
async fn no_notice_is_begun_after_the_time_of_the_batch() {
    let email = start(confirmation()).await;
    let hold = email.dapr.hold_next(Function::Binding);
    let slow = async {
        hold.reached().await;
        email.pass(8);
        hold.release();
    };
    let events = batch(&[requested(ID), requested(OTHER)]);
    let sidecar = email.sidecar();
    tokio::join!(sidecar.post(EVENTS, &events), slow);
    assert_eq!(email.dapr.binding_calls().len(), 1);
    assert_eq!(record(&email, OTHER)["phase"], "free");
}

/// The api may answer late. What the claim leaves counts then, not when emails were first begun.
#[tokio::test]
async fn no_email_is_begun_that_could_outlast_its_claim() {
    let email = start(confirmation()).await;
    let hold = email.dapr.hold_next(Function::Invoke);
    let slow = async {
        hold.reached().await;
        email.pass(46);
        hold.release();
    };
    tokio::join!(deliver(&email, ID), slow);
    assert_eq!(email.dapr.calls(Function::Binding), 0);
    let reminders = super::start().await;
    let hold = reminders.dapr.hold_next(Function::Invoke);
    let event = reminder_due(&task(), 0);
    let slow = async {
        hold.reached().await;
        reminders.pass(46);
        hold.release();
    };
    tokio::join!(deliver_reminder(&reminders, &event), slow);
    assert_eq!(reminders.dapr.calls(Function::Binding), 0);
}

/// The embedded sidecar and Dapr deliver one thing at a time to the app; should they not, no lane is used twice.
#[tokio::test]
async fn a_notice_and_a_reminder_are_not_sent_at_the_same_time() {
    let email = super::start().await;
    let hold = email.dapr.hold_next(Function::Binding);
    let event = reminder_due(&task(), 0);
    let notice = async {
        hold.reached().await;
        decide(&email, confirmation());
        assert_eq!(deliver(&email, ID).await, "SUCCESS");
        assert_eq!(email.dapr.calls(Function::Binding), 1);
        hold.release();
    };
    let (word, ()) = tokio::join!(deliver_reminder(&email, &event), notice);
    assert_eq!(word, "SUCCESS");
    deliver(&email, ID).await;
    assert_eq!(email.dapr.binding_calls().len(), 2);
}

#[tokio::test]
async fn the_wit_export_does_what_the_route_does() {
    let email = start(confirmation()).await;
    let event = |id: &str| wit::NoticeRequested {
        notice_id: id.to_owned(),
        user_id: "alice".to_owned(),
    };
    let component = email.host.component("email-delivery").unwrap();
    let (mut store, instance) = component.instantiate().await.unwrap();
    let exports = EmailDelivery::new(&mut store, &instance).unwrap();
    let handler = exports.nudge_events_account_notices_handler();
    let events = vec![event("seven"), event(ID)];
    let results = store
        .run_concurrent(async |accessor| handler.call_handle(accessor, events).await)
        .await
        .unwrap()
        .unwrap();
    assert!(
        matches!(&results[..], [Err(wit::Disposition::Drop(reason)), Ok(())] if reason.contains("notice-id")),
        "{results:?}"
    );
    assert_eq!(email.dapr.binding_calls().len(), 1);
}
