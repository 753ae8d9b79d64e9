//! Dapr's YAML resources: components, subscriptions, resiliency, configuration.
//!
//! Resources that this sidecar supports are loaded; all others are refused by name, with their file. Nothing is
//! skipped silently.

mod component;
mod configuration;
mod load;
pub(crate) mod resiliency;
mod source;
mod subscription;
mod topics;

pub(crate) use component::{Block, Component, EMAIL_FIELDS, KeyPrefix, Smtp};
pub(crate) use load::{Resources, load};
pub(crate) use subscription::{Bulk, Subscription};
pub(crate) use topics::Topics;

/// Whether a resource with these `scopes` concerns an app; no scopes means every app.
pub(crate) fn in_scope(scopes: &[String], app_id: &str) -> bool {
    scopes.is_empty() || scopes.iter().any(|scope| scope == app_id)
}
