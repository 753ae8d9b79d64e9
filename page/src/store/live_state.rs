//! What [`crate::live`] keeps in the store.

use web_sys::{AbortController, BroadcastChannel};

/// See the module. Only `live` changes it.
#[derive(Default)]
pub(crate) struct Live {
    /// The browser's events are listened to.
    pub(crate) listens: bool,
    /// This page leads.
    pub(crate) leads: bool,
    /// It leads, or waits until it can.
    pub(crate) runs: bool,
    /// Incremented by every start and stop: loops of a former run end.
    pub(crate) run: u32,
    pub(crate) channel: Option<BroadcastChannel>,
    /// Gives the lock back.
    pub(crate) release: Option<js_sys::Function>,
    /// Ends waiting for the lock.
    pub(crate) candidacy: Option<AbortController>,
    /// Ends the open stream.
    pub(crate) stream: Option<AbortController>,
    /// When the last bytes of the stream, or the last message of the leading page, arrived (milliseconds of the browser's clock).
    pub(crate) heard: f64,
}
