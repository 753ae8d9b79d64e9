//! A task, the values it is made of, and what can be done to it.
//!
//! | file | holds |
//! | --- | --- |
//! | `values.rs` | titles, names, colours, priorities: texts and words with rules |
//! | `fields.rs` | [`Task`], [`NewTask`], [`TaskPatch`]: everything that names each field |
//! | `life.rs` | complete, reopen, tag, and the task that comes after it |
//! | `command.rs` | what else a caller asks for: [`MoveDue`], [`ReminderEdit`], and [`Patch`] |
//! | `edit.rs`, `reminder_list.rs`, `reminder_edit.rs` | the rules of tags, due dates, recurrence and reminders |
//! | `mistake.rs` | what is wrong with it, field by field |

mod command;
mod edit;
mod fields;
mod life;
mod mistake;
mod reminder_edit;
mod reminder_list;
mod values;

pub use command::{MoveDue, Patch, ReminderEdit, ReminderItem, ReminderTime, Snooze};
pub use fields::*;
pub use life::{Context, Owner, TagError};
pub use mistake::{FieldName, Mistake, ReminderField};
pub use reminder_edit::ReminderRefusal;
pub use values::*;
