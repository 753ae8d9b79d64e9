//! The world `nudge:events/api`.

use nudge_component::events::{DeliveryOutcome, Disposition};

use crate::bindings::exports::nudge::events::reminder_outcomes_handler;
use crate::tasks::delivery;

pub(crate) struct Component;

impl reminder_outcomes_handler::Guest for Component {
    async fn handle(event: DeliveryOutcome) -> Result<(), Disposition> {
        delivery::reminder_ended(event.try_into()?).await
    }
}
