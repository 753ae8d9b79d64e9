//! What every Nudge component shares: problem details, authentication of the sidecar, logging.
