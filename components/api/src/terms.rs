//! The terms of full-text search, of indexed texts and of queries.

mod fold;
mod run;
mod words;

pub(crate) use words::{Within, Words, terms};
