//! Requests to the API.
//!
//! | file | holds |
//! | --- | --- |
//! | `client` | one request: token, conditions, time limit, errors |
//! | `error` | why a request failed, in words |
//! | `types` | what the API answers that is not in `nudge_contract` |
//! | `tasks`, `labels`, `account`, `quick` | the routes |

mod account;
mod client;
mod error;
mod labels;
mod quick;
mod tasks;
mod types;

pub(crate) use client::{Api, Call, Limit, Session, random};
pub(crate) use error::ApiError;
pub(crate) use quick::Preview;
use types::Token;
pub(crate) use types::*;

use jiff::Timestamp;

/// The time of the browser.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millisecond(js_sys::Date::now() as i64).unwrap_or(Timestamp::UNIX_EPOCH)
}
