//! The sink as a mail client sees it.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests may panic as tests do"
)]

use mail_sink::{Fault, MailSink, Stage};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// A client that says one line and reads one answer.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(sink: &MailSink) -> Self {
        let stream = TcpStream::connect(sink.addr()).await.expect("the sink listens");
        let mut client = Self(BufReader::new(stream));
        assert_eq!(client.answer().await.0, 220);
        client
    }

    async fn say(&mut self, line: &str) -> (u16, String) {
        self.0
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .expect("the sink reads");
        self.answer().await
    }

    async fn answer(&mut self) -> (u16, String) {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await.expect("the sink answers");
            let (code, text) = line.split_at(3);
            if !text.starts_with('-') {
                return (code.parse().expect("a reply code"), text.trim().to_owned());
            }
        }
    }

    /// The code and text that the mail as a whole ended with.
    async fn send(&mut self, body: &str) -> (u16, String) {
        assert_eq!(self.say("MAIL FROM:<me@example.com>").await.0, 250);
        let (code, text) = self.say("RCPT TO:<you@example.com>").await;
        if code != 250 {
            assert_eq!(self.say("RSET").await.0, 250);
            return (code, text);
        }
        assert_eq!(self.say("DATA").await.0, 354);
        self.say(&format!("{body}\r\n.")).await
    }
}

async fn start() -> (MailSink, tempfile::TempDir) {
    let dir = tempfile::tempdir().expect("a folder for mails");
    let addr = "127.0.0.1:0".parse().expect("a literal address");
    (
        MailSink::start(addr, dir.path().join("mails"))
            .await
            .expect("the sink starts"),
        dir,
    )
}

fn mail(sink: &MailSink, index: usize) -> String {
    let mails = sink.mails().expect("the folder can be read");
    std::fs::read_to_string(&mails[index]).expect("a whole mail")
}

#[tokio::test]
async fn a_mail_is_on_disk_when_the_client_hears_250() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    assert_eq!(client.say("EHLO localhost").await.0, 250);
    assert_eq!(client.send("Subject: one\r\n\r\n..dotted").await.0, 250);
    assert_eq!(client.send("Subject: two\r\n\r\nhello").await.0, 250);
    let (first, second) = (mail(&sink, 0), mail(&sink, 1));
    assert!(
        first.contains("Return-Path: <me@example.com>") && first.contains("\r\n.dotted\r\n"),
        "{first}"
    );
    assert!(
        second.contains("Subject: two"),
        "mails are listed in the order of arrival: {second}"
    );
    assert_eq!(client.say("QUIT").await.0, 221);
    sink.shutdown().await;
}

#[tokio::test]
async fn refuses_as_often_as_asked_and_then_accepts() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    client.say("EHLO localhost").await;
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
        sink.mails().expect("a folder").is_empty(),
        "a refused mail is not stored"
    );
    assert_eq!(client.send("\r\nx").await.0, 250);
}

#[tokio::test]
async fn answers_nonsense_and_wrong_order_with_the_codes_of_smtp() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    assert_eq!(client.say("GIBBERISH").await.0, 500);
    assert_eq!(client.say("EHLO localhost").await.0, 250);
    assert_eq!(client.say("DATA").await.0, 503);
    assert_eq!(client.send("\r\nstill alive").await.0, 250);
}

#[tokio::test]
async fn refuses_a_mail_over_ten_mebibytes_and_takes_the_next() {
    let (sink, _dir) = start().await;
    let mut client = Client::connect(&sink).await;
    client.say("EHLO localhost").await;
    let line = format!("{}\r\n", "x".repeat(998));
    let large = format!(
        "Subject: large\r\n\r\n{}",
        line.repeat(10 * 1024 * 1024 / line.len() + 1)
    );
    assert_eq!(client.send(&large).await.0, 552);
    assert!(sink.mails().expect("a folder").is_empty());
    assert_eq!(client.send("Subject: small\r\n\r\nx").await.0, 250);
}

#[tokio::test]
async fn counts_the_clients_that_send_at_the_same_time() {
    let (sink, _dir) = start().await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        // Each has heard that its mail is accepted, and is still connected.
        let mut client = Client::connect(&sink).await;
        assert_eq!(client.say("HELO client.example.com").await.0, 250);
        assert_eq!(client.send("Subject: one\r\n\r\nafter the other").await.0, 250);
        clients.push(client);
    }
    assert_eq!(sink.most_at_once(), 1);
    let mut first = Client::connect(&sink).await;
    let mut second = Client::connect(&sink).await;
    for client in [&mut first, &mut second] {
        assert_eq!(client.say("HELO client.example.com").await.0, 250);
        assert_eq!(client.send("Subject: x\r\n\r\ntogether").await.0, 250);
    }
    assert_eq!(sink.most_at_once(), 2);
}
