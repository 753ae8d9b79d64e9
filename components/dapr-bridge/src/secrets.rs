//! Secrets: <https://docs.dapr.io/reference/api/secrets_api/>.

use std::collections::BTreeMap;

use crate::Bridge;
use crate::bindings::Error;
use crate::bindings::exports::nudge::dapr::secrets::Guest;
use crate::error;
use crate::sidecar::{Call, segment};

impl Guest for Bridge {
    async fn get(store: String, name: String) -> Result<Option<Vec<(String, String)>>, Error> {
        let answer = Call::get(format!("/v1.0/secrets/{}/{}", segment(&store), segment(&name)))
            .send()
            .await?;
        // For a secret that does not exist, Dapr answers 500 with similar messages for all stores.
        if answer.status == 500 {
            let failure = error::failure(answer.status, &answer.body);
            if failure.code.as_deref() == Some("ERR_SECRET_GET") && failure.message.contains("not found") {
                return Ok(None);
            }
        }
        let answer = answer.success()?;
        if answer.status == 204 {
            return Ok(None);
        }
        let secret: BTreeMap<String, String> = serde_json::from_slice(&answer.body)
            .map_err(|_| error::unexpected("secret", "not an object of strings"))?;
        Ok(Some(secret.into_iter().collect()))
    }
}
