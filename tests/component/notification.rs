//! Notification: changes of tasks and jobs in, jobs and due reminders out.

mod arming;
mod firing;
mod recurring_jobs;
