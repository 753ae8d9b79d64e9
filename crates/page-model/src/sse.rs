//! Server-sent events out of a stream of bytes (HTML Living Standard, section 9.2.6).

/// One event that was dispatched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The field `event`; `message` if there was none.
    pub kind: String,
    /// The lines of `data`, joined with line feeds.
    pub data: String,
    /// The last `id` of the stream up to here; empty if there was none.
    pub id: String,
}

/// Longest line, and longest data of one event, that is kept: more than any answer of the API. What is longer is dropped, so that a
/// stream that is none cannot fill the memory.
const LONGEST: usize = 8 * 1024 * 1024;

/// Reads a stream chunk by chunk. Chunks may be cut anywhere, also inside a character.
///
/// ```
/// use nudge_page_model::sse::Parser;
///
/// let mut parser = Parser::default();
/// assert!(parser.feed(b"id: 1\ndata: o").is_empty());
/// assert_eq!(parser.feed(b"ne\n\n")[0].data, "one");
/// assert_eq!(parser.last_id(), "1");
/// ```
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    started: bool,
    after_carriage_return: bool,
    kind: String,
    data: String,
    has_data: bool,
    id: String,
    last_id: String,
    retry: Option<u32>,
}

impl Parser {
    /// Takes the next bytes and returns the events that they complete. An event that the end of the stream cuts off is dropped, as the
    /// standard says.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            let line_feed_of_pair = byte == b'\n' && self.after_carriage_return;
            self.after_carriage_return = byte == b'\r';
            match byte {
                _ if line_feed_of_pair => {}
                b'\r' | b'\n' => events.extend(self.end_line()),
                _ if self.line.len() < LONGEST => self.line.push(byte),
                _ => {}
            }
        }
        events
    }

    /// The id of the last event that was dispatched, for `Last-Event-ID`.
    pub fn last_id(&self) -> &str {
        &self.last_id
    }

    /// What the server asked for with `retry`: milliseconds to wait before the next connection.
    pub fn retry(&self) -> Option<u32> {
        self.retry
    }

    fn end_line(&mut self) -> Option<Event> {
        let bytes = std::mem::take(&mut self.line);
        let mut rest = bytes.as_slice();
        if !self.started {
            self.started = true;
            rest = rest.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(rest);
        }
        if rest.is_empty() {
            return self.dispatch();
        }
        let line = String::from_utf8_lossy(rest);
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        self.field(name, value.strip_prefix(' ').unwrap_or(value));
        None
    }

    /// A comment has an empty name, and is ignored like every name that the standard does not know.
    fn field(&mut self, name: &str, value: &str) {
        match name {
            "event" => value.clone_into(&mut self.kind),
            "data" if self.data.len() + value.len() < LONGEST => {
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(value);
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok().or(self.retry);
            }
            _ => {}
        }
    }

    fn dispatch(&mut self) -> Option<Event> {
        self.id.clone_into(&mut self.last_id);
        let kind = std::mem::take(&mut self.kind);
        let data = std::mem::take(&mut self.data);
        std::mem::take(&mut self.has_data).then(|| Event {
            kind: if kind.is_empty() {
                "message".to_owned()
            } else {
                kind
            },
            data,
            id: self.last_id.clone(),
        })
    }
}
