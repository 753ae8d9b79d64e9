//! The part of Dapr 1.16's HTTP API that Nudge uses, in one process on SQLite.
