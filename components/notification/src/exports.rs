//! The world `nudge:events/notification`.

use nudge_component::batch;
use nudge_component::events::{Disposition, TaskEvent};

use self::bindings::exports::nudge::events::{job_handler, task_events_handler};
use crate::{arming, service};

nudge_component::world!("nudge:events/notification");

struct Component;

impl task_events_handler::Guest for Component {
    async fn handle(events: Vec<TaskEvent>) -> Vec<Result<(), Disposition>> {
        batch::convert(events, arming::tasks_changed).await
    }
}

impl job_handler::Guest for Component {
    async fn handle(name: String, data: String) -> Result<(), Disposition> {
        service::run_job(&name, data.as_bytes()).await
    }
}
