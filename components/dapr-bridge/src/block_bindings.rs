//! Output bindings: <https://docs.dapr.io/reference/api/bindings_api/>.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::Bridge;
use crate::bindings::Error;
use crate::bindings::exports::nudge::dapr::bindings::Guest;
use crate::error;
use crate::sidecar::{Call, segment};

#[derive(Serialize)]
struct Invoke<'a> {
    operation: &'a str,
    metadata: BTreeMap<&'a str, &'a str>,
    data: &'a RawValue,
}

impl Guest for Bridge {
    async fn invoke(
        binding: String,
        operation: String,
        metadata: Vec<(String, String)>,
        data: String,
    ) -> Result<Vec<u8>, Error> {
        let data: &RawValue = serde_json::from_str(&data)
            .map_err(|reason| error::invalid(format!("data for binding {binding} is not JSON: {reason}")))?;
        let metadata = metadata
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let body = serde_json::to_vec(&Invoke {
            operation: &operation,
            metadata,
            data,
        })
        .map_err(|reason| error::invalid(format!("binding {binding}: {reason}")))?;
        let answer = Call::post(format!("/v1.0/bindings/{}", segment(&binding)))
            .json(body)
            .send()
            .await?
            .success()?;
        Ok(answer.body.to_vec())
    }
}
