//! Health: <https://docs.dapr.io/reference/api/health_api/>.

use crate::Bridge;
use crate::bindings::Error;
use crate::bindings::exports::nudge::dapr::health::Guest;
use crate::sidecar::Call;

impl Guest for Bridge {
    async fn check() -> Result<(), Error> {
        // Not `/v1.0/healthz`: that waits for the app, whose readiness check calls this.
        Call::get("/v1.0/healthz/outbound".to_owned())
            .send()
            .await?
            .success()
            .map(|_| ())
    }
}
