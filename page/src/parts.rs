//! What all views use.
//!
//! | file | holds |
//! | --- | --- |
//! | `icon.rs`, `check.rs`, `label.rs`, `menu.rs`, `dialog.rs`, `toast.rs` | controls |
//! | `ui.rs`, `cursor.rs` | what is open, and where the keyboard is |
//! | `clock.rs`, `when.rs` | now, the days of the calendar, due dates in words |
//! | `list.rs` | what a list of tasks consists of |
//! | `dynamic.rs` | views that follow signals, in few types |
//! | `actions.rs` | what can be done to a task from a list |

pub(crate) mod actions;
pub(crate) mod check;
pub(crate) mod clock;
pub(crate) mod cursor;
pub(crate) mod dialog;
pub(crate) mod dynamic;
pub(crate) mod icon;
pub(crate) mod label;
pub(crate) mod list;
pub(crate) mod menu;
pub(crate) mod toast;
pub(crate) mod ui;
pub(crate) mod when;
