//! The only writer of task data: REST, feed, outbox relay.
