//! Reminders: jobs in, task-reminders out.
