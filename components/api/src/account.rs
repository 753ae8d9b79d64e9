//! Everything about a user: as one document, and deleted.

pub(crate) mod erasure;
pub(crate) mod export;
