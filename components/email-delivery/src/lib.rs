//! task-reminders in, mail out.
