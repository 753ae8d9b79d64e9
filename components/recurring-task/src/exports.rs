//! The world `nudge:events/recurring-task`.

use nudge_component::batch;
use nudge_component::events::{Disposition, TaskCompleted};

use self::bindings::exports::nudge::events::task_recurrence_handler;
use crate::service;

nudge_component::world!("nudge:events/recurring-task");

struct Component;

impl task_recurrence_handler::Guest for Component {
    async fn handle(events: Vec<TaskCompleted>) -> Vec<Result<(), Disposition>> {
        batch::convert(events, service::tasks_completed).await
    }
}
