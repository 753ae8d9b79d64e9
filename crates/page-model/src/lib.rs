//! The data of the web page, without a browser: no clock, no random numbers, no network and no storage; the caller passes them in.
//!
//! | module | holds |
//! | --- | --- |
//! | `mirror` | the server's tasks, as far as the page has seen them |
//! | `outbox` | edits that are not sent yet, that conflict, or that were refused |
//! | `model` | both together: what the page shows, what is sent next, what an answer changes |
//! | `snapshot`, `query` | what views read: tasks with the edits applied, filtered and sorted |
//! | `day` | days, counted |
//! | `lines`, `quick`, `shortcut` | where the lines of a long list are, the line for new tasks, the keyboard |
//! | `patch`, `fields` | an edit of fields, and when two values of a field count as equal |
//! | `sse`, `feed` | server-sent events from a stream of bytes, and the tasks in them |
//! | `duration` | minutes and reminders as people write them |
//! | `problem` | refusals of the API, field by field |
//!
//! Decision 0053 says how edits that were made offline reach the server.

pub mod day;
pub mod duration;
pub mod feed;
pub mod fields;
pub mod lines;
pub mod mirror;
pub mod model;
pub mod outbox;
pub mod patch;
pub mod problem;
pub mod query;
pub mod quick;
pub mod shortcut;
pub mod snapshot;
pub mod sse;

mod json;
mod overlay;

pub use model::{Model, Stamp, Undo, Write};
pub use outbox::answer::{Answer, Call, Request};
pub use outbox::edit::{Edit, EditId, Scope};
pub use outbox::report::{Choice, Conflict, FieldConflict, Refusal, RefusalKind};
pub use patch::{Patch, ReminderEdit};
pub use problem::{FieldError, Problem};
pub use query::{Counts, Days, Query, Sort, Today, Upcoming};
pub use snapshot::Snapshot;
