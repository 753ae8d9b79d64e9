//! The world `nudge:events/email-delivery`.

use nudge_component::batch;
use nudge_component::events::{Disposition, NoticeRequested, ReminderDue};

use self::bindings::exports::nudge::events::{account_notices_handler, task_reminders_handler};
use crate::{notices, service};

nudge_component::world!("nudge:events/email-delivery");

struct Component;

impl task_reminders_handler::Guest for Component {
    async fn handle(events: Vec<ReminderDue>) -> Vec<Result<(), Disposition>> {
        batch::convert(events, service::reminders_due).await
    }
}

impl account_notices_handler::Guest for Component {
    async fn handle(events: Vec<NoticeRequested>) -> Vec<Result<(), Disposition>> {
        batch::convert(events, notices::requested).await
    }
}
