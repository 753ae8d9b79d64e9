//! Keys of the keyboard, and what they do.
