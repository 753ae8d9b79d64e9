//! A call of a tool, and its result.

use serde_json::Value;

use crate::caller::{Caller, Identity};
use crate::db::DbError;

/// A call of a tool. It opens the database once, when it is first needed: after the arguments are read.
pub(crate) struct Call {
    identity: Identity,
    caller: Option<Caller>,
}

impl Call {
    pub(crate) fn new(identity: Identity) -> Self {
        Self {
            identity,
            caller: None,
        }
    }

    /// Who calls, with an open database.
    pub(crate) async fn open(&mut self) -> Result<&Caller, DbError> {
        let caller = match self.caller.take() {
            Some(caller) => caller,
            None => self.identity.clone().open().await?,
        };
        Ok(self.caller.insert(caller))
    }
}

/// What a tool has done.
pub(crate) struct Done {
    /// For people.
    pub(crate) text: String,
    /// For programs, as the tool's output schema says.
    pub(crate) structured: Value,
}
