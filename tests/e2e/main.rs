//! The whole system: components on the spin host, embedded sidecars, mail sink. Time is stepped, but for the tests that
//! kill the program.

mod crash;
mod recurrence;
mod reminders;
mod support;
