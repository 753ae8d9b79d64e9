//! How the smtp binding writes headers and reads addresses: email-delivery encodes what this would change (decision 0033).

use mail_parser::MessageParser;
use mail_sink::MailSink;
use serde_json::{Value, json};

use crate::bench::{Setup, Subject, World, told};

/// A sidecar with a binding, and the mail server that it uses.
struct Post {
    world: World,
    sink: MailSink,
    _folder: tempfile::TempDir,
}

impl Post {
    async fn start(subject: &Subject) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sink = MailSink::start(([127, 0, 0, 1], 0).into(), folder.path())
            .await
            .expect("a sink");
        let yaml = format!(
            "apiVersion: dapr.io/v1alpha1\nkind: Component\nmetadata: {{name: mailer}}\nspec:\n  type: bindings.smtp\n  \
             version: v1\n  metadata:\n  - {{name: host, value: 127.0.0.1}}\n  - {{name: port, value: '{}'}}\n",
            sink.addr().port()
        );
        Self {
            world: Setup::default().resource(&yaml).start(subject).await,
            sink,
            _folder: folder,
        }
    }

    /// The sidecar's response to an email.
    async fn send(&self, from: &str, to: &str, subject: &str, html: &str) -> (u16, Value) {
        let metadata = json!({ "emailFrom": from, "emailTo": to, "subject": subject, "priority": "3" });
        let body = json!({ "operation": "create", "metadata": metadata, "data": html });
        let answer = self.world.post("/v1.0/bindings/mailer", &body.to_string()).await;
        match answer.status.as_u16() {
            204 => (204, Value::Null),
            _ => told(&answer),
        }
    }

    /// The email that arrived last.
    fn last(&self) -> Vec<u8> {
        let paths = self.sink.emails().expect("a readable folder");
        std::fs::read(paths.last().expect("a mail")).expect("a whole mail")
    }

    /// Sends an email with a subject, and returns the lines of its header as they arrive.
    async fn lines(&self, subject: &str) -> Vec<String> {
        let sent = self
            .send("nudge@example.com", "a@example.com", subject, "x")
            .await;
        assert_eq!(sent, (204, Value::Null), "{subject:?}");
        let mail = String::from_utf8(self.last()).expect("ASCII");
        let start = mail.find("\r\nSubject: ").expect("a subject") + 2;
        let mut lines = mail[start..].split("\r\n");
        let first = lines.next().map(str::to_owned);
        let folded = lines.take_while(|line| line.starts_with([' ', '\t']));
        first.into_iter().chain(folded.map(str::to_owned)).collect()
    }
}

/// ASCII passes, encoded words too; the rest is Q-encoded, control characters with it. Each is folded at spaces.
pub(crate) async fn a_header_is_encoded_and_folded_like_this(subject: Subject) {
    let post = Post::start(&subject).await;
    for asis in ["plain", "=?UTF-8?B?SGVsbG8=?= world", "a\tb", "a   b"] {
        assert_eq!(post.lines(asis).await, [format!("Subject: {asis}")]);
    }
    for (text, encoded) in [
        ("a\r\n b", "=?UTF-8?q?a=0D=0A_b?="),
        (
            "a\r\nBcc: evil@example.com",
            "=?UTF-8?q?a=0D=0ABcc:_evil@example.com?=",
        ),
        ("a\u{7f}b", "=?UTF-8?q?a=7Fb?="),
        (
            "é =?UTF-8?B?SGVsbG8=?=",
            "=?UTF-8?q?=C3=A9_=3D=3FUTF-8=3FB=3FSGVsbG8=3D=3F=3D?=",
        ),
    ] {
        assert_eq!(post.lines(text).await, [format!("Subject: {encoded}")]);
    }
    for (text, lengths) in [
        ("w ".repeat(100), vec![74, 74, 61]),
        ("a  ".repeat(60), vec![74, 75, 40]),
        ("x".repeat(200), vec![209]),
        (format!("short {} end", "x".repeat(300)), vec![14, 301, 4]),
        (
            "Привет ".repeat(20),
            vec![157, 75, 74, 75, 75, 74, 75, 75, 74, 75, 75],
        ),
        ("日本".repeat(40), [vec![84], vec![76; 10], vec![40]].concat()),
    ] {
        let lines: Vec<usize> = post.lines(&text).await.iter().map(String::len).collect();
        assert_eq!(lines, lengths, "{text:?}");
    }
}

/// This is what email-delivery relies on: words of at most 66 and 74 octets, one space between them.
pub(crate) async fn encoded_words_are_folded_as_rfc_2047_asks(subject: Subject) {
    let post = Post::start(&subject).await;
    let word = |octets: usize| format!("=?UTF-8?Q?{}?=", "w".repeat(octets - 12));
    for words in [2, 3, 8, 14] {
        for last in [13, 40, 67, 68, 73, 74] {
            let value = [vec![word(66)], vec![word(74); words - 2], vec![word(last)]].concat();
            let lines = post.lines(&value.join(" ")).await;
            assert_eq!(lines.len(), words, "{lines:?}");
            assert!(lines.iter().all(|line| line.len() <= 76), "{lines:?}");
        }
    }
    for (value, text) in [
        (
            "=?UTF-8?B?UmVtaW5kZXI6IA==?= =?UTF-8?Q?Gr=C3=BC=C3=9Fe__?= =?UTF-8?B?8J+YgA==?=",
            "Reminder: Grüße  😀",
        ),
        (
            "=?UTF-8?Q?=3D=3FUTF-8=3FB=3FSGVsbG8=3D=3F=3D_world?=",
            "=?UTF-8?B?SGVsbG8=?= world",
        ),
    ] {
        post.lines(value).await;
        let mail = post.last();
        let message = MessageParser::new().parse(&mail).expect("a message");
        assert_eq!(message.subject(), Some(text));
    }
}

