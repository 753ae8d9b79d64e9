//! An SMTP server that keeps every mail as a file.
