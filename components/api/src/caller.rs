//! The context of a request.

use axum::extract::FromRequestParts;
use http::request::Parts;
use nudge_component::Problem;
use nudge_component::trace::Traceparent;
use nudge_contract::event::ChangedBy;

use crate::auth::{self, User};
use crate::db::{Database, DbError};

/// A user who asks for something, in a trace, and the database that it is done in.
pub(crate) struct Caller {
    pub(crate) user: User,
    pub(crate) cause: Cause,
    pub(crate) database: Database,
}

/// The same before the database is opened. A handler reads the body first: connections are counted, and a slow body must not hold one.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) user: User,
    pub(crate) cause: Cause,
}

/// What a version of a task comes from: who made the change, and the trace of the request or event that led to it.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub(crate) by: ChangedBy,
    /// None if it is not known.
    pub(crate) trace: Option<Traceparent>,
}

impl Cause {
    /// A change that Nudge makes itself.
    pub(crate) fn nudge(trace: Option<Traceparent>) -> Self {
        Self {
            by: ChangedBy::Nudge,
            trace,
        }
    }

    /// What Nudge does next because of this change.
    pub(crate) fn followed(&self) -> Self {
        Self::nudge(self.trace.clone())
    }

    /// A change that was made in the system that Nudge replaces.
    pub(crate) fn import(trace: Traceparent) -> Self {
        Self {
            by: ChangedBy::Import,
            trace: Some(trace),
        }
    }
}

impl Identity {
    /// Opens the database.
    pub(crate) async fn open(self) -> Result<Caller, DbError> {
        Ok(Caller {
            user: self.user,
            cause: self.cause,
            database: Database::open().await?,
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Problem;

    /// 401 without a valid token.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let trace = parts.extensions.get::<Traceparent>().cloned();
        let user = auth::user(parts).await?;
        let cause = Cause {
            by: user.by(),
            trace: Some(trace.unwrap_or_else(Traceparent::start)),
        };
        Ok(Self { user, cause })
    }
}