/// Whatever a JSON text holds arrives, although the binding reads it as a string of Go's.
pub(crate) async fn every_body_arrives(subject: Subject) {
    let post = Post::start(&subject).await;
    let long = "x".repeat(2_000);
    for html in [
        "<p>a &amp; b</p>",
        "quote \" backslash \\ slash / tick ` apostrophe ' \\n \\u0041",
        "tab\there, bell\u{7}, escape\u{1b}, delete\u{7f}",
        "שלום \u{202e}abc\u{2028}d\u{2029}e 👩\u{200d}👧 \u{10ffff}",
        "a = b =3D\r\n.\r\n..dots\r\nend",
        &long,
    ] {
        let sent = post.send("nudge@example.com", "a@example.com", "s", html).await;
        assert_eq!(sent, (204, Value::Null), "{html:?}");
        let mail = post.last();
        let message = MessageParser::new().parse(&mail).expect("a message");
        let shown = message.body_html(0).expect("HTML");
        assert_eq!(shown.trim_end_matches("\r\n"), html);
    }
}

pub(crate) async fn an_address_that_is_none_is_named(subject: Subject) {
    let post = Post::start(&subject).await;
    let missing_at = "mail: missing '@' or angle-addr";
    for (to, named, words) in [
        ("alice", "alice", missing_at),
        ("a..b@example.com", "a..b@example.com", missing_at),
        (".a@example.com", ".a@example.com", missing_at),
        ("a@example.com.", "a@example.com.", missing_at),
        ("a,b@example.com", "a,b@example.com", missing_at),
        ("a(comment)@example.com", "a(comment)@example.com", missing_at),
        ("a b@example.com", "a b@example.com", "mail: no angle-addr"),
        (
            "@example.com",
            "@example.com",
            "mail: missing word in phrase: mail: invalid string",
        ),
        ("a@b@c", "a@b@c", "mail: expected single address, got \"@c\""),
        (
            "a@example.com,b@example.com",
            "a@example.com,b@example.com",
            "mail: expected single address, got \",b@example.com\"",
        ),
        ("a@example.com;", "", "mail: no address"),
        ("a@example.com;b..c@example.com", "b..c@example.com", missing_at),
        (
            "a@example.com\r\nX: y",
            "=?UTF-8?q?a@example.com=0D=0AX:_y?=",
            "mail: expected single address, got \":_y?=\"",
        ),
    ] {
        let sent = post.send("nudge@example.com", to, "s", "x").await;
        assert_eq!(sent, (500, invalid(named, words)), "{to:?}");
    }
    let sent = post.send("nudge..x@example.com", "alice", "s", "x").await;
    assert_eq!(
        sent,
        (500, invalid("nudge..x@example.com", missing_at)),
        "the sender comes first"
    );
    assert_eq!(post.sink.emails().expect("a readable folder").len(), 0);
}

fn invalid(address: &str, words: &str) -> Value {
    json!({
        "errorCode": "ERR_INVOKE_OUTPUT_BINDING",
        "message": format!(
            "error invoking output binding mailer: error from smtp binding, sending email failed: gomail: could not send \
             email 1: gomail: invalid address {address:?}: {words}"
        ),
    })
}

pub(crate) async fn an_address_may_have_a_name(subject: Subject) {
    let post = Post::start(&subject).await;
    for (to, line) in [
        ("Alice <a@example.com>", "To: Alice <a@example.com>"),
        ("<a@example.com>", "To: <a@example.com>"),
        ("a@example.com (Alice)", "To: a@example.com (Alice)"),
        (
            "a@example.com; b@example.com",
            "To: a@example.com,  b@example.com",
        ),
        ("a@xn--bcher-kva.example", "To: a@xn--bcher-kva.example"),
        (
            "!#$%&'*+-/=?^_`{|}~.0@example.com",
            "To: !#$%&'*+-/=?^_`{|}~.0@example.com",
        ),
    ] {
        let sent = post.send("Nudge at Home <nudge@example.com>", to, "s", "x").await;
        assert_eq!(sent, (204, Value::Null), "{to:?}");
        let mail = String::from_utf8(post.last()).expect("ASCII");
        for line in [line, "From: Nudge at Home <nudge@example.com>"] {
            assert!(mail.contains(&format!("{line}\r\n")), "{line} in {mail}");
        }
    }
    let encoded = "=?UTF-8?B?TsO8ZGdl?= <nudge@example.com>";
    let sent = post.send(encoded, "a@example.com", "s", "x").await;
    assert_eq!(sent, (204, Value::Null));
    let mail = post.last();
    let message = MessageParser::new().parse(&mail).expect("a message");
    let from = message.from().and_then(|from| from.first()).expect("a sender");
    assert_eq!(from.name(), Some("Nüdge"));
    let sent = post
        .send("Nüdge <nudge@example.com>", "a@example.com", "s", "x")
        .await;
    let whole = "=?UTF-8?q?N=C3=BCdge_<nudge@example.com>?=";
    let words = "mail: expected single address, got \"?=\"";
    assert_eq!(sent, (500, invalid(whole, words)));
}
