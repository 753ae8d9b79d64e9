//! The world `nudge:events/api`.

use nudge_component::batch;
use nudge_component::events::{DeliveryOutcome, Disposition};

use self::bindings::exports::nudge::events::reminder_outcomes_handler;
use crate::tasks::delivery;

nudge_component::world!("nudge:events/api");

struct Component;

impl reminder_outcomes_handler::Guest for Component {
    async fn handle(events: Vec<DeliveryOutcome>) -> Vec<Result<(), Disposition>> {
        batch::convert(events, delivery::reminders_ended).await
    }
}
