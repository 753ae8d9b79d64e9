//! Search as you type.
