//! Agents of a user: programs that act for them with a token of their own (`auth/agent.rs`).

pub(crate) mod service;
mod store;

use jiff::Timestamp;
use nudge_contract::agent::Scope;
use nudge_domain::task::{AgentName, Mistake, Patch};

/// An agent to be created, as it was read from a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NewAgent {
    pub(crate) name: Patch<AgentName>,
    pub(crate) scope: Patch<Scope>,
    pub(crate) expires_at: Patch<Timestamp>,
    pub(crate) days: Patch<u32>,
    /// What the door could not read.
    pub(crate) unreadable: Vec<Mistake>,
}
