//! One SMTP connection: `mailin` knows the dialogue, this feeds it lines and stores what comes out.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use mailin::{Action, Handler, Response, SessionBuilder, response};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::complete::complete;
use crate::fault::{Faults, Stage};
use crate::incoming::Sending;
use crate::spool::Spool;

/// The largest mail that is accepted, in bytes.
pub(crate) const LARGEST_MAIL: usize = 10 * 1024 * 1024;

/// The longest line: RFC 5321 section 4.5.3.1.6 asks for 1,000 bytes, mailers are known to send more.
const LONGEST_LINE: u64 = 64 * 1024;

/// What becomes of a message that has arrived whole.
enum Verdict {
    Store(Vec<u8>),
    Refuse(u16, String),
}

/// What the dialogue leaves for the connection to do: `mailin` calls back without `async`, and an error from
/// `data_end` would leave it waiting for more of the same message.
type Outbox = Arc<Mutex<Option<Verdict>>>;

struct Mail {
    faults: Arc<Faults>,
    from: String,
    body: Vec<u8>,
    too_large: bool,
    outbox: Outbox,
}

impl Handler for Mail {
    fn rcpt(&mut self, _to: &str) -> Response {
        self.faults
            .strike(Stage::Rcpt)
            .map_or(response::OK, |(code, text)| Response::custom(code, text))
    }

    fn data_start(&mut self, _domain: &str, from: &str, _is8bit: bool, _to: &[String]) -> Response {
        self.from = from.to_owned();
        self.body.clear();
        self.too_large = false;
        response::OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        if self.body.len() + line.len() > LARGEST_MAIL {
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
            Verdict::Refuse(552, format!("Message larger than {LARGEST_MAIL} bytes"))
        } else if let Some((code, text)) = self.faults.strike(Stage::Data) {
            Verdict::Refuse(code, text)
        } else {
            // RFC 5321 section 4.4: final delivery records the reverse path.
            let mut mail = format!("Return-Path: <{}>\r\n", self.from).into_bytes();
            mail.append(&mut self.body);
            Verdict::Store(mail)
        };
        *self.outbox.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
        response::OK
    }
}

/// Serves one client until it quits or hangs up.
pub(crate) async fn serve(
    stream: TcpStream,
    spool: Arc<Spool>,
    faults: Arc<Faults>,
    sending: Sending,
) -> io::Result<()> {
    let mut sending = Some(sending);
    let peer = stream.peer_addr()?;
    let mut stream = BufReader::new(stream);
    let outbox = Outbox::default();
    let mail = Mail {
        faults,
        from: String::new(),
        body: Vec::new(),
        too_large: false,
        outbox: outbox.clone(),
    };
    let mut session = SessionBuilder::new("mail-sink.localhost").build(peer.ip(), mail);
    write(&mut stream, &session.greeting()).await?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if (&mut stream)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .await?
            == 0
        {
            return Ok(());
        }
        if line.last() != Some(&b'\n') {
            return write(&mut stream, &Response::custom(500, "Line too long".to_owned())).await;
        }
        let mut answer = session.process(&line);
        let verdict = outbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ended = verdict.is_some();
        match verdict {
            Some(Verdict::Refuse(code, text)) => answer = Response::custom(code, text),
            Some(Verdict::Store(mail)) => {
                if let Err(error) = store(spool.clone(), mail).await {
                    tracing::error!(%error, "a mail could not be stored");
                    answer = response::INTERNAL_ERROR;
                }
            }
            None => {}
        }
        if ended {
            // Before the client hears of it and has another one begin.
            drop(sending.take());
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

async fn store(spool: Arc<Spool>, mail: Vec<u8>) -> io::Result<()> {
    let stored = tokio::task::spawn_blocking(move || {
        let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
        spool.store(&complete(&mail, &now), &now)
    });
    let path = stored.await.map_err(io::Error::other)??;
    tracing::info!(path = %path.display(), "mail stored");
    Ok(())
}
