//! Lists of tasks: what is asked for, where a page ends, and the statement.

pub(crate) mod cursor;
pub(crate) mod order;
pub(crate) mod query;
pub(crate) mod read;
pub(crate) mod statement;
