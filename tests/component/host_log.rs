//! The calls of guests, as their host and their sidecar log them.

use std::cell::RefCell;
use std::fmt::Debug;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// A call of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// A database was opened.
    Opened(String),
    /// A statement was run: its text.
    Statement(String),
    /// The sidecar was called: the name of the function.
    Sidecar(String),
}

thread_local! {
    /// The calls of guests whose hosts run in this thread, since a test began to record.
    static LINES: RefCell<Option<Vec<Line>>> = const { RefCell::new(None) };
}

thread_local! {
    /// The log lines of guests whose hosts run in this thread, since a test began to record them.
    static GUESTS: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Begins to record what this thread's guests log.
pub(crate) fn record_guests() {
    GUESTS.set(Some(Vec::new()));
}

/// The lines so far, each with its fields. Others are recorded no more.
pub(crate) fn take_guests() -> Vec<String> {
    GUESTS.take().expect("a test that records")
}

/// The target of guests' lines.
const GUEST: &str = "spin_host::guest";

/// Listens to all hosts and sidecars, from before the first of them starts.
///
/// A subscriber of one test alone would miss lines: whether a log line is wanted is decided once for all threads, and a
/// thread that reaches the line first decides it with its own subscriber.
pub(crate) fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Listener);
        tracing::subscriber::set_global_default(subscriber).expect("no other subscriber is set");
    });
}

/// Begins to record the calls of this thread's guests.
pub(crate) fn record() {
    LINES.set(Some(Vec::new()));
}

/// The calls so far. Others are recorded no more.
pub(crate) fn take() -> Vec<Line> {
    LINES.take().expect("a test that records")
}

struct Listener;

/// What a line of a target is.
fn line_of(target: &str) -> Option<fn(String) -> Line> {
    match target {
        "spin_host::connection" => Some(Line::Opened),
        "spin_host::statement" => Some(Line::Statement),
        "nudge_test_kit::call" => Some(Line::Sidecar),
        _ => None,
    }
}

impl<S: Subscriber> Layer<S> for Listener {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == GUEST || line_of(metadata.target()).is_some()
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == GUEST {
            GUESTS.with_borrow_mut(|lines| {
                if let Some(lines) = lines {
                    let mut line = String::new();
                    event.record(&mut Everything(&mut line));
                    lines.push(line);
                }
            });
        }
        LINES.with_borrow_mut(|lines| {
            if let (Some(lines), Some(line)) = (lines, line_of(event.metadata().target())) {
                event.record(&mut Message(&mut |text| lines.push(line(text))));
            }
        });
    }
}

struct Message<'a>(&'a mut dyn FnMut(String));

impl Visit for Message<'_> {
    fn record_debug(&mut self, _: &Field, value: &dyn Debug) {
        (self.0)(format!("{value:?}"));
    }
}

struct Everything<'a>(&'a mut String);

impl Visit for Everything<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}
