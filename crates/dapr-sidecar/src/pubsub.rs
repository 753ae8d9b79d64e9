//! Publish and subscribe.

pub(crate) mod batch;
pub(crate) mod broker;
pub(crate) mod bulk;
pub(crate) mod deliver;
mod envelope;
pub(crate) mod publish;
pub(crate) mod routes;
mod statuses;
mod table;
