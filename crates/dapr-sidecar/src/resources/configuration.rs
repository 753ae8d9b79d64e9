//! `kind: Configuration`.

use serde::Deserialize;

use super::source::Source;
use crate::error::Error;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    tracing: Option<Tracing>,
    /// Ignored: all apps are in this process.
    #[serde(rename = "nameResolution")]
    _name_resolution: Option<serde_norway::Value>,
    metrics: Option<Metrics>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Tracing {
    sampling_rate: String,
    #[serde(default)]
    stdout: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metrics {
    enabled: bool,
}

/// Whether trace context is created and propagated.
pub(crate) fn tracing(source: &mut Source) -> Result<bool, Error> {
    let spec: Spec = source.spec()?;
    if spec.metrics.is_some_and(|metrics| metrics.enabled) {
        tracing::debug!(configuration = source.name, "metrics are not served here");
    }
    let Some(settings) = spec.tracing else {
        return Ok(true);
    };
    if settings.stdout {
        return Err(source.error("spec.tracing.stdout: spans are not printed here"));
    }
    match settings.sampling_rate.as_str() {
        "1" => Ok(true),
        "0" => Ok(false),
        other => Err(source.error(format!(
            "spec.tracing.samplingRate: only \"0\" and \"1\" here, not {other}"
        ))),
    }
}
