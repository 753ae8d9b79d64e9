//! The sink as an SMTP client sees it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic as tests do"
)]

use std::time::{Duration, Instant};

use mail_sink::{Fault, MailSink, Stage, Treatment};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A client that sends one line and reads one reply.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(sink: &MailSink) -> Self {
        let stream = TcpStream::connect(sink.addr()).await.expect("the sink listens");
        let mut client = Self(BufReader::new(stream));
        assert_eq!(client.reply().await.0, 220);
        client
    }

    async fn command(&mut self, line: &str) -> (u16, String) {
        self.0
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .expect("the sink reads");
        self.reply().await
    }

    async fn reply(&mut self) -> (u16, String) {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("the sink replies");
            let (code, text) = line.split_at(3);
            if !text.starts_with('-') {
                return (code.parse().expect("a reply code"), text.trim().to_owned());
            }
        }
    }

    /// Sends one email and returns the code and text of the last reply.
    async fn send(&mut self, body: &str) -> (u16, String) {
        assert_eq!(self.command("MAIL FROM:<me@example.com>").await.0, 250);
        let (code, text) = self.command("RCPT TO:<you@example.com>").await;
        if code != 250 {
            assert_eq!(self.command("RSET").await.0, 250);
            return (code, text);
        }
        assert_eq!(self.command("DATA").await.0, 354);
        self.command(&format!("{body}\r\n.")).await
    }
}

async fn start() -> (MailSink, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder for emails");
    let addr = "127.0.0.1:0".parse().expect("a literal address");
    (
        MailSink::start(addr, dir.path().join("emails"))
            .await
            .expect("the sink starts"),
        dir,
    )
}

fn email(sink: &MailSink, index: usize) -> String {
    let emails = sink.emails().expect("the folder can be read");
    std::fs::read_to_string(&emails[index]).expect("a complete email")
}

#[tokio::test]
async fn an_email_is_on_disk_when_the_client_gets_250() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    assert_eq!(client.command("EHLO localhost").await.0, 250);
    assert_eq!(client.send("Subject: one\r\n\r\n..dotted").await.0, 250);
    assert_eq!(client.send("Subject: two\r\n\r\nhello").await.0, 250);
    let (first, second) = (email(&sink, 0), email(&sink, 1));
    assert!(
        first.contains("Return-Path: <me@example.com>") && first.contains("\r\n.dotted\r\n"),
        "{first}"
    );
    assert!(
        second.contains("Subject: two"),
        "emails are listed in the order of arrival: {second}"
    );
    assert_eq!(client.command("QUIT").await.0, 221);
    sink.shutdown().await;
}

/// What Dapr's smtp binding sends: HTML without a text part and without a `Message-ID`.
#[tokio::test]
async fn an_email_is_stored_as_it_was_sent() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    client.command("EHLO localhost").await;
    let sent = "Mime-Version: 1.0\r\nSubject: =?UTF-8?q?Gr=C3=BC=C3=9Fe?=\r\nContent-Type: text/html; charset=UTF-8\r\n\
                Content-Transfer-Encoding: quoted-printable\r\n\r\n<h1>Gr=C3=BC=C3=9Fe</h1>\r\n\r\n<p>so=\r\nft</p>";
    assert_eq!(client.send(sent).await.0, 250);
    assert_eq!(
        email(&sink, 0),
        format!("Return-Path: <me@example.com>\r\n{sent}\r\n")
    );
}

#[tokio::test]
async fn refuses_as_often_as_asked_and_then_accepts() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    client.command("EHLO localhost").await;
    let fault = |stage, code, text: &str, times| Fault {
        stage,
        code,
        text: text.to_owned(),
        times,
    };
    sink.inject(fault(Stage::Rcpt, 550, "5.1.1 no such user", 2));
    sink.inject(fault(Stage::Data, 451, "4.3.0 try later", 1));
    for _ in 0..2 {
        assert_eq!(client.send("\r\nx").await, (550, "5.1.1 no such user".to_owned()));
    }
    assert_eq!(client.send("\r\nx").await, (451, "4.3.0 try later".to_owned()));
    assert!(
        sink.emails().expect("a folder").is_empty(),
        "a refused email is not stored"
    );
    assert_eq!(client.send("\r\nx").await.0, 250);
}

