//! Which address emails go to, and how they stop.

use http::{Method, StatusCode};
use mail_sink::{Fault, Stage};
use nudge::Email;
use nudge_test_kit::http::{Answer, Call};
use serde_json::{Value, json};

use crate::support::{Bench, User, address};

const ME: &str = "/api/v1/me";

async fn set(user: &User<'_>, email: &str) -> Value {
    let answer = user
        .send(Method::PATCH, ME, Some(json!({ "email": email })))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    answer.json().unwrap()
}

async fn me(user: &User<'_>) -> Value {
    user.send(Method::GET, ME, None).await.json().unwrap()
}

/// The path of a link in an email, from its text.
fn link(bench: &Bench, email: &Email, words: &str) -> String {
    let text = email.text();
    let line = text.lines().find(|line| line.starts_with(words));
    let line = line.unwrap_or_else(|| panic!("no {words} in {text}"));
    let (_, path) = line
        .split_once(&bench.system().url())
        .expect("a link to this system");
    path.to_owned()
}

/// A browser: no token.
async fn open(bench: &Bench, method: Method, path: &str) -> Answer {
    Call::new(address(&bench.system().url()), method, path)
        .send()
        .await
        .unwrap()
}

async fn press(bench: &Bench, path: &str) {
    let page = open(bench, Method::GET, path).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        String::from_utf8_lossy(&page.body).contains("<button"),
        "{:?}",
        page.body
    );
    assert_eq!(open(bench, Method::POST, path).await.status, StatusCode::OK);
}

async fn remind(bench: &Bench, user: &User<'_>, title: &str, count: usize) -> Vec<Email> {
    user.create(json!({ "title": title, "reminders": [{ "at": bench.in_seconds(5) }] }))
        .await;
    bench
        .step_until("the email is there", 120, async |bench| {
            bench.emails().len() >= count
        })
        .await;
    bench.wait_for_emails(count).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_is_confirmed_by_its_holder_and_the_former_one_is_told() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "UTC");
    let shown = set(&alice, "new@example.org").await;
    assert_eq!(shown["unconfirmedEmail"]["email"], "new@example.org");
    let confirmation = bench.wait_for_emails(1).await.remove(0);
    assert_eq!(
        (confirmation.to.as_str(), confirmation.subject.as_str()),
        ("new@example.org", "Confirm your address for Nudge")
    );
    press(&bench, &link(&bench, &confirmation, "Confirm this address")).await;
    let told = bench.wait_for_emails(2).await.remove(1);
    assert_eq!(
        (told.to.as_str(), told.subject.as_str()),
        ("alice@example.com", "Your Nudge emails go to another address")
    );
    assert!(!told.html.contains("new@example.org"), "{}", told.html);

    let reminder = remind(&bench, &alice, "Water the plants", 3).await.remove(2);
    assert_eq!(
        (reminder.to.as_str(), reminder.subject.as_str()),
        ("new@example.org", "Reminder: Water the plants")
    );

    // The recipient stops emails, and the user resumes them.
    press(&bench, &link(&bench, &reminder, "Stop these emails")).await;
    let task = json!({ "title": "Not sent", "reminders": [{ "at": bench.in_seconds(5) }] });
    let task = alice.create(task).await;
    bench
        .step_until("the reminder has failed", 120, async |_| {
            alice.read(&task).await["reminders"][0]["status"] == "failed"
        })
        .await;
    assert_eq!(me(&alice).await["emailStopped"]["reason"], "asked");
    let resumed = alice.send(Method::POST, "/api/v1/me/email/resume", None).await;
    // The user may not be the recipient, who is asked again.
    let resumed: Value = resumed.json().unwrap();
    assert_eq!(resumed["emailStopped"]["reason"], "asked");
    assert_eq!(resumed["unconfirmedEmail"]["email"], "new@example.org");
    let confirmation = bench.wait_for_emails(4).await.remove(3);
    press(&bench, &link(&bench, &confirmation, "Confirm this address")).await;
    assert_eq!(me(&alice).await["emailStopped"], Value::Null);
    let again = remind(&bench, &alice, "Again", 5).await.remove(4);
    assert_eq!(
        (again.to.as_str(), again.subject.as_str()),
        ("new@example.org", "Reminder: Again")
    );
}

