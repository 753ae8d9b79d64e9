//! Who may be written to: addresses that are confirmed, recipients that want no email, limits on emails, and emails about accounts.
//!
//! | file | holds |
//! | --- | --- |
//! | `address.rs` | changes of a profile's address, and its confirmation |
//! | `standing.rs` | whether emails of a user may go to a mailbox; stopping and resuming |
//! | `limits.rs` | how many emails a day |
//! | `notices.rs` | emails about an account, until they are sent: an outbox of their own |
//! | `links.rs` | links in emails |
//! | `mailbox.rs` | which addresses are the same mailbox |
//! | `me.rs` | the profile as the API shows it |
//!
//! No event has an address (ARCHITECTURE.md, invariants), and no address is in a URL or in the log. A mailbox is stored as a hash: what
//! outlives an account, the wish never to be written to, does not say whose it is to those who do not know the address (decision 0042).

pub(crate) mod address;
pub(crate) mod limits;
pub(crate) mod links;
mod mailbox;
pub(crate) mod me;
pub(crate) mod notices;
pub(crate) mod standing;

pub(crate) use mailbox::Mailbox;