#[tokio::test]
async fn treats_one_recipient_differently_every_time() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    client.command("EHLO localhost").await;
    sink.treat(
        "you@example.com",
        Treatment::Refuse(550, "5.1.1 no such user".to_owned()),
    );
    for _ in 0..3 {
        assert_eq!(client.send("\r\nx").await, (550, "5.1.1 no such user".to_owned()));
    }
    assert_eq!(sink.times_named("you@example.com"), 3);
    assert_eq!(client.command("MAIL FROM:<me@example.com>").await.0, 250);
    assert_eq!(client.command("RCPT TO:<another@example.com>").await.0, 250);
    assert_eq!(client.command("RSET").await.0, 250);

    let delay = Duration::from_millis(200);
    sink.treat("you@example.com", Treatment::Delay(delay));
    let begun = Instant::now();
    assert_eq!(client.send("\r\nx").await.0, 250);
    assert!(begun.elapsed() >= delay);
    assert_eq!(sink.emails().expect("a folder").len(), 1);

    sink.treat("you@example.com", Treatment::Disconnect);
    assert_eq!(client.command("MAIL FROM:<me@example.com>").await.0, 250);
    client
        .0
        .write_all(b"RCPT TO:<you@example.com>\r\n")
        .await
        .expect("the sink reads");
    let mut line = String::new();
    assert_eq!(client.0.read_line(&mut line).await.expect("an end"), 0, "{line}");
}

#[tokio::test]
async fn unknown_and_misplaced_commands_get_the_reply_codes_of_smtp() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    assert_eq!(client.command("EHLO localhost").await.0, 250);
    assert_eq!(client.command("GIBBERISH").await.0, 500);
    assert_eq!(client.command("DATA").await.0, 503);
    assert_eq!(client.send("\r\nstill alive").await.0, 250);
}

#[tokio::test]
async fn refuses_an_email_over_ten_mebibytes_and_accepts_the_next() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    client.command("EHLO localhost").await;
    let line = format!("{}\r\n", "x".repeat(998));
    let large = format!(
        "Subject: large\r\n\r\n{}",
        line.repeat(10 * 1024 * 1024 / line.len() + 1)
    );
    assert_eq!(client.send(&large).await.0, 552);
    assert!(sink.emails().expect("a folder").is_empty());
    assert_eq!(client.send("Subject: small\r\n\r\nx").await.0, 250);
}

#[tokio::test]
async fn counts_the_clients_that_send_at_the_same_time() {
    let (sink, _dir) = start().await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        // Each has got the reply to its email, and is still connected.
        let mut client = Client::connect(&sink).await;
        assert_eq!(client.command("HELO client.example.com").await.0, 250);
        assert_eq!(client.send("Subject: one\r\n\r\nafter the other").await.0, 250);
        clients.push(client);
    }
    assert_eq!(sink.most_at_once(), 1);
    let mut first = Client::connect(&sink).await;
    let mut second = Client::connect(&sink).await;
    for client in [&mut first, &mut second] {
        assert_eq!(client.command("HELO client.example.com").await.0, 250);
        assert_eq!(client.send("Subject: x\r\n\r\ntogether").await.0, 250);
    }
    assert_eq!(sink.most_at_once(), 2);
}

/// Everything that the sink sends until it closes the connection.
async fn replies_to(sink: &MailSink, text: &str) -> String {
    let mut stream = TcpStream::connect(sink.addr()).await.expect("the sink listens");
    // The sink may close the connection before everything is sent.
    let _ = stream.write_all(text.as_bytes()).await;
    let mut replies = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut replies).await;
    String::from_utf8(replies).expect("text")
}

#[tokio::test]
async fn smtp_in_an_http_request_is_not_accepted() {
    let (sink, _dir) = start().await;
    let smtp =
        "HELO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nhello\r\n.\r\nQUIT\r\n";
    for head in [
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "nonsense\r\n",
        "MAIL FROM:<a@example.com>\r\n",
    ] {
        let replies = replies_to(&sink, &format!("{head}{smtp}")).await;
        // The connection may be reset before the reply has been read.
        assert!(!replies.contains("250") && !replies.contains("354"), "{replies}");
    }
    assert!(sink.emails().expect("the folder can be read").is_empty());
    let replies = replies_to(&sink, "GET / HTTP/1.1\r\n").await;
    assert!(replies.contains("\r\n421 "), "{replies}");
}

#[tokio::test]
async fn too_many_bad_commands_end_the_session() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    assert_eq!(client.command("EHLO localhost").await.0, 250);
    for _ in 0..10 {
        assert_eq!(client.command("NONSENSE").await.0, 500);
    }
    assert_eq!(client.send("Subject: one\r\n\r\nhello").await.0, 250);
    assert_eq!(client.command("NONSENSE").await.0, 421);
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_emails() {
    use std::os::unix::fs::PermissionsExt as _;

    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    client.command("EHLO localhost").await;
    client.send("hello").await;
    let mode = |path: &std::path::Path| {
        let metadata = std::fs::metadata(path).expect("it exists");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(sink.dir()), 0o700);
    assert_eq!(mode(&sink.emails().expect("readable")[0]), 0o600);
}
