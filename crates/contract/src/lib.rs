//! The contract between Nudge's services, its clients and its tests: event and API types, names, the CloudEvents envelope.
//!
//! All JSON is camelCase. Instants are RFC 3339 text: those of a due date and of a reminder carry the offset of the
//! task's zone, all others are in UTC. A reader ignores fields that it does not know; a writer only ever adds fields,
//! or raises `schemaVersion` and the last part of the event type.
//!
//! ```
//! use nudge_contract::event::{CloudEvent, ReminderDue};
//!
//! let text = br#"{"specversion":"1.0","id":"e1","source":"notification","type":"nudge.order.paid.v1",
//!                 "time":"2026-11-21T10:00:00Z","data":{}}"#;
//! let error = CloudEvent::parse::<ReminderDue>(text).expect_err("an unknown type");
//! assert_eq!(error.to_string(), "event type nudge.order.paid.v1 is not nudge.reminder.due.v1");
//! ```

pub mod agent;
pub mod api;
pub mod event;
pub mod legacy;
pub mod names;
pub mod page;
pub mod quick_add;
pub mod task;
pub mod token;
pub mod trail;
