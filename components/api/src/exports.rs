//! The world `nudge:events/api`.

use nudge_component::events::{DeliveryOutcome, Disposition};

use self::bindings::exports::nudge::events::reminder_outcomes_handler;
use crate::tasks::delivery;

nudge_component::world!("nudge:events/api");

struct Component;

impl reminder_outcomes_handler::Guest for Component {
    async fn handle(event: DeliveryOutcome) -> Result<(), Disposition> {
        delivery::reminder_ended(event.try_into()?).await
    }
}
