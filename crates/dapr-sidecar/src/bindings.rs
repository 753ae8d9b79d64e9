//! Output bindings.

mod address;
pub(crate) mod api;
mod message;
pub(crate) mod smtp;