/// An attempt to have the operator's mail server write anything to anybody.
#[tokio::test(flavor = "multi_thread")]
async fn an_unconfirmed_address_gets_one_email_that_its_user_did_not_write() {
    let bench = Bench::start().await;
    let mallory = bench.stranger("mallory");
    set(&mallory, "victim@example.org").await;
    let reminders: Vec<Value> = (1..=5)
        .map(|second| json!({ "at": bench.in_seconds(3 + second) }))
        .collect();
    let operations: Vec<Value> = (0..20)
        .map(|number| {
            let title = format!("URGENT {number}: log in at https://evil.example/login");
            json!({ "op": "create", "task": { "title": title, "description": "evil", "reminders": reminders } })
        })
        .collect();
    let bulk = mallory
        .send(
            Method::POST,
            "/api/v1/tasks/bulk",
            Some(json!({ "operations": operations })),
        )
        .await;
    assert_eq!(bulk.status, StatusCode::OK, "{:?}", bulk.body);
    bench
        .step_until("all reminders have failed", 300, async |_| {
            let tasks = mallory.list("limit=100").await;
            let mut reminders = tasks
                .iter()
                .flat_map(|task| task["reminders"].as_array().unwrap());
            tasks.len() == 20 && reminders.all(|reminder| reminder["status"] == "failed")
        })
        .await;
    bench.step(60).await;
    let emails = bench.wait_for_emails(1).await;
    assert_eq!(
        (emails[0].to.as_str(), emails[0].subject.as_str()),
        ("victim@example.org", "Confirm your address for Nudge")
    );
    for written in ["evil", "URGENT", "mallory"] {
        assert!(!emails[0].html.contains(written), "{written}");
    }

    // One click, and it was the last one, whichever account asks.
    press(&bench, &link(&bench, &emails[0], "I did not ask for this")).await;
    for user in [mallory, bench.stranger("another")] {
        let answer = user
            .send(
                Method::PATCH,
                ME,
                Some(json!({ "email": "Victim+1@example.org" })),
            )
            .await;
        assert_eq!(answer.status, StatusCode::CONFLICT, "{:?}", answer.body);
    }
    bench.step(60).await;
    bench.wait_for_emails(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_that_the_mail_server_refuses_gets_no_more_emails_until_they_are_resumed() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "UTC");
    // A client of the mail server may try an email three times.
    bench.system().mail().inject(Fault {
        stage: Stage::Rcpt,
        code: 550,
        text: "5.1.1 no such user".to_owned(),
        times: 3,
    });
    assert_eq!(ended(&bench, &alice).await, "failed");
    let stopped = me(&alice).await["emailStopped"].clone();
    assert_eq!(stopped["reason"], "refused");
    assert!(stopped["detail"].as_str().unwrap().contains("550"), "{stopped}");
    assert_eq!(ended(&bench, &alice).await, "failed", "it is not attempted");
    let mut end = Value::Null;
    for _ in 0..3 {
        alice.send(Method::POST, "/api/v1/me/email/resume", None).await;
        end = ended(&bench, &alice).await;
        if end == "sent" {
            break;
        }
    }
    assert_eq!(end, "sent");
    assert_eq!(bench.wait_for_emails(1).await[0].to, "alice@example.com");
    assert_eq!(me(&alice).await["emailStopped"], Value::Null);
}

/// How a new reminder ends.
async fn ended(bench: &Bench, user: &User<'_>) -> Value {
    let body = json!({ "title": "Water the plants", "reminders": [{ "at": bench.in_seconds(5) }] });
    let task = user.create(body).await;
    let status = async || user.read(&task).await["reminders"][0]["status"].clone();
    bench
        .step_until("the reminder has ended", 120, async |_| {
            status().await != "scheduled"
        })
        .await;
    status().await
}
