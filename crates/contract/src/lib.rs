//! Event and API types, topic names and the CloudEvents envelope.
