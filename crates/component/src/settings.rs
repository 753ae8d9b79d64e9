//! Variables of the component (`[component.….variables]` in `spin.toml`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use spin_sdk::variables::{Error, get};

/// Variables that this instance has read. Each is read from the host once: a change takes effect with the next instance, and
/// instances are short-lived (Spin: 128 requests, or a second without one).
static KNOWN: Mutex<BTreeMap<&str, Option<String>>> = Mutex::new(BTreeMap::new());

/// The value of a variable; none if it is not defined or empty.
///
/// # Errors
///
/// A sentence for the log if the provider of the variables fails. The next call tries again.
pub async fn variable(name: &'static str) -> Result<Option<String>, String> {
    if let Some(known) = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
        return Ok(known.clone());
    }
    let value = match get(name).await {
        Ok(value) => Some(value).filter(|value| !value.is_empty()),
        Err(Error::Undefined(_)) => None,
        Err(error) => return Err(format!("variable {name} cannot be read: {error}")),
    };
    KNOWN
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(name, value.clone());
    Ok(value)
}
