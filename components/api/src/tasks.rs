//! Tasks: what can be done to them, and how they are stored, listed and searched.

pub(crate) mod batch;
pub(crate) mod delivery;
pub(crate) mod labels;
pub(crate) mod leases;
pub(crate) mod list;
pub(crate) mod occurrences;
pub(crate) mod quick_add;
pub(crate) mod record;
pub(crate) mod reminders;
pub(crate) mod room;
pub(crate) mod search;
pub(crate) mod service;
pub(crate) mod store;
mod store_all;
pub(crate) mod successors;
pub(crate) mod trail;
