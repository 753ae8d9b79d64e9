//! The world `nudge:events/recurring-task`.

use nudge_component::events::{Disposition, TaskCompleted};

use self::bindings::exports::nudge::events::task_recurrence_handler;
use crate::service;

nudge_component::world!("nudge:events/recurring-task");

struct Component;

impl task_recurrence_handler::Guest for Component {
    async fn handle(event: TaskCompleted) -> Result<(), Disposition> {
        service::task_completed(event.try_into()?).await
    }
}
