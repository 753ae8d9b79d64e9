//! What each request of a user passes before it does anything.

pub(crate) mod idempotency;
pub(crate) mod in_flight;
pub(crate) mod open_feeds;
pub(crate) mod rate_limit;
pub(crate) mod scope;
