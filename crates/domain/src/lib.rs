//! Tasks, reminders and recurrence: pure rules, no IO, no clock.
//!
//! Callers pass in the current time and new ids. The zone database is built in. Each error says what is wrong and what to
//! write instead, and has a stable `code()` for programs.
//!
//! ```
//! use jiff::Timestamp;
//! use nudge_domain::reminder::{Reminder, ReminderWhen};
//! use nudge_domain::series::{CompletedOccurrence, RecurrenceFrom, copy_reminders, next_occurrence};
//! use nudge_domain::{Due, Zone, parse_recurrence};
//! use uuid::Uuid;
//!
//! let zone: Zone = "Europe/Berlin".parse()?;
//! let now: Timestamp = "2026-03-20T12:00:00Z".parse()?;
//! let due = Due::parse("2026-03-23T09:00", &zone)?; // a Monday
//! let rule = parse_recurrence("every monday")?;
//! let an_hour_before = ReminderWhen::MinutesBefore(60);
//! let reminder = Reminder::new(Uuid::from_u128(1).into(), an_hour_before, Some(&due), &[], now)?;
//!
//! // Done on Tuesday, a day late: the next one is the coming Monday, at nine by a clock that went forward.
//! let next = next_occurrence(&CompletedOccurrence {
//!     series_id: Uuid::from_u128(2).into(),
//!     occurrence: 1,
//!     rule: &rule,
//!     first_due: &due,
//!     due: &due,
//!     counts_from: RecurrenceFrom::Due,
//!     completed_at: "2026-03-24T10:00:00Z".parse()?,
//! })
//! .ok_or("the series goes on for ever")?;
//! assert_eq!(next.due.to_string(), "2026-03-30T09:00:00+02:00");
//!
//! let reminders = copy_reminders(&[reminder], &next, now);
//! assert_eq!(reminders[0].remind_at.to_string(), "2026-03-30T06:00:00Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod characters;
pub mod due;
mod english;
pub mod id;
pub mod instant;
mod local_instant;
pub mod mail_address;
pub mod masked;
pub mod phrase;
pub mod quick_add;
pub mod quiet_hours;
pub mod recurrence;
pub mod reminder;
pub mod series;
pub mod task;
mod text;
mod word;
pub mod zone;

pub use due::{Due, DueError};
pub use local_instant::{LocalInstant, LocalInstantError};
pub use mail_address::{MailAddress, MailAddressError};
pub use phrase::parse_recurrence;
pub use quiet_hours::{QuietHours, QuietHoursError};
pub use recurrence::{Rule, RuleError};
pub use word::WordError;
pub use zone::{Zone, ZoneError};
