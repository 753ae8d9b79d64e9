//! Lists of tasks.
//!
//! | file | holds |
//! | --- | --- |
//! | `lists.rs` | which tasks a view shows, and under which headings |
//! | `page.rs` | a view: heading, line for new tasks, list |
//! | `found.rs` | the view of the search |
//! | `rows.rs`, `row.rs` | the list, and a task in it |
//! | `tools.rs`, `empty.rs`, `notices.rs` | order and filters; what an empty view says; what needs attention |
//! | `side.rs`, `label_form.rs`, `deleting.rs` | the lists on the side, and dialogs |

pub(crate) mod deleting;
pub(crate) mod found;
pub(crate) mod label_form;
pub(crate) mod lists;
pub(crate) mod page;
pub(crate) mod side;

mod empty;
mod notices;
mod row;
mod rows;
mod tools;
