//! The smtp binding, against a real SMTP server.

use std::time::Duration;

use dapr_sidecar::App;
use mail_sink::{Fault, MailSink, Stage};
use serde_json::json;

use crate::bench::{Bench, assert_recorded};

const MAILER: &str = "/v1.0/bindings/mailer";

async fn bench() -> (Bench, MailSink, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let sink = MailSink::start("127.0.0.1:0".parse().expect("an address"), dir.path())
        .await
        .expect("a sink");
    let port = sink.addr().port();
    let yaml = format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: mailer}}\nspec:\n  type: bindings.smtp\n  \
         version: v1\n  metadata:\n  - {{name: host, value: 127.0.0.1}}\n  - {{name: port, value: {port}}}\n  \
         - {{name: emailFrom, value: noreply@example.com}}\n"
    );
    (Bench::bind(&yaml, vec![App::new("orders")]).await, sink, dir)
}

fn emails(sink: &MailSink) -> Vec<String> {
    let paths = sink.emails().expect("a readable folder");
    paths
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a complete email"))
        .collect()
}

fn create(metadata: &serde_json::Value, data: &str) -> String {
    json!({"operation": "create", "metadata": metadata, "data": data}).to_string()
}

#[tokio::test]
async fn sends_html_with_the_recorded_headers() {
    let (bench, sink, _dir) = bench().await;
    let metadata =
        json!({"emailTo": "a@example.com;b@example.com", "emailCC": "c@example.com", "subject": "Hi äö"});
    let answer = bench.post(MAILER, &create(&metadata, "<h1>Hello</h1>")).await;
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    let email = &emails(&sink)[0];
    for line in [
        "From: noreply@example.com",
        "To: a@example.com, b@example.com",
        "Cc: c@example.com",
        "Subject: =?UTF-8?q?Hi_=C3=A4=C3=B6?=",
        "X-priority: 3",
        "Date: Sat, 21 Nov 2026 20:57:11 +0000",
    ] {
        assert!(email.contains(&format!("{line}\r\n")), "{line} in {email}");
    }
    assert!(email.contains("<h1>Hello</h1>"), "{email}");
}

#[tokio::test]
async fn the_fields_of_one_request_stay_for_the_next_as_in_dapr() {
    let (bench, sink, _dir) = bench().await;
    let first = json!({"emailTo": "a@example.com", "emailCC": "c@example.com", "subject": "one"});
    bench.post(MAILER, &create(&first, "1")).await;
    assert_eq!(
        bench
            .post(MAILER, &create(&json!({"subject": "two"}), "2"))
            .await
            .status,
        204
    );
    let second = &emails(&sink)[1];
    assert!(
        second.contains("To: a@example.com\r\n") && second.contains("Cc: c@example.com\r\n"),
        "{second}"
    );
}

/// The numbers in an email's recipient, subject and body.
fn numbers(email: &str) -> [usize; 3] {
    let between = |start: &str, end: &str| {
        let (_, rest) = email.split_once(start).expect("it is there");
        let (number, _) = rest.split_once(end).expect("it ends");
        number.parse().expect("a number")
    };
    [
        between("\r\nTo: user-", "@"),
        between("\r\nSubject: No. ", "\r\n"),
        between("<p>Body ", "</p>"),
    ]
}

/// In Dapr they mix as well, but less often: `tests/conformance` shows both.
#[tokio::test]
async fn emails_that_are_sent_at_the_same_time_take_recipient_or_subject_from_each_other() {
    let (bench, sink, _dir) = bench().await;
    let send = async |number: usize| {
        let metadata =
            json!({"emailTo": format!("user-{number}@example.com"), "subject": format!("No. {number}")});
        let body = create(&metadata, &format!("<p>Body {number}</p>"));
        assert_eq!(bench.post(MAILER, &body).await.status, 204);
    };
    let mut sent = 0;
    let mixed = loop {
        let next = || {
            sent += 1;
            send(sent)
        };
        let callers: Vec<_> = std::iter::repeat_with(next).take(16).collect();
        futures::future::join_all(callers).await;
        let emails = emails(&sink);
        assert_eq!(emails.len(), sent, "none is lost, and none is sent twice");
        let mut bodies: Vec<usize> = emails.iter().map(|email| numbers(email)[2]).collect();
        bodies.sort_unstable();
        assert_eq!(
            bodies,
            (1..=sent).collect::<Vec<_>>(),
            "the body is always the request's"
        );
        let mixed = emails
            .iter()
            .map(|email| numbers(email))
            .find(|[to, subject, body]| to != body || subject != body);
        if let Some(mixed) = mixed {
            break mixed;
        }
        assert!(sent < 4_000, "of {sent} emails none is mixed up");
    };
    assert!(
        mixed.iter().all(|number| (1..=sent).contains(number)),
        "{mixed:?}"
    );
}

