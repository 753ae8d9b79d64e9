//! task-recurrence in, next occurrence out.
