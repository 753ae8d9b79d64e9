//! What the server allows.

use std::time::Duration;

/// The bounds of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of connections. If another client connects, the connection that has been without a request for longest is
    /// closed. A connection that [`Client::keep`](crate::Client::keep) was called for is never closed for that reason.
    pub connections: usize,
    /// How many more connections are accepted when all of them have requests in flight.
    /// [`Client::is_beyond_limit`](crate::Client::is_beyond_limit) is true on these, so that the service can respond to the requests it must
    /// not lose, and refuse the others.
    pub reserved_connections: usize,
    /// Maximum size of a request's head, in bytes; beyond it the response is 431.
    pub head_bytes: usize,
    /// Maximum time from the first to the last byte of a request's head; then the connection is closed.
    pub head: Duration,
    /// Maximum time that a connection stays open without a request.
    pub idle: Duration,
    /// How slowly a request's body may arrive while it is read; then reading it fails with [`BodyError::TooSlow`].
    ///
    /// [`BodyError::TooSlow`]: crate::BodyError::TooSlow
    pub request_body: Pace,
    /// How slowly a client may read while something is to be written; then the connection is closed.
    pub response: Pace,
}

impl Default for Limits {
    /// Generous to slow phones: a pace of 500 bytes per second, as Apache's `mod_reqtimeout` has it.
    fn default() -> Self {
        let pace = Pace {
            patience: Duration::from_secs(30),
            bytes_per_second: 500,
        };
        Self {
            connections: 1024,
            reserved_connections: 64,
            head_bytes: 32 * 1024,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            request_body: pace,
            response: pace,
        }
    }
}

/// How slow the other side may be. Waiting for it uses up [`Pace::patience`], and each byte gives some back, but never more than
/// there was at first. So a transfer may stall for `patience` once, and is never slower than `bytes_per_second` for long: sending
/// one byte now and then does not keep it alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Maximum time that a transfer stalls.
    pub patience: Duration,
    /// The lowest rate of a transfer in the long run, in bytes per second. Zero is treated as one.
    pub bytes_per_second: u32,
}
