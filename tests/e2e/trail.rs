//! The trail of a task: from the change to the email, and what held the email up.

use http::{Method, StatusCode};
use jiff::Timestamp;
use mail_sink::{Fault, Stage};
use serde_json::{Value, json};

use crate::support::{Bench, User, path};

async fn trail(user: &User<'_>, task: &Value) -> Vec<Value> {
    let answer = user
        .send(Method::GET, &format!("{}/trail", path(task)), None)
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    answer.json().unwrap()["items"].as_array().unwrap().clone()
}

fn kinds(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["kind"].as_str().unwrap()).collect()
}

fn step<'a>(items: &'a [Value], kind: &str) -> Option<&'a Value> {
    items.iter().find(|item| item["kind"] == kind)
}

fn time(item: &Value) -> Timestamp {
    item["time"].as_str().unwrap().parse().unwrap()
}

/// When the mail binding wrote the one email, in whole seconds.
fn date_of_email(bench: &Bench) -> Timestamp {
    let files = bench.system().mail().emails().unwrap();
    assert_eq!(files.len(), 1, "{files:?}");
    let email = String::from_utf8(std::fs::read(&files[0]).unwrap()).unwrap();
    let date = email.lines().find_map(|line| line.strip_prefix("Date: "));
    jiff::fmt::rfc2822::parse(date.expect("a Date").trim_end())
        .unwrap()
        .timestamp()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trail_leads_from_the_change_to_the_email_with_its_times() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "UTC");
    let task = alice
        .create(json!({ "title": "Pay rent", "due": bench.in_seconds(90), "reminders": [{ "minutesBefore": 1 }] }))
        .await;
    bench
        .step_until("the trail is complete", 60, async |_| {
            let steps = trail(&alice, &task).await;
            kinds(&steps).iter().filter(|kind| **kind == "published").count() == 2
        })
        .await;
    let steps = trail(&alice, &task).await;
    assert_eq!(
        kinds(&steps),
        [
            "changed",
            "published",
            "reminder_due",
            "leased",
            "handed_over",
            "sent",
            "changed",
            "published"
        ],
        "{steps:#?}"
    );
    assert!(steps.is_sorted_by_key(time), "{steps:#?}");
    assert_eq!(steps[0]["by"], json!({ "kind": "user" }));
    assert_eq!(steps[6]["by"], json!({ "kind": "nudge" }));
    let due: Timestamp = task["reminders"][0]["remindAt"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(time(&steps[2]), due);

    let sent = time(&steps[5]);
    let email = date_of_email(&bench);
    assert!(due <= email, "{email}");
    // The clock may be stepped while the answers of the mail server are on their way.
    let after = sent.as_second() - email.as_second();
    assert!((0..30).contains(&after), "{sent}, and the email says {email}");
    let late = steps[5]["lateBySeconds"].as_f64().unwrap();
    assert!(
        (late - sent.duration_since(due).as_secs_f64()).abs() < 0.001,
        "{late}"
    );

    // One trace leads through the delivery, and another one through the request.
    let trace = |index: usize| steps[index]["traceId"].as_str().unwrap();
    for index in 2..8 {
        assert_eq!(trace(index), trace(5));
    }
    assert_eq!(trace(0), trace(1));
    assert_ne!(trace(0), trace(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_refuses_is_told_with_why_and_what_to_do() {
    let bench = Bench::start().await;
    let alice = bench.user("alice", "UTC");
    let reply = |code, text: &str, times| Fault {
        stage: Stage::Rcpt,
        code,
        text: text.to_owned(),
        times,
    };
    bench.system().mail().inject(reply(451, "4.3.0 try later", 1));
    let task = alice
        .create(json!({ "title": "Patience", "reminders": [{ "at": bench.in_seconds(5) }] }))
        .await;
    bench
        .step_until("the email is held back", 30, async |_| {
            step(&trail(&alice, &task).await, "held_back").is_some()
        })
        .await;
    let steps = trail(&alice, &task).await;
    let held = step(&steps, "held_back").unwrap();
    assert!(
        held["detail"]
            .as_str()
            .unwrap()
            .contains("did not accept the email for now"),
        "{held}"
    );
    assert!(
        held["until"].is_string() || step(&steps, "leased").is_some(),
        "{steps:#?}"
    );
    bench
        .step_until("the email is sent", 90, async |_| {
            step(&trail(&alice, &task).await, "sent").is_some()
        })
        .await;
    let steps = trail(&alice, &task).await;
    let sent = step(&steps, "sent").unwrap();
    assert_eq!(sent["detail"], "The mail server accepted it at attempt 2.");
    assert!(sent["lateBySeconds"].as_f64().unwrap() >= 25.0, "{sent}");

    bench
        .system()
        .mail()
        .inject(reply(550, "5.1.1 no such user", 100));
    let task = alice
        .create(json!({ "title": "No such user", "reminders": [{ "at": bench.in_seconds(5) }] }))
        .await;
    bench
        .step_until("the reminder has failed", 60, async |_| {
            step(&trail(&alice, &task).await, "failed").is_some()
        })
        .await;
    let steps = trail(&alice, &task).await;
    let detail = step(&steps, "failed").unwrap()["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("The mail server refused it with 550."),
        "{detail}"
    );
    assert!(
        detail.contains("Set an address that can receive email"),
        "{detail}"
    );
}
