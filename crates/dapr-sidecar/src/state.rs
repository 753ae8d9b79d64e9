//! State stores.

pub(crate) mod api;
pub(crate) mod table;
