//! The world `nudge:events/email-delivery`.

use nudge_component::batch;
use nudge_component::events::{Disposition, ReminderDue};

use self::bindings::exports::nudge::events::task_reminders_handler;
use crate::service;

nudge_component::world!("nudge:events/email-delivery");

struct Component;

impl task_reminders_handler::Guest for Component {
    async fn handle(events: Vec<ReminderDue>) -> Vec<Result<(), Disposition>> {
        batch::convert(events, service::reminders_due).await
    }
}
