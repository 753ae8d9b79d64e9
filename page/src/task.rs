//! One task, in a panel beside the list.
//!
//! | file | holds |
//! | --- | --- |
//! | `editor` | the task that is open: saving, and what the API refused of it |
//! | `field`, `draft` | a field for text, and what is typed in it, on the device |
//! | `panel` | the panel: its head, title, notes and foot |
//! | `due`, `repeat`, `choices`, `labels`, `reminders` | its properties |
//! | `decide` | conflicts, and edits that were refused |
//! | `trail` | what happened to it |
//! | `words`, `trail_words` | values and steps in words |

mod choices;
mod decide;
mod draft;
mod due;
mod editor;
mod field;
mod labels;
mod new_label;
mod panel;
mod reminders;
mod repeat;
mod trail;
mod trail_words;
mod words;

pub(crate) use panel::Detail;
