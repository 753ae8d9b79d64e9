//! Repeats the changes of the legacy system, which Nudge replaces (decision 0020, docs/MIGRATION.md).
//!
//! A change of the legacy system becomes a change of the same task in Nudge, marked with its origin. A marked change is not sent
//! back, and nothing follows from it. It may arrive twice, late, and in any order: each field counts by the time of its change, so a
//! value that is older than the one that the task has is ignored.
//!
//! Nothing else imports this module but `http/legacy.rs`. When the migration is over, delete both with their folder, their two `mod`
//! lines and the line in `http.rs` that merges their routes.
//!
//! | file | holds |
//! | --- | --- |
//! | `apply.rs` | changes, one after the other |
//! | `batch.rs` | what the changes of one request look up once |
//! | `found.rs` | what Nudge has of the task of a change |
//! | `insert.rs`, `merge.rs` | a task that is new, a change to one that Nudge has |
//! | `fields.rs` | from the fields of the legacy system to the command of the domain |
//! | `since.rs` | which fields have changed since |
//! | `labels.rs` | categories and tags |
//! | `waiting.rs` | changes that wait for their task |
//! | `take_over.rs` | the next occurrence of what was completed in the legacy system |
//! | `numbers.rs` | numbers in the legacy system and ids in Nudge |
//! | `masters.rs` | which system reminds which user |
//! | `error.rs` | why a change is refused |

mod apply;
mod batch;
mod error;
mod fields;
mod found;
mod insert;
mod labels;
mod masters;
mod merge;
mod numbers;
mod since;
mod take_over;
mod waiting;

pub(crate) use apply::apply;
pub(crate) use error::LegacyError;
pub(crate) use masters::{masters, set_master};
pub(crate) use numbers::numbered;
pub(crate) use take_over::take_over;
