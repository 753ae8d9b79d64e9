//! The component that a task works for: in the place of a store with an instance's state.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use crate::sqlite::Connection;

tokio::task_local! {
    static CURRENT: Arc<Component>;
}

/// What a component has of its host.
#[derive(Debug)]
pub struct Component {
    /// Its variables, with their values.
    pub variables: HashMap<String, String>,
    /// The file of its database.
    pub database: PathBuf,
    pub(crate) sqlite: OnceLock<Connection>,
}

impl Component {
    /// A component with these variables, and its database in this file.
    pub fn new(variables: HashMap<String, String>, database: PathBuf) -> Arc<Self> {
        Arc::new(Self {
            variables,
            database,
            sqlite: OnceLock::new(),
        })
    }

    /// Runs something for this component.
    pub async fn run<T>(self: Arc<Self>, work: impl Future<Output = T>) -> T {
        CURRENT.scope(self, work).await
    }

    /// The component of this task; none outside of [`Component::run`].
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }
}
