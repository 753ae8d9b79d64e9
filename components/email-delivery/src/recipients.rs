//! Tells the api about recipients that no email can be sent to, so that it stops sending there.

use nudge_component::ask;
use nudge_component::events::Disposition;
use nudge_contract::api::{RefusedRecipient, RefusedRecipients};
use nudge_contract::names::route;

/// Maximum number of recipients in a request.
const AT_ONCE: usize = 100;

/// Reports recipients. If the api cannot be told, the next email to the recipient is refused, and reported again.
pub(crate) async fn refused(recipients: Vec<RefusedRecipient>) {
    for part in recipients.chunks(AT_ONCE) {
        let request = RefusedRecipients { items: part.to_vec() };
        if let Err(Disposition::Retry(reason) | Disposition::Drop(reason)) =
            ask::tell(route::REFUSED_RECIPIENTS, &request).await
        {
            tracing::warn!(
                recipients = part.len(),
                "emails to refused recipients are not stopped: {reason}"
            );
        }
    }
}
