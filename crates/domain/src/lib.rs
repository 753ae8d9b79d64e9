//! Tasks, reminders and recurrence: pure rules, no IO, no clock.
