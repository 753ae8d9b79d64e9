//! Categories and tags.

pub(crate) mod service;
pub(crate) mod store;
