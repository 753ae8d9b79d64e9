//! Variables of the component (`[component.….variables]` in `spin.toml`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use spin_sdk::variables::{Error, get};

/// What this instance was told. Its host is asked once: what a provider changes comes with the next instance, and an
/// instance is not old (Spin: 128 requests, or a second without one).
static KNOWN: Mutex<BTreeMap<&str, Option<String>>> = Mutex::new(BTreeMap::new());

/// A variable's value; none when it is not defined or empty.
///
/// # Errors
///
/// A sentence for the log when the provider of the variables fails. The next call asks it again.
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
