//! Publish and subscribe.

pub(crate) mod broker;
pub(crate) mod bulk;
pub(crate) mod deliver;
mod envelope;
pub(crate) mod publish;
mod routes;

pub(crate) use envelope::sorted;
pub(crate) use routes::Routes;
