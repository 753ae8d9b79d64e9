//! Metadata: <https://docs.dapr.io/reference/api/metadata_api/>.

use serde::Deserialize;

use crate::Bridge;
use crate::bindings::Error;
use crate::bindings::exports::nudge::dapr::metadata::Guest;
use crate::error;
use crate::sidecar::Call;

/// The part of a sidecar's metadata that is used here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) runtime_version: String,
    #[serde(default)]
    app_connection_properties: AppConnection,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AppConnection {
    /// Absent if there is no limit, which is a setting of -1 or 0.
    #[serde(default)]
    max_concurrency: i32,
}

impl Metadata {
    /// A sidecar has no limit unless its setting is above 0.
    fn app_max_concurrency(&self) -> Option<u32> {
        u32::try_from(self.app_connection_properties.max_concurrency)
            .ok()
            .filter(|limit| *limit > 0)
    }
}

/// Requests the sidecar's metadata.
pub(crate) async fn read() -> Result<Metadata, Error> {
    let answer = Call::get("/v1.0/metadata".to_owned()).send().await?.success()?;
    serde_json::from_slice(&answer.body).map_err(|reason| error::unexpected("metadata", reason))
}

impl Guest for Bridge {
    async fn app_max_concurrency() -> Result<Option<u32>, Error> {
        Ok(read().await?.app_max_concurrency())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_above_0_is_a_limit() {
        for (properties, limit) in [
            (r#"{"maxConcurrency":1}"#, Some(1)),
            (r#"{"maxConcurrency":16,"port":80}"#, Some(16)),
            (r#"{"maxConcurrency":-5}"#, None),
            (r#"{"maxConcurrency":0}"#, None),
            (r#"{"port":80,"protocol":"http"}"#, None),
        ] {
            let text = format!(r#"{{"runtimeVersion":"1.16.0","appConnectionProperties":{properties}}}"#);
            let metadata: Metadata = serde_json::from_str(&text).unwrap();
            assert_eq!(metadata.app_max_concurrency(), limit, "{properties}");
        }
        let metadata: Metadata = serde_json::from_str(r#"{"runtimeVersion":"1.16.0"}"#).unwrap();
        assert_eq!(metadata.app_max_concurrency(), None);
    }
}
