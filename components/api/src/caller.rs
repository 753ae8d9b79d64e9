//! The context of a request.

use axum::extract::FromRequestParts;
use http::request::Parts;
use nudge_component::Problem;
use nudge_component::trace::Traceparent;

use crate::auth::{self, User};
use crate::db::{Database, DbError};

/// A user who asks for something, in a trace, and the database that it is done in.
pub(crate) struct Caller {
    pub(crate) user: User,
    pub(crate) trace: Traceparent,
    pub(crate) database: Database,
}

/// The same before the database is opened. A handler reads the body first: connections are counted, and a slow body must not hold one.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) user: User,
    pub(crate) trace: Traceparent,
}

impl Identity {
    /// Opens the database.
    pub(crate) async fn open(self) -> Result<Caller, DbError> {
        Ok(Caller {
            user: self.user,
            trace: self.trace,
            database: Database::open().await?,
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Problem;

    /// 401 without a valid token.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let trace = parts.extensions.get::<Traceparent>().cloned();
        Ok(Self {
            user: auth::user(parts).await?,
            trace: trace.unwrap_or_else(Traceparent::start),
        })
    }
}
