//! Events of tasks: stored with the change, published after responding, read as history and feed.

pub(crate) mod feed;
pub(crate) mod outbox;
pub(crate) mod store;
