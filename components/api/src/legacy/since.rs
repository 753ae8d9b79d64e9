//! Which fields of a task have changed since a change of the legacy system.

use std::collections::HashSet;

use nudge_contract::event::{Change, TaskEvent};
use nudge_contract::legacy::{LegacyChange, LegacyField};
use nudge_domain::id::TaskId;

use crate::db::{Database, DbError};

/// What a task's history says about a change that may be late.
#[derive(Debug, Default)]
pub(super) struct Since {
    recorded: bool,
    /// All fields changed later.
    all: bool,
    /// The fields that changed later.
    fields: HashSet<LegacyField>,
}

impl Since {
    /// Reads the history from the time of the change on: no event is stored with an earlier time than that of its change.
    pub(super) async fn read(
        database: &Database,
        task: TaskId,
        change: &LegacyChange,
    ) -> Result<Self, DbError> {
        let sql = "SELECT data FROM task_event WHERE task_id = $1 AND created_at >= $2";
        let mut since = Self::default();
        for row in database.query(sql, [(&task).into(), change.at.into()]).await? {
            let event = serde_json::from_str(row.text(0)?);
            let event = event.map_err(|error| DbError::Unreadable(error.to_string()))?;
            since.add(&event, change);
        }
        Ok(since)
    }

    fn add(&mut self, event: &TaskEvent, change: &LegacyChange) {
        let origin = event.origin.as_ref();
        self.recorded |= origin.is_some_and(|origin| origin.event_id == change.event_id);
        if origin.map_or(event.task.task.updated_at, |origin| origin.at) <= change.at {
            return;
        }
        self.all |= event.change == Change::Created;
        let names = event.changed.iter();
        self.fields
            .extend(names.filter_map(|name| LegacyField::of_name(name)));
    }

    /// Whether the history has the change already.
    pub(super) fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// Whether a field changed later.
    pub(super) fn changed(&self, field: LegacyField) -> bool {
        self.all || self.fields.contains(&field)
    }
}
