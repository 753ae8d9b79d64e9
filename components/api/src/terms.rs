//! The terms of full-text search: what the index sees of a text, and what a query looks for.

mod fold;
mod run;
mod words;

pub(crate) use words::{Within, Words, terms};
