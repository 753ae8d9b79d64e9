//! What views read.

use std::collections::BTreeMap;
use std::sync::Arc;

use nudge_contract::task::Task;
use nudge_domain::id::TaskId;

/// A task as it is shown, and what sorting and searching need of it.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) task: Arc<Task>,
    /// In lower case.
    pub(crate) title: Box<str>,
    /// The beginning of the description in lower case.
    pub(crate) text: Box<str>,
    pub(crate) waiting: bool,
    pub(crate) temporary: bool,
}

/// Bytes of a description that the text filter of a view looks at. The search of the API looks at all of it.
const SEARCHED: usize = 1_000;

impl Row {
    pub(crate) fn new(task: Arc<Task>, waiting: bool, temporary: bool) -> Self {
        let text = task.description.as_deref().unwrap_or_default();
        let text = text.get(..text.floor_char_boundary(SEARCHED)).unwrap_or_default();
        Self {
            title: task.title.to_lowercase().into(),
            text: text.to_lowercase().into(),
            task,
            waiting,
            temporary,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) rows: BTreeMap<TaskId, Arc<Row>>,
    pub(crate) aliases: BTreeMap<TaskId, TaskId>,
}

/// The tasks at one moment, with the edits that are on their way. Cloning is cheap; two are equal if they are the same.
#[derive(Debug, Clone, Default)]
pub struct Snapshot(pub(crate) Arc<Rows>);

impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Snapshot {
    /// A task; the temporary id of one that was created here stays valid.
    pub fn get(&self, id: TaskId) -> Option<&Arc<Task>> {
        self.row(id).map(|row| &row.task)
    }

    /// Whether an edit of it has not reached the server yet.
    pub fn waiting(&self, id: TaskId) -> bool {
        self.row(id).is_some_and(|row| row.waiting)
    }

    /// Whether it exists only here.
    pub fn is_temporary(&self, id: TaskId) -> bool {
        self.row(id).is_some_and(|row| row.temporary)
    }

    /// All tasks that were seen, in no particular order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Task>> {
        self.0.rows.values().map(|row| &row.task)
    }

    fn row(&self, id: TaskId) -> Option<&Arc<Row>> {
        let id = self.0.aliases.get(&id).unwrap_or(&id);
        self.0.rows.get(id)
    }
}
