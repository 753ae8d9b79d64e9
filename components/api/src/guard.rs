//! What each request of a user passes before it does anything.

pub(crate) mod idempotency;
pub(crate) mod rate_limit;