#[tokio::test]
async fn emails_that_are_sent_one_after_the_other_stay_apart() {
    let (bench, sink, _dir) = bench().await;
    for number in 1..=50 {
        let metadata =
            json!({"emailTo": format!("user-{number}@example.com"), "subject": format!("No. {number}")});
        let body = create(&metadata, &format!("<p>Body {number}</p>"));
        assert_eq!(bench.post(MAILER, &body).await.status, 204);
    }
    let emails = emails(&sink);
    assert_eq!(emails.len(), 50);
    for (email, number) in emails.iter().zip(1..) {
        assert_eq!(numbers(email), [number; 3], "{email}");
    }
}

#[tokio::test]
async fn refuses_as_recorded() {
    let (bench, sink, _dir) = bench().await;
    let metadata = json!({"emailTo": "a@example.com", "subject": "x"});
    let get = json!({"operation": "get", "metadata": metadata, "data": "b"}).to_string();
    assert_recorded(&bench.post(MAILER, &get).await, "binding-operation.txt");
    assert_recorded(
        &bench.post("/v1.0/bindings/zzz", &create(&metadata, "b")).await,
        "binding-unknown.txt",
    );
    sink.inject(Fault {
        stage: Stage::Rcpt,
        code: 550,
        text: "5.1.1 no such user".to_owned(),
        times: 1,
    });
    assert_recorded(
        &bench.post(MAILER, &create(&metadata, "b")).await,
        "binding-550.txt",
    );
    sink.inject(Fault {
        stage: Stage::Data,
        code: 451,
        text: "4.3.0 try later".to_owned(),
        times: 1,
    });
    assert_recorded(
        &bench.post(MAILER, &create(&metadata, "b")).await,
        "binding-451.txt",
    );
    assert!(emails(&sink).is_empty());
}

#[tokio::test]
async fn an_outbound_retry_policy_sends_again() {
    let (bench, sink, _dir) = bench().await;
    let resources = bench.dir.path().join("resources/resiliency.yaml");
    let yaml = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    \
        retries: {again: {policy: constant, duration: 100ms, maxRetries: 2}}\n  targets:\n    \
        components: {mailer: {outbound: {retry: again}}}\n";
    std::fs::write(resources, yaml).expect("written");
    let bench = bench.crash_and_restart(vec![App::new("orders")]).await;
    sink.inject(Fault {
        stage: Stage::Rcpt,
        code: 451,
        text: "later".to_owned(),
        times: 1,
    });
    let metadata = json!({"emailTo": "a@example.com", "subject": "x"});
    let body = create(&metadata, "b");
    let sent = async {
        let answer = bench.post(MAILER, &body).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    };
    let time = bench.step_until(Duration::from_millis(100), || !emails(&sink).is_empty());
    tokio::join!(sent, time);
}

#[tokio::test]
async fn an_open_circuit_breaker_refuses_at_once_and_admits_a_call_after_its_timeout() {
    let (bench, sink, _dir) = bench().await;
    let yaml = "apiVersion: dapr.io/v1alpha1\nkind: Resiliency\nmetadata: {name: r}\nspec:\n  policies:\n    \
        circuitBreakers: {cb: {maxRequests: 1, timeout: 5s, trip: consecutiveFailures >= 2}}\n  targets:\n    \
        components: {mailer: {outbound: {circuitBreaker: cb}}}\n";
    std::fs::write(bench.dir.path().join("resources/resiliency.yaml"), yaml).expect("written");
    let bench = bench.crash_and_restart(vec![App::new("orders")]).await;
    sink.inject(Fault {
        stage: Stage::Rcpt,
        code: 550,
        text: "no".to_owned(),
        times: 2,
    });
    let body = create(&json!({"emailTo": "a@example.com", "subject": "x"}), "b");
    for _ in 0..2 {
        assert_eq!(bench.post(MAILER, &body).await.status, 500);
    }
    let open = bench.post(MAILER, &body).await;
    let message = "error invoking output binding mailer: circuit breaker is open";
    assert_eq!((open.status, &open.json()["message"]), (500, &json!(message)));
    bench.clock.advance(Duration::from_secs(5));
    assert_eq!(bench.post(MAILER, &body).await.status, 204);
    assert_eq!(emails(&sink).len(), 1);
}
