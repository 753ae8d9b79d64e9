//! One SMTP connection: `mailin` implements the dialogue; this reads the lines and stores the messages.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mailin::{Action, Handler, Response, SessionBuilder, response};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::connections::Connection;
use crate::fault::{Faults, Stage};
use crate::recipient::{Recipients, Treatment};
use crate::spool::Spool;

/// The largest email that is accepted, in bytes.
const MAX_EMAIL: usize = 10 * 1024 * 1024;

/// The longest line, in bytes: RFC 5321 section 4.5.3.1.6 requires 1,000, and some clients send more.
const MAX_LINE: u64 = 64 * 1024;

/// How many commands may be refused as such before the session ends.
const MAX_MISTAKES: usize = 10;

/// How long a client may take for a line: RFC 5321 section 4.5.3.2.7.
const LINE_TIMEOUT: Duration = Duration::from_secs(300);

/// What to do with a message that is complete.
enum Verdict {
    Store(Vec<u8>),
    Refuse(u16, String),
}

/// What the connection has to do after the dialogue: `mailin` calls back without `async`, and an error from
/// `data_end` would make it wait for more of the same message.
type Outbox = Arc<Mutex<Option<Verdict>>>;

/// What a recipient makes the connection do before it replies.
#[derive(Clone, Copy)]
enum Pause {
    Wait(Duration),
    Disconnect,
}

struct Message {
    faults: Arc<Faults>,
    recipients: Arc<Recipients>,
    pause: Arc<Mutex<Option<Pause>>>,
    from: String,
    body: Vec<u8>,
    too_large: bool,
    outbox: Outbox,
}

impl Handler for Message {
    fn rcpt(&mut self, to: &str) -> Response {
        let pause = match self.recipients.named(to) {
            Some(Treatment::Refuse(code, text)) => return Response::custom(code, text),
            Some(Treatment::Delay(time)) => Some(Pause::Wait(time)),
            Some(Treatment::Disconnect) => Some(Pause::Disconnect),
            None => None,
        };
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = pause;
        self.faults
            .take(Stage::Rcpt)
            .map_or(response::OK, |(code, text)| Response::custom(code, text))
    }

    fn data_start(&mut self, _domain: &str, from: &str, _is8bit: bool, _to: &[String]) -> Response {
        self.from = from.to_owned();
        self.body.clear();
        self.too_large = false;
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        if self.body.len() + line.len() > MAX_EMAIL {
            self.too_large = true;
            self.body.clear();
        }
        if !self.too_large {
            self.body.extend_from_slice(line);
        }
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let verdict = if self.too_large {
            Verdict::Refuse(552, format!("Message larger than {MAX_EMAIL} bytes"))
        } else if let Some((code, text)) = self.faults.take(Stage::Data) {
            Verdict::Refuse(code, text)
        } else {
            // RFC 5321 section 4.4: final delivery records the reverse path.
            let mut email = format!("Return-Path: <{}>\r\n", self.from).into_bytes();
            email.append(&mut self.body);
            Verdict::Store(email)
        };
        *self.outbox.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        response::OK
    }
}

/// Ends the session of a client that does not speak SMTP. In a browser, a page can send an HTTP request whose body contains SMTP commands;
/// the first line of that request ends the session.
#[derive(Default)]
struct Manners {
    greeted: bool,
    mistakes: usize,
}

impl Manners {
    /// Returns the reply that ends the session, if the reply to `line` is one too many.
    fn judge(&mut self, line: &[u8], code: u16) -> Option<Response> {
        let verb = line.get(..4).unwrap_or_default();
        if (200..300).contains(&code) {
            self.greeted |= verb.eq_ignore_ascii_case(b"EHLO") || verb.eq_ignore_ascii_case(b"HELO");
        }
        // Unknown commands, wrong parameters, a wrong order; not mailboxes and messages that are refused.
        if !(500..=504).contains(&code) {
            return None;
        }
        self.mistakes += 1;
        (!self.greeted || self.mistakes > MAX_MISTAKES)
            .then(|| Response::custom(421, "This is not SMTP, closing connection".to_owned()))
    }
}

/// Serves one client until it quits, disconnects or makes too many mistakes.
pub(crate) async fn serve(
    stream: TcpStream,
    spool: Arc<Spool>,
    faults: Arc<Faults>,
    recipients: Arc<Recipients>,
    connection: Connection,
) -> io::Result<()> {
    let mut connection = Some(connection);
    let peer = stream.peer_addr()?;
    let mut stream = BufReader::new(stream);
    let outbox = Outbox::default();
    let pause = Arc::new(Mutex::new(None));
    let message = Message {
        faults,
        recipients,
        pause: pause.clone(),
        from: String::new(),
        body: Vec::new(),
        too_large: false,
        outbox: outbox.clone(),
    };
    let mut session = SessionBuilder::new("mail-sink.localhost").build(peer.ip(), message);
    write(&mut stream, &session.greeting()).await?;
    let (mut line, mut manners) = (Vec::new(), Manners::default());
    loop {
        line.clear();
        let mut limited = (&mut stream).take(MAX_LINE);
        let Ok(read) = timeout(LINE_TIMEOUT, limited.read_until(b'\n', &mut line)).await else {
            return write(&mut stream, &Response::custom(421, "Timeout".to_owned())).await;
        };
        if read? == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            return write(&mut stream, &Response::custom(500, "Line too long".to_owned())).await;
        }
        let mut answer = session.process(&line);
        let paused = pause.lock().unwrap_or_else(PoisonError::into_inner).take();
        match paused {
            Some(Pause::Wait(time)) => tokio::time::sleep(time).await,
            Some(Pause::Disconnect) => return Ok(()),
            None => {}
        }
        let verdict = outbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = verdict.is_some();
        match verdict {
            Some(Verdict::Refuse(code, text)) => answer = Response::custom(code, text),
            Some(Verdict::Store(email)) => {
                if let Err(error) = store(spool.clone(), email).await {
                    tracing::error!(%error, "an email could not be stored");
                    answer = response::INTERNAL_ERROR;
                }
            }
            None => {}
        }
        if ended {
            // Before the client gets the reply and another client starts.
            drop(connection.take());
        }
        if let Some(end) = manners.judge(&line, answer.code) {
            return write(&mut stream, &end).await;
        }
        write(&mut stream, &answer).await?;
        if answer.action == Action::Close {
            return Ok(());
        }
    }
}

async fn write(stream: &mut BufReader<TcpStream>, answer: &Response) -> io::Result<()> {
    let mut bytes = Vec::new();
    answer.write_to(&mut bytes)?;
    stream.write_all(&bytes).await
}

async fn store(spool: Arc<Spool>, email: Vec<u8>) -> io::Result<()> {
    let stored = tokio::task::spawn_blocking(move || spool.store(&email, jiff::Timestamp::now()));
    let path = stored.await.map_err(io::Error::other)??;
    tracing::info!(path = %path.display(), "email stored");
    Ok(())
}
