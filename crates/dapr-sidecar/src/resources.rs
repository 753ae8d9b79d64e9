//! Dapr's YAML resources: components, subscriptions, resiliency, configuration.
//!
//! What this sidecar has is loaded; what it has not is refused by name, with the file it stands in. Nothing is
//! skipped silently.

mod component;
mod configuration;
mod load;
pub(crate) mod resiliency;
mod source;
mod subscription;

pub(crate) use component::{Block, Component, KeyPrefix, MAIL_FIELDS, Smtp};
pub(crate) use load::{Resources, load};
pub(crate) use subscription::Subscription;

/// Whether a resource with these `scopes` concerns an app; no scopes means every app.
pub(crate) fn in_scope(scopes: &[String], app_id: &str) -> bool {
    scopes.is_empty() || scopes.iter().any(|scope| scope == app_id)
}
