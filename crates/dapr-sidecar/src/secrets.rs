//! Secret stores.

pub(crate) mod api;
pub(crate) mod store;
