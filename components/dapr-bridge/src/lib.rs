//! Exports nudge:dapr over outbound HTTP to the sidecar.
