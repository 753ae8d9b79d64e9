//! The smtp binding, before a real SMTP server.

use mail_sink::{Fault, MailSink, Stage, Treatment};
use nudge_test_kit::call;
use serde_json::json;

use crate::bench::{Setup, Subject, World, kind, told};

const MAILER: &str = "/v1.0/bindings/mailer";

/// A sidecar, the mail server, and where its emails are.
async fn start(subject: &Subject) -> (World, MailSink, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder");
    let sink = MailSink::start("127.0.0.1:0".parse().expect("an address"), dir.path())
        .await
        .expect("a sink");
    let port = sink.addr().port();
    let yaml = format!(
        "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: mailer}}\nspec:\n  type: bindings.smtp\n  \
         version: v1\n  metadata:\n  - {{name: host, value: 127.0.0.1}}\n  - {{name: port, value: '{port}'}}\n"
    );
    (Setup::default().resource(&yaml).start(subject).await, sink, dir)
}

/// Every mail that the server took, oldest first.
fn emails(sink: &MailSink) -> Vec<String> {
    let paths = sink.emails().expect("a readable folder");
    paths
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a whole mail"))
        .collect()
}

/// A mail as email-delivery sends it: with every field.
fn fields(to: &str, subject: &str) -> Vec<(String, String)> {
    [
        ("emailFrom", "nudge@example.com"),
        ("emailTo", to),
        ("subject", subject),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

pub(crate) async fn a_mail_arrives(subject: Subject) {
    let (world, sink, _dir) = start(&subject).await;
    let mut bridge = world.bridge().await;
    let sent = call!(
        bridge,
        nudge_dapr_bindings.call_invoke(
            "mailer".into(),
            "create".into(),
            fields("a@example.com", "Hi äö"),
            json!("<h1>Hello</h1>").to_string(),
        )
    );
    assert_eq!(sent, Ok(Vec::new()));
    let mail = &emails(&sink)[0];
    for line in [
        "From: nudge@example.com",
        "To: a@example.com",
        "Subject: =?UTF-8?q?Hi_=C3=A4=C3=B6?=",
        "X-priority: 3",
    ] {
        assert!(mail.contains(&format!("{line}\r\n")), "{line} in {mail}");
    }
    assert!(mail.contains("<h1>Hello</h1>"), "{mail}");
}

pub(crate) async fn two_emails_in_a_row_do_not_mix(subject: Subject) {
    let (world, sink, _dir) = start(&subject).await;
    let mut bridge = world.bridge().await;
    for user in ["alice", "bob"] {
        let to = format!("{user}@example.com");
        let sent = call!(
            bridge,
            nudge_dapr_bindings.call_invoke(
                "mailer".into(),
                "create".into(),
                fields(&to, &format!("for {user}")),
                json!(format!("<p>secret of {user}</p>")).to_string(),
            )
        );
        assert_eq!(sent, Ok(Vec::new()));
    }
    for (mail, (user, other)) in emails(&sink).iter().zip([("alice", "bob"), ("bob", "alice")]) {
        assert!(mail.contains(&format!("To: {user}@example.com\r\n")), "{mail}");
        assert!(mail.contains(&format!("secret of {user}")), "{mail}");
        assert!(!mail.contains(other), "{mail}");
    }
    assert_eq!(emails(&sink).len(), 2);
}

/// A mail's recipient, subject and body, each of which is a number here.
fn numbers(mail: &str) -> [usize; 3] {
    let between = |start: &str, end: &str| {
        let (_, rest) = mail.split_once(start).expect("it is there");
        let (number, _) = rest.split_once(end).expect("it ends");
        number.parse().expect("a number")
    };
    [
        between("\r\nTo: user-", "@"),
        between("\r\nSubject: No. ", "\r\n"),
        between("<p>Body ", "</p>"),
    ]
}

/// A call that sends mail number so-and-so, by hand: the bridge would make one at a time.
async fn send(world: &World, number: usize) {
    let mail = json!({
        "operation": "create",
        "metadata": {
            "emailFrom": "nudge@example.com",
            "emailTo": format!("user-{number}@example.com"),
            "subject": format!("No. {number}"),
            "priority": "3",
        },
        "data": format!("<p>Body {number}</p>"),
    });
    assert_eq!(world.post(MAILER, &mail.to_string()).await.status, 204);
}

/// Why email-delivery's sidecar gets `--app-max-concurrency 1`. In the real one the moment is short: of 1,000 emails of 16 callers
/// it is some three.
pub(crate) async fn emails_that_are_sent_at_the_same_time_mix(subject: Subject) {
    const CALLERS: usize = 16;
    const EACH: usize = 25;
    /// By then one is as good as certain.
    const MOST: usize = 20_000;
    let (world, sink, _dir) = start(&subject).await;
    let (mut sent, mut read) = (0, 0);
    let mixed = loop {
        let callers = (0..CALLERS).map(|caller| {
            let (world, first) = (&world, sent + caller * EACH);
            async move {
                for number in first..first + EACH {
                    send(world, number).await;
                }
            }
        });
        futures::future::join_all(callers).await;
        sent += CALLERS * EACH;
        let paths = sink.emails().expect("a readable folder");
        assert_eq!(paths.len(), sent, "none is lost, and none is doubled");
        let mut emails = paths
            .iter()
            .skip(read)
            .map(|path| numbers(&std::fs::read_to_string(path).expect("a whole mail")));
        if let Some(mixed) = emails.find(|[to, subject, body]| to != body || subject != body) {
            break mixed;
        }
        read = sent;
        assert!(
            sent < MOST,
            "of {sent} emails none is mixed up: is the fault mended?"
        );
    };
    eprintln!("{}: among {sent} emails, {mixed:?}", subject.name());
}

/// The real one keeps what a request said for the next, so every request must have every field.
pub(crate) async fn a_field_that_is_left_out_is_that_of_the_mail_before(subject: Subject) {
    let (world, sink, _dir) = start(&subject).await;
    let mail = |metadata: serde_json::Value, data: &str| {
        json!({ "operation": "create", "metadata": metadata, "data": data }).to_string()
    };
    let first = json!({
        "emailFrom": "nudge@example.com", "emailTo": "a@example.com", "emailCC": "c@example.com", "subject": "one",
    });
    assert_eq!(world.post(MAILER, &mail(first, "1")).await.status, 204);
    assert_eq!(
        world
            .post(MAILER, &mail(json!({ "subject": "two" }), "2"))
            .await
            .status,
        204
    );
    let second = &emails(&sink)[1];
    for line in [
        "From: nudge@example.com",
        "To: a@example.com",
        "Cc: c@example.com",
        "Subject: two",
    ] {
        assert!(second.contains(&format!("{line}\r\n")), "{line} in {second}");
    }
}

pub(crate) async fn what_the_mail_server_says_is_passed_on(subject: Subject) {
    let (world, sink, _dir) = start(&subject).await;
    let mut bridge = world.bridge().await;
    for (stage, code, text) in [
        (Stage::Rcpt, 550, "5.1.1 no such user"),
        (Stage::Data, 451, "4.3.0 try later"),
    ] {
        sink.inject(Fault {
            stage,
            code,
            text: text.to_owned(),
            times: 1,
        });
        let failed = call!(
            bridge,
            nudge_dapr_bindings.call_invoke(
                "mailer".into(),
                "create".into(),
                fields("a@example.com", "x"),
                json!("x").to_string(),
            )
        );
        let error = failed.unwrap_err();
        assert_eq!(kind(&error).1, Some(500));
        let expected = format!(
            "error invoking output binding mailer: error from smtp binding, sending email failed: gomail: could not send \
             email 1: {code} {text}"
        );
        assert!(
            format!("{error:?}").contains(&format!("{expected:?}")),
            "{error:?}"
        );
    }
    sink.treat("cut@example.com", Treatment::Disconnect);
    let (to, data) = (fields("cut@example.com", "x"), json!("x").to_string());
    let failed = call!(
        bridge,
        nudge_dapr_bindings.call_invoke("mailer".into(), "create".into(), to, data)
    );
    let error = format!("{:?}", failed.unwrap_err());
    assert!(
        error.contains("sending email failed: gomail: could not send email 1: EOF"),
        "{error}"
    );
    assert_eq!(emails(&sink).len(), 0);
}

pub(crate) async fn what_is_refused_is_named(subject: Subject) {
    let (world, _sink, _dir) = start(&subject).await;
    for (path, body, message) in [
        (
            MAILER,
            r#"{"operation": "get", "metadata": {}, "data": "b"}"#,
            "error invoking output binding mailer: binding mailer does not support operation get. supported \
             operations:create",
        ),
        (
            "/v1.0/bindings/zzz",
            r#"{"operation": "create", "data": "b"}"#,
            "error invoking output binding zzz: couldn't find output binding zzz",
        ),
    ] {
        let expected = json!({ "errorCode": "ERR_INVOKE_OUTPUT_BINDING", "message": message });
        assert_eq!(told(&world.post(path, body).await), (500, expected));
    }
    let mut bridge = world.bridge().await;
    let error = call!(
        bridge,
        nudge_dapr_bindings.call_invoke("zzz".into(), "create".into(), Vec::new(), json!("b").to_string())
    );
    assert_eq!(kind(&error.unwrap_err()), ("no-such-component", Some(500)));
}
