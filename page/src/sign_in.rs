//! Who uses the page.
//!
//! | file | holds |
//! | --- | --- |
//! | `account` | the state of the sign-in, and the token of requests |
//! | `begin` | from the address and the configuration to the first state |
//! | `local` | the link of `nudge up`, and the token that it leaves |
//! | `provider` | the identity provider: redirects, renewal, sign-out |
//! | `window` | signing in again in a window of its own, so that this one loses nothing |
//! | `notice` | why the user is not signed in, in words |
//! | `screen` | what is shown instead of the tasks |
//! | `again` | what is shown with the tasks once a session has ended |
//! | `whoami` | the user, and signing out |
//! | `browser` | storage, address, time and random numbers of the browser |
//!
//! Tokens of a provider are only in memory; decision 0052 says what is stored, and why.

mod account;
mod again;
mod begin;
mod browser;
mod local;
mod notice;
mod provider;
mod screen;
mod whoami;
mod window;

pub(crate) use account::use_account;
pub(crate) use screen::Gate;
pub(crate) use whoami::Whoami;
